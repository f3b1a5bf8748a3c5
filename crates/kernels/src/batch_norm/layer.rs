//! What a normalisation computes, for all that compute it.

use super::statistics::BatchStatistics;
use crate::dims::Dims;
use crate::simd::InstructionSet;

/// `relu((x - mean) * factor * scale + shift + residual)`, the residual and the ReLU being optional. The factor is the reciprocal
/// standard deviation, `1 / sqrt(variance + epsilon)`.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    pub dims: Dims,
    /// The batch's own statistics, functions of `x`, and epsilon; none where scale and shift alone act: mean 0 and factor 1.
    pub of_batch: Option<(BatchStatistics, f64)>,
    pub relu: bool,
    /// Of a CPU.
    pub set: InstructionSet,
}

impl BatchNorm {
    /// By the statistics of the batch itself.
    pub(crate) fn by_batch(dims: Dims, statistics: &BatchStatistics, epsilon: f64, relu: bool) -> Self {
        Self {
            of_batch: Some((statistics.clone(), epsilon)),
            ..Self::affine(dims, relu)
        }
    }

    /// By nothing: scale and shift alone.
    pub(crate) fn affine(dims: Dims, relu: bool) -> Self {
        Self {
            dims,
            of_batch: None,
            relu,
            set: InstructionSet::detect(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.of_batch {
            Some(_) => "batch_norm (channels last)",
            None => "affine (channels last)",
        }
    }
}
