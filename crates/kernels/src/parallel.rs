//! Dividing work among rayon's threads.

use crate::host::Shared;
use rayon::prelude::*;

/// Tasks for all threads to finish at about the same time.
pub(crate) fn enough_tasks() -> usize {
    4 * rayon::current_num_threads()
}

/// Runs `task` for `0..count`, in any order and on any thread.
pub(crate) fn for_each(count: usize, task: impl Fn(usize) + Sync + Send) {
    if count <= 1 {
        (0..count).for_each(task);
    } else {
        (0..count).into_par_iter().for_each(task);
    }
}

/// Runs `task` with every piece of `len` values (the last may be shorter) and its index.
pub(crate) fn for_each_piece(values: &mut [f32], len: usize, task: impl Fn(usize, &mut [f32]) + Sync + Send) {
    let (all, pointer) = (values.len(), Shared::new(values));
    for_each(all.div_ceil(len), |piece| {
        let start = piece * len;
        // SAFETY: pieces are within `values` and do not overlap.
        task(piece, unsafe {
            std::slice::from_raw_parts_mut(pointer.at(start), len.min(all - start))
        });
    });
}
