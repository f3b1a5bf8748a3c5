//! What holds for all work on a GPU, from before the first tensor on.

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::sys;
use candle_core::{CudaDevice, Result, bail};

/// Refuses a driver that is older than the toolkit's: it would find the kernels to be of an unknown kind only when the first is launched.
pub(super) fn check() -> Result<()> {
    let mut driver = 0;
    // SAFETY: the driver writes one number; this needs nothing to be initialised.
    unsafe { sys::cuDriverGetVersion(&raw mut driver) }.result().w()?;
    let built = sys::CUDA_VERSION as i32;
    // Within a major version every driver runs what any toolkit makes.
    if driver / 1000 < built / 1000 {
        let version = |number: i32| format!("{}.{}", number / 1000, number % 1000 / 10);
        bail!(
            "the driver is for CUDA {}, this program was built with CUDA {}: update the driver, or build with an older toolkit",
            version(driver),
            version(built)
        );
    }
    Ok(())
}

/// To be called before the first tensor is made.
pub(super) fn prepare(device: &CudaDevice) -> Result<()> {
    // SAFETY: tensors are used on the one stream alone, and what is copied beside it has events of its own. Otherwise every tensor would
    // bring two events, and every launch wait for some.
    unsafe { device.disable_event_tracking() };
    let stream = device.cuda_stream();
    let context = stream.context();
    if context.has_async_alloc() {
        keep_freed_memory(context.cu_device())?;
    }
    Ok(())
}

/// By default the driver takes freed memory back whenever something is waited for, and the next step asks for it anew.
fn keep_freed_memory(device: sys::CUdevice) -> Result<()> {
    let mut pool = std::ptr::null_mut();
    let mut threshold = u64::MAX;
    // SAFETY: the driver writes one handle, and reads one 64-bit number, which the attribute is.
    unsafe {
        sys::cuDeviceGetDefaultMemPool(&raw mut pool, device).result().w()?;
        sys::cuMemPoolSetAttribute(
            pool,
            sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
            (&raw mut threshold).cast(),
        )
        .result()
        .w()?;
    }
    Ok(())
}
