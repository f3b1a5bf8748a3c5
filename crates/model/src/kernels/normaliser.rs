//! Batch normalisation where the tensors are.

use super::batch_norm::Normalisation;
#[cfg(feature = "cuda")]
use super::batch_norm::apply;
#[cfg(feature = "cuda")]
use super::cuda;
use super::simd::InstructionSet;
use super::statistics::Statistics;
use super::storage::Dims;
use candle_core::{Result, Tensor};

/// [`Normalisation`] on the CPU, or its like on a GPU.
#[derive(Clone, Debug)]
pub(crate) enum Normaliser {
    Cpu(Normalisation),
    #[cfg(feature = "cuda")]
    Cuda(cuda::normalisation::Normalisation),
}

impl Normaliser {
    /// By the statistics of `x` itself.
    pub(crate) fn by_batch(x: &Tensor, dims: Dims, statistics: &Statistics, eps: f64, relu: bool) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            let of_batch = Some((statistics.clone(), eps));
            return Ok(Self::Cuda(cuda::normalisation::Normalisation { dims, of_batch, relu }));
        }
        debug_assert!(x.device().is_cpu());
        let op = Normalisation::by_batch(dims, statistics, eps, relu, InstructionSet::detect())?;
        Ok(Self::Cpu(op))
    }

    /// By nothing: scale and shift alone.
    pub(crate) fn affine(x: &Tensor, dims: Dims, relu: bool) -> Self {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            let of_batch = None;
            return Self::Cuda(cuda::normalisation::Normalisation { dims, of_batch, relu });
        }
        debug_assert!(x.device().is_cpu());
        Self::Cpu(Normalisation::affine(dims, relu, InstructionSet::detect()))
    }

    /// See [`Normalisation::apply`].
    pub(crate) fn apply(self, x: &Tensor, scale: &Tensor, shift: &Tensor, residual: Option<&Tensor>) -> Result<Tensor> {
        match self {
            Self::Cpu(op) => op.apply(x, scale, shift, residual),
            #[cfg(feature = "cuda")]
            Self::Cuda(op) => apply(op, x, scale, shift, residual),
        }
    }

    /// See [`Normalisation::differentiate`].
    #[allow(clippy::type_complexity)]
    pub(crate) fn differentiate(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: Option<&Tensor>,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        match self {
            Self::Cpu(op) => op.differentiate(x, parameters, residual, result, gradient),
            #[cfg(feature = "cuda")]
            Self::Cuda(op) => op.differentiate(x, parameters, residual, result, gradient),
        }
    }
}
