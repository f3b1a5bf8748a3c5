//! Where memory comes from, and what is said when there is none.

use std::alloc::{GlobalAlloc, Layout};
use std::io::Write;

use mimalloc::MiMalloc;

/// mimalloc. Training allocates and frees the same large buffers in every step: mimalloc keeps them, where the system's allocator
/// returns them to the kernel and pays for their pages again.
///
/// Without memory (`ulimit -v`, a machine that promises none) it ends the program with one message and status 1. Rust would abort it, with a
/// core dump. Files are whole all the same, and a training goes on from its last state.
pub(crate) struct Allocator;

/// Bytes that no machine has. Libraries that ask whether a damaged file's size can be had (`Vec::try_reserve`) get their answer.
const ABSURD: usize = 1 << 40;

/// `memory`, unless there is none.
fn checked(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() && size < ABSURD {
        spent(size);
    }
    memory
}

/// Ends the program without asking for memory.
#[cold]
fn spent(bytes: usize) -> ! {
    let mut line = [0_u8; 200];
    let mut rest = line.as_mut_slice();
    let megabytes = bytes.div_ceil(1 << 20);
    // Into bytes that are there; what does not fit is left out.
    let _ = writeln!(
        rest,
        "biascam: out of memory: the system refuses another {megabytes} MB; raise the limit (`ulimit -v`), or take smaller batches or images"
    );
    let left = rest.len();
    let said = line.len() - left;
    // What goes wrong now cannot be said.
    let _ = std::io::stderr().write_all(&line[..said]);
    // SAFETY: ends the process, without what runs at its end and may need memory.
    unsafe { libc::_exit(1) }
}

// SAFETY: all memory is mimalloc's, by its own functions; where they give none, nothing is returned.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.dealloc(memory, layout) }
    }
}
