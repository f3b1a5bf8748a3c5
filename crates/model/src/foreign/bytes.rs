//! The weights in a file of another program.

use std::collections::{BTreeSet, HashMap};

use candle_core::safetensors::Load;
use candle_core::{DType, Device};
use safetensors::SafeTensors;

use super::names::{Foreign, is_counter, to_torchvision};
use crate::checkpoint::check_header;
use crate::{Error, Result};

impl Foreign {
    /// The weights in the bytes of a safetensors file, as float32.
    ///
    /// # Errors
    /// [`Error::Foreign`] when the bytes are no whole safetensors file, a tensor is of whole numbers, or there is no residual network
    /// among the tensors, or more than one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        check_header(bytes).map_err(|error| Error::Foreign(error.to_string()))?;
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| Error::Foreign(format!("not a whole safetensors file ({error})")))?;
        let mut tensors = HashMap::new();
        let mut converted = BTreeSet::new();
        for (name, view) in file.tensors() {
            if is_counter(&name) {
                continue;
            }
            let of_type = format!("{:?}", view.dtype());
            let is_float = of_type.starts_with('F') || of_type.starts_with("BF");
            if !is_float && view.shape().is_empty() {
                // A count, such as that of steps.
                continue;
            }
            let fault = |why: &str| Error::Foreign(format!("`{name}` is of type {of_type}: {why}"));
            if !is_float {
                return Err(fault(
                    "expected float32, float16, bfloat16 or float64; weights that are quantised have to be brought back",
                ));
            }
            let tensor = view
                .load(&Device::Cpu)
                .and_then(|tensor| tensor.to_dtype(DType::F32))
                .map_err(|_| fault("expected float32, float16, bfloat16 or float64"))?;
            if of_type != "F32" {
                converted.insert(of_type);
            }
            tensors.insert(name, tensor);
        }
        let mut foreign = to_torchvision(tensors)?;
        if !converted.is_empty() {
            let types: Vec<String> = converted.into_iter().collect();
            foreign
                .said
                .push(format!("{} converted to float32", types.join(" and ")));
        }
        Ok(foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Network};

    #[test]
    fn other_types_are_converted_or_refused() {
        let architecture = Architecture::preset("resnet18").unwrap().with_width(2);
        let own = Network::new(&architecture, 3, 1, &Device::Cpu).unwrap().named_tensors();
        let bytes_of = |kind: DType| {
            let tensors: HashMap<String, _> = own
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.to_dtype(kind).unwrap()))
                .collect();
            safetensors::serialize(tensors.iter(), None).unwrap()
        };
        for (kind, said) in [
            (DType::F32, ""),
            (DType::F16, "F16 converted to float32"),
            (DType::BF16, "BF16 converted to float32"),
            (DType::F64, "F64 converted to float32"),
        ] {
            let foreign = Foreign::from_bytes(&bytes_of(kind)).unwrap();
            assert_eq!(foreign.said.join("; "), said);
            assert!(foreign.tensors.values().all(|tensor| tensor.dtype() == DType::F32));
            Network::from_tensors(&architecture, 3, foreign.tensors, &Device::Cpu).unwrap();
        }
        let message = Foreign::from_bytes(&bytes_of(DType::U8)).unwrap_err().to_string();
        assert!(
            message.contains("of type U8") && message.contains("quantised"),
            "{message}"
        );
        for broken in [&b""[..], b"not a file", &bytes_of(DType::F32)[..999]] {
            let message = Foreign::from_bytes(broken).unwrap_err().to_string();
            assert!(message.contains("not a whole safetensors file"), "{message}");
        }
    }
}
