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

    /// As [`Normaliser::apply`], for those who differentiate it themselves with [`Normaliser::differentiate`].
    pub(crate) fn apply_on_tape(
        self,
        x: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        residual: Option<&Tensor>,
    ) -> Result<Tensor> {
        match self {
            Self::Cpu(op) => op.apply(x, scale, shift, residual),
            #[cfg(feature = "cuda")]
            Self::Cuda(of) => {
                let (scale, shift) = (scale.detach(), shift.detach());
                let op = cuda::normalisation::OnTape { of, scale, shift };
                match residual {
                    Some(residual) => x.contiguous()?.apply_op2(&residual.contiguous()?, op),
                    None => x.contiguous()?.apply_op1(op),
                }
            }
        }
    }

    /// The gradients of all arguments, of those of the result, of which there is at least one and which count together.
    pub(crate) fn differentiate(
        &self,
        x: &Tensor,
        [scale, shift]: [&Tensor; 2],
        residual: Option<&Tensor>,
        result: &Tensor,
        gradients: &[Tensor],
    ) -> Result<Differentiated> {
        match self {
            Self::Cpu(op) => {
                let parameters = Tensor::stack(&[scale, shift], 0)?;
                let (x, parameters, residual) =
                    op.differentiate(x, &parameters, residual, result, &super::sum(gradients)?)?;
                let row = |row| parameters.as_ref().map(|rows| rows.get(row)).transpose();
                Ok(Differentiated {
                    x,
                    scale: row(0)?,
                    shift: row(1)?,
                    residual,
                })
            }
            #[cfg(feature = "cuda")]
            Self::Cuda(op) => op.differentiate(x, [scale, shift], residual, gradients),
        }
    }
}

/// The gradients of a normalisation's arguments; those that nothing asks for are absent.
#[derive(Debug)]
pub(crate) struct Differentiated {
    pub x: Option<Tensor>,
    pub scale: Option<Tensor>,
    pub shift: Option<Tensor>,
    pub residual: Option<Tensor>,
}
