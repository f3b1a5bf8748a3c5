//! How exactly the layers of a training step compute.

use std::fmt;

use crate::simd::Bf16;
use candle_core::Device;
use serde::{Deserialize, Serialize};

/// The numbers that a training step computes with. Parameters, the optimiser's state, statistics, head and loss are float32
/// in all of them, and so is all evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// IEEE single precision.
    #[default]
    Float32,
    /// Convolutions round float32 factors to TF32's 10 bits of mantissa and sum in float32: PyTorch's
    /// `torch.backends.cudnn.allow_tf32`, which is on unless told otherwise. On a GPU alone.
    Tf32,
    /// Images between layers, their gradients, and copies of the weights are bfloat16 with 7 bits of mantissa; sums are float32. As
    /// PyTorch's `autocast(dtype=torch.bfloat16)` of a float32 network, but that batch norm's result is rounded once, behind residual
    /// and ReLU, and that the head is float32. On a CPU, which needs AVX512-BF16 for it, convolutions round their factors to bfloat16 and
    /// all else is float32.
    Bf16,
}

impl Precision {
    /// Refuses what a device does not compute with.
    ///
    /// # Errors
    /// What is expected instead, and why: for TF32 on a CPU, for bfloat16 on one without AVX512-BF16, and for both on a GPU before NVIDIA's
    /// Ampere (compute capability 8.0). For example `float32 or bf16 on this CPU: tf32 needs an NVIDIA GPU`.
    pub fn check(self, device: &Device) -> Result<(), String> {
        let why_not = match (self, device) {
            (Self::Float32, _) => return Ok(()),
            #[cfg(feature = "cuda")]
            (_, Device::Cuda(gpu)) => match gpu.cuda_stream().context().compute_capability() {
                Ok((8.., _)) => return Ok(()),
                Ok((major, minor)) => {
                    format!("on a GPU of compute capability {major}.{minor}: the others need 8.0 or later")
                }
                Err(error) => format!("on a GPU that does not tell its compute capability ({error})"),
            },
            (_, device) if device.is_cpu() => return on_cpu(self, Bf16::detect().is_some()),
            _ => "on this device: the others need an NVIDIA GPU".to_owned(),
        };
        Err(format!("float32 {why_not}"))
    }
}

/// [`Precision::check`] of a CPU that has instructions for bfloat16 or not.
fn on_cpu(precision: Precision, with_bf16: bool) -> Result<(), String> {
    match (precision, with_bf16) {
        (Precision::Float32, _) | (Precision::Bf16, true) => Ok(()),
        (Precision::Bf16, false) => {
            Err("float32 on this CPU: bf16 needs one with AVX512-BF16 (`avx512_bf16`), or an NVIDIA GPU".to_owned())
        }
        (Precision::Tf32, true) => Err("float32 or bf16 on this CPU: tf32 needs an NVIDIA GPU".to_owned()),
        (Precision::Tf32, false) => Err("float32 on this CPU: tf32 needs an NVIDIA GPU".to_owned()),
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_is_asked_for_what_it_has() {
        Precision::default().check(&Device::Cpu).unwrap();
        assert!(
            Precision::Tf32
                .check(&Device::Cpu)
                .unwrap_err()
                .ends_with("tf32 needs an NVIDIA GPU")
        );
        assert_eq!(Precision::Bf16.check(&Device::Cpu).is_ok(), Bf16::detect().is_some());
        on_cpu(Precision::Bf16, true).unwrap();
        assert!(on_cpu(Precision::Bf16, false).unwrap_err().contains("AVX512-BF16"));
        assert!(
            on_cpu(Precision::Tf32, true)
                .unwrap_err()
                .starts_with("float32 or bf16")
        );
    }
}
