//! What is known of a batch's channels.

use crate::dims::check_channels;
use candle_core::{Result, Tensor};

/// Statistics of a batch, per channel, over all images and pixels. They carry no gradient: [`batch_norm`](super::batch_norm)
/// accounts for their dependence on the batch.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// Mean, `[C]`.
    pub mean: Tensor,
    /// Biased variance (divided by `count`), `[C]`.
    pub variance: Tensor,
    /// Values behind each mean: `N H W`. PyTorch's running variance is fed `variance * count / (count - 1)`.
    pub count: usize,
}

impl BatchStatistics {
    pub(crate) fn check(&self, channels: usize, op: &str) -> Result<()> {
        check_channels(&self.mean, channels, op, "the mean")?;
        check_channels(&self.variance, channels, op, "the variance")
    }
}
