//! Reading by libraries that panic where they should refuse.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What `read` gives, or nothing where it panics: polars' Parquet layer does at some damaged files, and at types it was built
/// without. What they would say of the panic is for their developers, and is not printed.
///
/// `read` must not leave anything half-changed that is used afterwards.
pub fn without_panic<T>(read: impl FnOnce() -> T) -> Option<T> {
    static READING: AtomicUsize = AtomicUsize::new(0);
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        // A library may panic on threads of its own, so this one's state would not tell.
        panic::set_hook(Box::new(move |panic| {
            if READING.load(Ordering::Relaxed) == 0 {
                usual(panic);
            }
        }));
    });
    READING.fetch_add(1, Ordering::Relaxed);
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    READING.fetch_sub(1, Ordering::Relaxed);
    read.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing() {
        assert_eq!(without_panic(|| 3), Some(3));
        assert_eq!(without_panic(|| -> i32 { panic!("a library's") }), None);
        assert_eq!(without_panic(|| 4), Some(4));
    }
}
