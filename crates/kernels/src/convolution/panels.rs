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
pub(super) struct PanelWeights {
    bytes: usize,
    /// Pairs of blocks of output channels, which are not divided.
    pairs: usize,
    tasks: usize,
}

impl PanelWeights {
    /// So many packed ones of so many output channels.
    pub(super) fn new(weights: usize, channels: usize) -> Self {
        Self {
            bytes: weights * size_of::<f32>(),
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
        let times = if self.bytes > CACHED_WEIGHTS { panels.count } else { 1 };
        times * self.bytes + self.parts(panels) * panels.all_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of a 3 x 3 convolution for so many tasks.
    fn square(channels: usize, tasks: usize) -> PanelWeights {
        PanelWeights {
            tasks,
            ..PanelWeights::new(9 * channels * channels, channels)
        }
    }

    /// Some of eight images of so many bytes in a panel; which is told by their number.
    fn images(bytes: usize) -> impl Iterator<Item = (usize, Panels)> + Clone {
        (1..=8).map(move |images| {
            let panels = Panels {
                count: 8_usize.div_ceil(images),
                bytes: images * bytes,
                all_bytes: 8 * bytes,
            };
            (images, panels)
        })
    }

    #[test]
    fn large_weights_are_fetched_for_few_panels() {
        // 9 MiB of weights, and eight padded images of 7 x 7 pixels: four images fill the largest panel, and four parts make eight tasks.
        let (images, blocks) = square(512, 8).choose(images(9 * 9 * 512 * 4)).unwrap();
        assert_eq!((images, blocks), (4, 8));
    }

    #[test]
    fn small_weights_have_a_panel_a_task() {
        let (images, blocks) = square(64, 8).choose(images(30 * 30 * 64 * 4)).unwrap();
        assert_eq!((images, blocks), (1, 4));
    }

    #[test]
    fn no_thread_is_left_without_a_task() {
        for threads in [2, 16, 64] {
            let tasks = 4 * threads;
            for (channels, bytes) in [
                (512, 9 * 9 * 512 * 4),
                (256, 16 * 16 * 256 * 4),
                (128, 30 * 30 * 128 * 4),
            ] {
                let (images, blocks) = square(channels, tasks).choose(images(bytes)).unwrap();
                let found = 8_usize.div_ceil(images) * (channels / LANES).div_ceil(blocks);
                // As many as eight images and pairs of blocks can be cut into.
                assert!(
                    found >= tasks.min(8 * channels / LANES / 2),
                    "{channels} channels, {threads} threads: {found}"
                );
            }
        }
    }

    #[test]
    fn a_panel_that_is_too_large_is_taken_where_there_is_no_other() {
        let (images, _) = square(64, 8).choose(images(2 * PANEL_BYTES)).unwrap();
        assert_eq!(images, 1);
        assert!(square(64, 8).choose(std::iter::empty::<((), Panels)>()).is_none());
    }
}
