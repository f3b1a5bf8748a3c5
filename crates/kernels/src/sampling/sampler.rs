//! Batches whose images are made on the GPU, from the pixels that files decode to.

use candle_core::{Device, Result, Tensor};

use super::batch::SamplerInput;
#[cfg(feature = "cuda")]
use super::cuda::GpuSampler;

/// Uploads batches of pixels to a GPU and samples them there, while the GPU is busy with earlier ones.
#[derive(Debug)]
pub struct Sampler {
    #[cfg(feature = "cuda")]
    gpu: GpuSampler,
    /// There is none without CUDA.
    #[cfg(not(feature = "cuda"))]
    none: std::convert::Infallible,
}

impl Sampler {
    /// For a GPU; `None` for a CPU, on which the loader's threads sample better.
    ///
    /// # Errors
    /// Those of the GPU's driver.
    pub fn new(device: &Device) -> Result<Option<Self>> {
        match device {
            #[cfg(feature = "cuda")]
            Device::Cuda(device) => Ok(Some(Self {
                gpu: GpuSampler::new(device)?,
            })),
            _ => Ok(None),
        }
    }

    /// Images `[N, 3, S, S]` float32, a view of channels-last memory, and labels `[N, A]`, both on the GPU. It is not waited for, and the
    /// batch's memory is free on return.
    ///
    /// # Errors
    /// When a view names what is not in the batch, and those of the GPU's driver.
    pub fn batch(&mut self, batch: SamplerInput<'_>) -> Result<(Tensor, Tensor)> {
        #[cfg(feature = "cuda")]
        return self.gpu.batch(batch);
        #[cfg(not(feature = "cuda"))]
        {
            let _ = batch;
            match self.none {}
        }
    }
}
