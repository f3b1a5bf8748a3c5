//! Which products a training step's convolutions are sums of.

use std::fmt;

use crate::Precision;
use candle_core::Device;
use serde::{Deserialize, Serialize};

/// How a training step's convolutions are computed on a CPU. All evaluation takes the direct way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConvolutionAlgorithm {
    /// By the definition, on a GPU as cuDNN chooses.
    #[default]
    Direct,
    /// 3 x 3 convolutions of stride 1 with at least 32 channels, and the gradients of their images, by Winograd's products, F(2 x 2, 3 x 3):
    /// faster, and other in the last bits. On a CPU, in float32.
    Fast,
}

impl ConvolutionAlgorithm {
    /// Refuses what a device does not do in a precision.
    ///
    /// # Errors
    /// What is expected instead, and why: for the fast way on a GPU, which has its own, and in any precision but float32.
    pub fn check(self, precision: Precision, device: &Device) -> Result<(), String> {
        match self {
            Self::Direct => Ok(()),
            Self::Fast if !device.is_cpu() => Err("direct on a GPU, where cuDNN has fast ways of its own".to_owned()),
            Self::Fast if precision != Precision::Float32 => {
                Err(format!("direct with precision {precision}: fast is for float32"))
            }
            Self::Fast => Ok(()),
        }
    }
}

impl fmt::Display for ConvolutionAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Direct => "direct",
            Self::Fast => "fast",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_is_for_float32() {
        ConvolutionAlgorithm::Fast
            .check(Precision::Float32, &Device::Cpu)
            .unwrap();
        ConvolutionAlgorithm::Direct
            .check(Precision::Bf16, &Device::Cpu)
            .unwrap();
        let refused = ConvolutionAlgorithm::Fast.check(Precision::Bf16, &Device::Cpu);
        assert_eq!(refused.unwrap_err(), "direct with precision bf16: fast is for float32");
    }
}
