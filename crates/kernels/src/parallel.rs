//! Dividing work among rayon's threads.

use crate::host::Shared;
use rayon::prelude::*;
use std::ops::Range;

/// Tasks for all threads to finish at about the same time.
pub(crate) fn enough_tasks() -> usize {
    tasks_for(rayon::current_num_threads())
}

fn tasks_for(threads: usize) -> usize {
    4 * threads
}

/// One of equal parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub index: usize,
    pub of: usize,
}

impl Part {
    /// That part of `0..count`; parts differ by one at most.
    #[inline(always)]
    pub(crate) fn range(self, count: usize) -> Range<usize> {
        count * self.index / self.of..count * (self.index + 1) / self.of
    }
}

/// Equal pieces of work, each of which may be cut into parts: they are where threads ask for more tasks than there are pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    pub pieces: usize,
    /// What a piece can be cut into, and the vector operations of one such unit, about.
    pub units: usize,
    pub cost: usize,
}

impl Division {
    /// Vector operations of a task below which more tasks do not pay: a microsecond or two, and handing a task over takes half of one.
    const LEAST: usize = 1 << 12;

    /// Runs `task` with each piece's index and the units of a part of it, in any order and on any thread.
    pub(crate) fn for_each(self, task: impl Fn(usize, Range<usize>) + Sync + Send) {
        // Tests have small shapes, and all that can be divided is.
        let least = if cfg!(test) { 1 } else { Self::LEAST };
        let parts = self.parts(rayon::current_num_threads(), least);
        for_each(self.pieces * parts, |index| {
            let (piece, units) = self.get(index, parts);
            task(piece, units);
        });
    }

    /// Parts of a piece for so many threads, of at least so many vector operations.
    fn parts(self, threads: usize, least: usize) -> usize {
        let most = (self.units * self.cost / least).min(self.units);
        tasks_for(threads).div_ceil(self.pieces.max(1)).min(most.max(1))
    }

    fn get(self, task: usize, parts: usize) -> (usize, Range<usize>) {
        let part = Part {
            index: task % parts,
            of: parts,
        };
        (task / parts, part.range(self.units))
    }

    /// The units of each task on so many threads.
    #[cfg(test)]
    pub(crate) fn tasks(self, threads: usize) -> impl Iterator<Item = Range<usize>> {
        let parts = self.parts(threads, Self::LEAST);
        (0..self.pieces * parts).map(move |task| self.get(task, parts).1)
    }

    /// Vector operations of each task on so many threads.
    #[cfg(test)]
    pub(crate) fn costs(self, threads: usize) -> Vec<usize> {
        self.tasks(threads).map(|units| units.len() * self.cost).collect()
    }
}

/// Several ranges from 0 on, each with its length and the length of the pieces that it is cut into. A task has a piece of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid<const N: usize>(pub [(usize, usize); N]);

impl<const N: usize> Grid<N> {
    /// Number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.0.iter().map(|(length, each)| length.div_ceil(*each)).product()
    }

    /// The pieces of a task. Those of the last range change from task to task.
    pub(crate) fn get(&self, mut task: usize) -> [Range<usize>; N] {
        let mut pieces = self.0.map(|_| 0..0);
        for (piece, (length, each)) in pieces.iter_mut().zip(self.0).rev() {
            let count = length.div_ceil(each);
            let start = task % count * each;
            *piece = start..(start + each).min(length);
            task /= count;
        }
        pieces
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_of_a_grid_cover_it_once() {
        let grid = Grid([(3, 2), (5, 5), (4, 3)]);
        let found: Vec<_> = (0..grid.tasks()).map(|task| grid.get(task)).collect();
        let expected = [
            [0..2, 0..5, 0..3],
            [0..2, 0..5, 3..4],
            [2..3, 0..5, 0..3],
            [2..3, 0..5, 3..4],
        ];
        assert_eq!(found, expected);
        assert_eq!(Grid([(0, 2), (5, 1)]).tasks(), 0);
    }
}
