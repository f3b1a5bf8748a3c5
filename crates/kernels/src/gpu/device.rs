//! Opening a GPU.

#[cfg(feature = "cuda")]
use super::driver;
use candle_core::{Device, Result};

/// The NVIDIA GPU of this number, with one stream for all threads: candle's default device has one for each thread that uses it, which do not
/// wait for each other, while a training step runs on whichever thread of the pool is free.
///
/// # Errors
/// When the program was built without CUDA, the driver is older than the toolkit that it was built with, or it has no such GPU.
pub fn gpu(ordinal: usize) -> Result<Device> {
    #[cfg(feature = "cuda")]
    driver::check()?;
    let device = Device::new_cuda_with_stream(ordinal)?;
    #[cfg(feature = "cuda")]
    if let Device::Cuda(gpu) = &device {
        driver::prepare(gpu)?;
    }
    Ok(device)
}
