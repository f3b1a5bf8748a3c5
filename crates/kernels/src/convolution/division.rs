//! How a product is cut into tasks, so that little is fetched from beyond a core's own caches.
//!
//! A task multiplies a panel, the source of some pixels, with the weights of some output channels. Every panel meets all weights, and every
//! part of the channels all panels. So few large panels fetch the weights seldom, and few parts the panels. The results do not depend on
//! it: every output is one sum in a fixed order.

use crate::parallel::enough_tasks;
use crate::simd::LANES;

/// Bytes of the largest panel: with the weights of a pass it still fits a second-level cache of one MiB.
const PANEL_BYTES: usize = 704 * 1024;
/// Weights up to so many bytes stay in the second-level cache from one panel to the next.
const CACHED_WEIGHTS: usize = 256 * 1024;

/// One way to cut the source into panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels {
    pub count: usize,
    /// Bytes of one, and of all together: neighbours may overlap.
    pub bytes: usize,
    pub all_bytes: usize,
}

/// What all panels are multiplied with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Division {
    weights: usize,
    /// Pairs of blocks of output channels, which are not divided.
    pairs: usize,
    tasks: usize,
}

impl Division {
    /// Of so many packed weights of so many output channels.
    pub(super) fn new(weights: usize, channels: usize) -> Self {
        Self {
            weights: weights * size_of::<f32>(),
            pairs: channels.div_ceil(LANES).div_ceil(2).max(1),
            tasks: enough_tasks(),
        }
    }

    /// The best of some ways: none that leaves threads idle, if others do not; then the smallest panel that fetches little more than need
    /// be, because smaller panels leave more of the cache. With it, the blocks of channels of each part.
    pub(super) fn choose<T: Copy>(&self, ways: impl Iterator<Item = (T, Panels)> + Clone) -> Option<(T, usize)> {
        let smallest = ways.clone().map(|(_, panels)| panels.bytes).min()?;
        let allowed = ways.filter(|(_, panels)| panels.bytes <= PANEL_BYTES.max(smallest));
        let missing = |panels: &Panels| self.tasks.saturating_sub(panels.count * self.parts(panels));
        let fewest = allowed.clone().map(|(_, panels)| missing(&panels)).min()?;
        let allowed = allowed.filter(|(_, panels)| missing(panels) == fewest);
        let least = allowed.clone().map(|(_, panels)| self.fetched(&panels)).min()?;
        let (way, panels) = allowed
            .filter(|(_, panels)| self.fetched(panels) <= least + least / 4)
            .min_by_key(|(_, panels)| panels.bytes)?;
        Some((way, 2 * self.pairs.div_ceil(self.parts(&panels))))
    }

    fn parts(&self, panels: &Panels) -> usize {
        self.pairs.min(self.tasks.div_ceil(panels.count.max(1)))
    }

    /// Bytes from beyond the second-level cache.
    fn fetched(&self, panels: &Panels) -> usize {
        let weights = if self.weights > CACHED_WEIGHTS {
            panels.count * self.weights
        } else {
            self.weights
        };
        weights + self.parts(panels) * panels.all_bytes
    }
}
