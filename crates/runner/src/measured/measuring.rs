//! How far measuring is, which takes minutes with many images, attributes and resamples.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pipeline::{Progress, Work};

/// What measuring consists of, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Reading the classifiers' files.
    Read,
    /// Summing up, and resampling the sums.
    Resample,
    /// Ranking the scores in every resample.
    Rank,
    /// What is made of it.
    Judge,
}

/// In how many parts the time is divided.
const WHOLE: u64 = 1000;

impl Part {
    /// Where it begins and ends, as a run of 4000 images, 17 attributes and 2000 resamples has it.
    fn of_whole(self) -> (u64, u64) {
        match self {
            Self::Read => (0, 100),
            Self::Resample => (100, 230),
            Self::Rank => (230, 920),
            Self::Judge => (920, WHOLE),
        }
    }
}

/// Shows how far a measuring is.
pub struct Measuring {
    work: Mutex<Work>,
    /// Of the part in hand.
    done: AtomicU64,
}

impl Measuring {
    /// Begins to show it.
    pub fn begin(progress: &Progress) -> Self {
        Self {
            work: Mutex::new(progress.work("measuring", WHOLE)),
            done: AtomicU64::new(0),
        }
    }

    /// A part begins.
    pub(super) fn part(&self, part: Part) {
        self.done.store(0, Ordering::Relaxed);
        self.show(part, 0, 1);
    }

    /// One more of so many pieces of a part is done.
    pub(super) fn one_of(&self, part: Part, of: usize) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.show(part, done, of as u64);
    }

    fn show(&self, part: Part, done: u64, of: u64) {
        let (begin, end) = part.of_whole();
        // A poisoned lock only means that showing progress failed once.
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.at(begin + (end - begin) * done.min(of) / of.max(1), "");
    }

    /// It is over.
    pub fn end(self) {
        self.work.into_inner().unwrap_or_else(PoisonError::into_inner).abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_and_are_the_whole() {
        let parts = [Part::Read, Part::Resample, Part::Rank, Part::Judge];
        let mut before = 0;
        for part in parts {
            let (begin, end) = part.of_whole();
            assert_eq!(begin, before, "{part:?}");
            assert!(end > begin);
            before = end;
        }
        assert_eq!(before, WHOLE);
    }
}
