//! The kernels as a GPU's driver has them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaModule, DriverError};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::cuda_backend::{DeviceId, WrapErr};
use candle_core::{CudaDevice, Result};

/// What `build.rs` makes of `kernels.cu`: machine code for several generations of GPUs, of which the driver takes what fits.
const KERNELS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

/// The kernels on one device, and those that have been asked for.
struct Module {
    module: Arc<CudaModule>,
    functions: HashMap<String, CudaFunction>,
}

impl Module {
    fn load(device: &CudaDevice) -> std::result::Result<Self, DriverError> {
        let module = device
            .cuda_stream()
            .context()
            .load_module(Ptx::from_binary(KERNELS.to_vec()))?;
        Ok(Self {
            module,
            functions: HashMap::new(),
        })
    }

    fn function(&mut self, kernel: &str) -> std::result::Result<CudaFunction, DriverError> {
        if let Some(function) = self.functions.get(kernel) {
            return Ok(function.clone());
        }
        let function = self.module.load_function(kernel)?;
        self.functions.insert(kernel.to_owned(), function.clone());
        Ok(function)
    }
}

/// The kernel of this name. To ask the driver each time would cost a search a launch.
pub(super) fn function(device: &CudaDevice, kernel: &str) -> Result<CudaFunction> {
    static MODULES: Mutex<Option<HashMap<DeviceId, Module>>> = Mutex::new(None);
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let modules = modules.get_or_insert_default();
    let module = match modules.entry(device.id()) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::hash_map::Entry::Vacant(entry) => entry.insert(Module::load(device).w()?),
    };
    module.function(kernel).w()
}
