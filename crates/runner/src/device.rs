//! What computes: chosen by its name, and said in words.

use candle_core::Device;

use crate::error::{Error, Result};
use render::text::counted;

/// A device, and why it is not a GPU where one might have been expected.
#[derive(Debug)]
pub struct ChosenDevice {
    /// What computes.
    pub device: Device,
    /// Why `auto` did not take a GPU.
    pub why_no_gpu: Option<String>,
}

/// Chooses the device: `auto` (the first GPU where there is one that works, else the CPU), `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// When the name is unknown, or the device is not there or not built in.
pub fn choose_device(name: &str) -> Result<ChosenDevice> {
    let taken = |device| ChosenDevice {
        device,
        why_no_gpu: None,
    };
    let asked_for = |ordinal: usize| {
        let fault = |why: String| Error::Request(format!("--device {name}: {why}; `--device cpu` does without"));
        gpu(ordinal).map(taken).map_err(fault)
    };
    match name {
        "cpu" => Ok(taken(Device::Cpu)),
        "auto" => Ok(gpu(0).map_or_else(
            |why| ChosenDevice {
                device: Device::Cpu,
                why_no_gpu: Some(why),
            },
            taken,
        )),
        "cuda" => asked_for(0),
        _ => match name.strip_prefix("cuda:").map(str::parse) {
            Some(Ok(ordinal)) => asked_for(ordinal),
            _ => Err(Error::Request(format!(
                "--device {name}: expected auto, cpu, cuda or cuda:N"
            ))),
        },
    }
}

/// The GPU of this number, or why it cannot be used.
fn gpu(ordinal: usize) -> std::result::Result<Device, String> {
    if !candle_core::utils::cuda_is_available() {
        return Err("this program was built without CUDA, which `just cuda` builds in".to_owned());
    }
    kernels::gpu(ordinal).map_err(|error| format!("GPU {ordinal} cannot be used ({error})"))
}

/// The device as `--device` takes it.
pub fn device_argument(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".to_owned(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// The device in words.
pub fn device_name(device: &Device) -> String {
    if device.is_cpu() {
        return format!("cpu, {}", counted(rayon::current_num_threads(), "thread"));
    }
    device_argument(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_a_device_is_explained() {
        assert!(choose_device("cpu").unwrap().why_no_gpu.is_none());
        let auto = choose_device("auto").unwrap();
        assert_eq!(auto.device.is_cpu(), auto.why_no_gpu.is_some());
        for unknown in ["gpu", "cuda:x", "cuda:-1", ""] {
            let message = choose_device(unknown).unwrap_err().to_string();
            assert!(message.ends_with("expected auto, cpu, cuda or cuda:N"), "{message}");
        }
        if !candle_core::utils::cuda_is_available() {
            let message = choose_device("cuda:1").unwrap_err().to_string();
            assert_eq!(
                message,
                "--device cuda:1: this program was built without CUDA, which `just cuda` builds in; `--device cpu` does without"
            );
        }
    }
}
