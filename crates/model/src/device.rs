//! Opening a GPU.

use candle_core::Device;

use crate::Result;

/// The NVIDIA GPU of this number, with one stream for all threads: candle's default device has one for each thread that uses it, which do not
/// wait for each other, while a training step runs on whichever thread of the pool is free.
///
/// # Errors
/// When the program was built without CUDA, or the driver has no such GPU.
pub fn gpu(ordinal: usize) -> Result<Device> {
    let device = Device::new_cuda_with_stream(ordinal)?;
    #[cfg(feature = "cuda")]
    if let Device::Cuda(gpu) = &device {
        // SAFETY: tensors are used on the one stream alone, and what is copied beside it has events of its own. Otherwise every tensor
        // would bring two events, and every launch wait for some.
        unsafe { gpu.disable_event_tracking() };
    }
    Ok(device)
}
