//! What tensors say of the network that they are of.

use std::collections::HashMap;
use std::fmt;

use candle_core::Tensor;

use crate::{Architecture, Block};

/// A standard network that tensors are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// Its architecture. Strides leave no trace in tensors: they are those of the standard networks.
    pub architecture: Architecture,
    /// Outputs of its head; `None` without one.
    pub outputs: Option<usize>,
}

impl fmt::Display for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.architecture.stages.first().map_or(0, |stage| stage.width);
        let text = self.architecture.to_string();
        match text.starts_with("resnet") && !text.contains("width") {
            true => write!(f, "{text} of width {width}")?,
            false => f.write_str(&text)?,
        }
        match self.outputs {
            Some(1) => f.write_str(" with 1 output"),
            Some(outputs) => write!(f, " with {outputs} outputs"),
            None => f.write_str(" without a head"),
        }
    }
}

/// The standard network that tensors under torchvision's names are of.
///
/// # Errors
/// What is not as in a standard network, in words.
pub fn architecture_of(tensors: &HashMap<String, Tensor>) -> Result<Guess, String> {
    let dims = |name: &str| tensors.get(name).map(Tensor::dims);
    let convolution = |name: &str| match dims(name) {
        Some(&[out, channels, height, width]) if height == width => Ok((out, channels, height)),
        Some(other) => Err(format!(
            "`{name}` has the shape {other:?}, which is no square convolution"
        )),
        None => Err(format!("`{name}` is missing")),
    };
    let (width, channels, kernel) = convolution("conv1.weight")?;
    if channels != 3 {
        return Err(format!(
            "its first convolution takes images of {channels} channels, not of 3 colours"
        ));
    }
    if kernel != 7 {
        return Err(format!(
            "its first convolution is {kernel} x {kernel}, not 7 x 7 as in the standard networks"
        ));
    }
    let block = match dims("layer1.0.conv3.weight") {
        Some(_) => Block::Bottleneck,
        None => Block::Basic,
    };
    let mut blocks = [0; 4];
    for (stage, count) in blocks.iter_mut().enumerate() {
        let name = |block: usize| format!("layer{}.{block}", stage + 1);
        *count = (0..)
            .take_while(|&block| dims(&format!("{}.conv1.weight", name(block))).is_some())
            .count();
        if *count == 0 {
            return Err(format!("it has {stage} stages of blocks, not 4"));
        }
        let inner = width << stage;
        let second = format!("{}.conv2.weight", name(0));
        match convolution(&second)? {
            (out, channels, 3) if out == inner && channels == inner => (),
            (out, channels, 3) if channels < out => {
                return Err(format!(
                    "`{second}` has the shape [{out}, {channels}, 3, 3]: grouped convolutions, as in a ResNeXt"
                ));
            }
            (out, channels, kernel) => {
                return Err(format!(
                    "`{second}` has the shape [{out}, {channels}, {kernel}, {kernel}], and in a standard network of width {width} \
                     [{inner}, {inner}, 3, 3]"
                ));
            }
        }
    }
    if tensors.keys().any(|name| name.starts_with("layer5.")) {
        return Err("it has more than 4 stages of blocks".to_owned());
    }
    let mut architecture = Architecture::preset(match block {
        Block::Basic => "resnet18",
        Block::Bottleneck => "resnet50",
    })
    .map_err(|error| error.to_string())?
    .with_width(width);
    for (stage, blocks) in architecture.stages.iter_mut().zip(blocks) {
        stage.blocks = blocks;
    }
    let outputs = dims("fc.weight").and_then(|dims| dims.first().copied());
    Ok(Guess { architecture, outputs })
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::{Network, Stem};

    fn tensors(architecture: &Architecture) -> HashMap<String, Tensor> {
        Network::new(architecture, 7, 1, &Device::Cpu).unwrap().named_tensors()
    }

    #[test]
    fn standard_networks_are_known_by_their_tensors() {
        for name in Architecture::PRESETS {
            let architecture = Architecture::preset(name).unwrap().with_width(3);
            let guess = architecture_of(&tensors(&architecture)).unwrap();
            assert_eq!((&guess.architecture, guess.outputs), (&architecture, Some(7)));
            assert_eq!(guess.to_string(), format!("{name} of width 3 with 7 outputs"));
        }
        let mut deep = Architecture::preset("resnet50").unwrap().with_width(2);
        deep.stages[2].blocks = 23;
        assert_eq!(architecture_of(&tensors(&deep)).unwrap().architecture, deep);
    }

    #[test]
    fn other_networks_are_told_apart() {
        let standard = Architecture::preset("resnet18").unwrap().with_width(4);
        let mut small = standard.clone();
        small.stem = Stem {
            kernel: 3,
            stride: 1,
            max_pool: false,
        };
        let mut short = standard.clone();
        short.stages.truncate(3);
        let mut flat = standard.clone();
        flat.stages[1].kernel = 1;
        for (architecture, expected) in [(small, "3 x 3, not 7 x 7"), (short, "3 stages"), (flat, "[8, 8, 1, 1]")] {
            let message = architecture_of(&tensors(&architecture)).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        let mut grey = tensors(&standard);
        let other = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        grey.insert("conv1.weight".to_owned(), other(&[4, 1, 7, 7]));
        assert!(architecture_of(&grey).unwrap_err().contains("1 channels"));
        let mut grouped = tensors(&standard);
        grouped.insert("layer2.0.conv2.weight".to_owned(), other(&[8, 2, 3, 3]));
        assert!(architecture_of(&grouped).unwrap_err().contains("ResNeXt"));
    }
}
