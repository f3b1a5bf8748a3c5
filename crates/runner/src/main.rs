//! `biascam`: see the crate's documentation.

use std::process::ExitCode;

/// Training allocates and frees the same large buffers in every step; mimalloc keeps them, where the system's allocator
/// returns them to the kernel and pays for their pages again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runner::cli::main()
}
