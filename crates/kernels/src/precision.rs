//! How exactly the layers of a training step compute.

use std::fmt;

use candle_core::Device;
use serde::{Deserialize, Serialize};

/// The numbers that a training step computes with on a GPU. Parameters, the optimiser's state, statistics, head and loss are float32
/// in all of them, and so is all evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// IEEE single precision.
    #[default]
    Float32,
    /// Convolutions round float32 factors to TF32's 10 bits of mantissa and sum in float32: PyTorch's
    /// `torch.backends.cudnn.allow_tf32`, which is on unless told otherwise.
    Tf32,
    /// Images between layers, their gradients, and copies of the weights are bfloat16 with 7 bits of mantissa; sums are float32. As
    /// PyTorch's `autocast(dtype=torch.bfloat16)` of a float32 network, but that batch norm's result is rounded once, behind residual
    /// and ReLU, and that the head is float32.
    Bf16,
}

impl Precision {
    /// Refuses what a device does not compute with.
    ///
    /// # Errors
    /// What is expected instead, and why, for anything but float32 on a CPU or on a GPU before NVIDIA's Ampere (compute capability 8.0):
    /// `float32 on a CPU: the others need a GPU`.
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
            (_, device) if device.is_cpu() => "on a CPU: the others need a GPU".to_owned(),
            _ => "on this device: the others need an NVIDIA GPU".to_owned(),
        };
        Err(format!("float32 {why_not}"))
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
    fn a_cpu_computes_in_float32_alone() {
        Precision::default().check(&Device::Cpu).unwrap();
        for precision in [Precision::Tf32, Precision::Bf16] {
            let why = precision.check(&Device::Cpu).unwrap_err();
            assert_eq!(why, "float32 on a CPU: the others need a GPU");
        }
    }
}
