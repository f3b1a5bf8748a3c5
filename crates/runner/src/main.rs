//! `biascam`: see the crate's documentation.

mod allocator;

use std::ffi::{c_int, c_long};
use std::process::ExitCode;

use allocator::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

unsafe extern "C" {
    /// mimalloc's, for which the crate has no function without more dependencies.
    fn mi_option_set(option: c_int, value: c_long);
}

/// `mi_option_purge_delay` of mimalloc's header: milliseconds after which free memory goes back to the kernel. A training step of a
/// large network takes longer than the default of one second, and would pay for its pages in every step.
const PURGE_DELAY: (c_int, c_long) = (15, 10_000);

fn main() -> ExitCode {
    // SAFETY: mimalloc is linked in, and setting an option has no other conditions.
    unsafe { mi_option_set(PURGE_DELAY.0, PURGE_DELAY.1) };
    // SAFETY: to ignore a signal runs no code of ours. A file that grows beyond `ulimit -f` is then an error, which names it.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    runner::cli::main()
}
