//! A network, and a training in progress, as bytes.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::optimiser::OptimiserState;
use crate::{Architecture, Error, Head, InputNormalisation, Network, Result};

/// Key of the header's entry that holds [`Description`] as JSON.
const KEY: &str = "biascam";
/// Version of [`Description`]'s form.
const VERSION: u32 = 1;
/// The head's weight and bias.
const HEAD: [&str; 2] = ["fc.weight", "fc.bias"];
/// What the names of the optimiser's tensors begin with.
const OPTIMISER: &str = "optimiser/";

/// How far a training is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs completed.
    pub epoch: u64,
    /// Batches completed in the epoch that is under way.
    pub batch: u64,
    /// Optimiser steps made.
    pub step: u64,
}

/// A network, and possibly a training in progress.
///
/// Stored as one safetensors file: the network's tensors under torchvision's names, so that other programs can read them,
/// the optimiser's below `optimiser/`, and everything else as JSON in the header's entry `biascam`.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The network's architecture.
    pub architecture: Architecture,
    /// Names of the attributes in the order of the outputs.
    pub attributes: Vec<String>,
    /// Normalisation of the input.
    pub normalisation: Option<InputNormalisation>,
    /// How far the training is.
    pub progress: Progress,
    /// Anything else worth keeping.
    pub metadata: BTreeMap<String, String>,
    /// Parameters and running statistics under torchvision's names.
    pub tensors: BTreeMap<String, Tensor>,
    /// What the optimiser remembers; `None` when the training is done.
    pub optimiser: Option<OptimiserState>,
}

/// The part of a checkpoint that is not a tensor.
#[derive(Serialize, Deserialize)]
struct Description {
    version: u32,
    architecture: Architecture,
    attributes: Vec<String>,
    normalisation: Option<InputNormalisation>,
    progress: Progress,
    optimiser_steps: Option<u64>,
    metadata: BTreeMap<String, String>,
}

impl Checkpoint {
    /// A copy of a network as it is now, without a training's state.
    ///
    /// # Errors
    /// [`Error::Setting`] when the number of attributes is not that of the network's outputs.
    pub fn of(network: &Network, attributes: &[String]) -> Result<Self> {
        if attributes.len() != network.outputs() {
            let expected = format!("{}, one per output of the network", network.outputs());
            return Err(Error::setting("attributes", attributes.len(), expected));
        }
        let copy = |(name, tensor): (String, Tensor)| Ok((name, tensor.to_device(&Device::Cpu)?.copy()?));
        Ok(Self {
            architecture: network.architecture().clone(),
            attributes: attributes.to_vec(),
            normalisation: network.normalisation(),
            progress: Progress::default(),
            metadata: BTreeMap::new(),
            tensors: network.named_tensors().into_iter().map(copy).collect::<Result<_>>()?,
            optimiser: None,
        })
    }

    /// The network.
    ///
    /// # Errors
    /// [`Error::Tensors`] when the tensors are not those of the architecture.
    pub fn network(&self, device: &Device) -> Result<Network> {
        let tensors = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .collect();
        let network = Network::from_tensors(&self.architecture, self.attributes.len(), tensors, device)?;
        Ok(network.with_normalisation(self.normalisation))
    }

    /// The same features under another head: what a derived classifier is.
    ///
    /// # Errors
    /// [`Error::Shape`] when the head is not of the same channels and attributes.
    pub fn with_head(mut self, head: &Head) -> Result<Self> {
        for (name, tensor) in [(HEAD[0], &head.weight), (HEAD[1], &head.bias)] {
            let own = self
                .tensors
                .get(name)
                .map(|own| own.dims().to_vec())
                .unwrap_or_default();
            if own != tensor.dims() {
                return Err(Error::Shape {
                    what: "head",
                    found: tensor.dims().to_vec(),
                    expected: format!("{own:?}, as `{name}` of the network"),
                });
            }
            let copy = tensor.to_device(&Device::Cpu)?.copy()?;
            self.tensors.insert(name.to_owned(), copy);
        }
        Ok(self)
    }

    /// Checks that the checkpoint is of this architecture and these attributes.
    ///
    /// # Errors
    /// [`Error::OtherArchitecture`] or [`Error::OtherAttributes`].
    pub fn require(&self, architecture: &Architecture, attributes: &[String]) -> Result<()> {
        if self.architecture != *architecture {
            return Err(Error::OtherArchitecture {
                found: self.architecture.to_string(),
                expected: architecture.to_string(),
            });
        }
        if self.attributes.len() != attributes.len() {
            let (found, expected) = (self.attributes.len(), attributes.len());
            return Err(Error::OtherAttributes(format!("it has {found}, expected {expected}")));
        }
        let differing = self
            .attributes
            .iter()
            .zip(attributes)
            .enumerate()
            .find(|(_, (a, b))| a != b);
        match differing {
            Some((i, (found, expected))) => Err(Error::OtherAttributes(format!(
                "output {i} is {found}, expected {expected}"
            ))),
            None => Ok(()),
        }
    }

    /// The bytes of a safetensors file. The same state gives the same bytes.
    ///
    /// # Errors
    /// When a tensor is not float32.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let description = Description {
            version: VERSION,
            architecture: self.architecture.clone(),
            attributes: self.attributes.clone(),
            normalisation: self.normalisation,
            progress: self.progress,
            optimiser_steps: self.optimiser.as_ref().map(|state| state.steps),
            metadata: self.metadata.clone(),
        };
        let json = serde_json::to_string(&description).map_err(|error| Error::NotACheckpoint(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            tensors.insert(name.clone(), Bytes::of(tensor)?);
        }
        for (name, tensor) in self.optimiser.iter().flat_map(|state| &state.tensors) {
            tensors.insert(format!("{OPTIMISER}{name}"), Bytes::of(tensor)?);
        }
        // One entry only: the header's entries are in no particular order.
        let header = HashMap::from([(KEY.to_owned(), json)]);
        safetensors::serialize(tensors, Some(header)).map_err(|error| Error::NotACheckpoint(error.to_string()))
    }

    /// Whether a file says of itself that it is one: otherwise it may be weights that another program wrote.
    pub fn is_in(bytes: &[u8]) -> bool {
        let header = check_header(bytes)
            .ok()
            .and_then(|()| SafeTensors::read_metadata(bytes).ok());
        let entries = header.and_then(|(_, header)| header.metadata().clone());
        entries.is_some_and(|entries| entries.contains_key(KEY))
    }

    /// The checkpoint in the bytes of a file.
    ///
    /// # Errors
    /// [`Error::NotACheckpoint`] when they are not what [`Checkpoint::to_bytes`] writes. For plain weights see
    /// [`tensors_from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        check_header(bytes)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(not_safetensors)?;
        let json = header.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let json = json.ok_or_else(|| {
            Error::NotACheckpoint(format!(
                "safetensors without an entry `{KEY}` in its header: plain weights?"
            ))
        })?;
        let description: Description =
            serde_json::from_str(json).map_err(|error| Error::NotACheckpoint(format!("its description: {error}")))?;
        if description.version != VERSION {
            let found = description.version;
            return Err(Error::NotACheckpoint(format!(
                "version {found}, this program reads version {VERSION}"
            )));
        }
        let (mut tensors, mut memory) = (BTreeMap::new(), BTreeMap::new());
        for (name, tensor) in tensors_from_bytes(bytes)? {
            match name.strip_prefix(OPTIMISER) {
                Some(name) => memory.insert(name.to_owned(), tensor),
                None => tensors.insert(name, tensor),
            };
        }
        Ok(Self {
            architecture: description.architecture,
            attributes: description.attributes,
            normalisation: description.normalisation,
            progress: description.progress,
            metadata: description.metadata,
            tensors,
            optimiser: description
                .optimiser_steps
                .map(|steps| OptimiserState { steps, tensors: memory }),
        })
    }
}

/// All tensors in the bytes of any safetensors file, on the CPU: for weights that other programs wrote.
///
/// # Errors
/// [`Error::NotACheckpoint`] when the bytes are not a whole safetensors file.
pub fn tensors_from_bytes(bytes: &[u8]) -> Result<HashMap<String, Tensor>> {
    check_header(bytes)?;
    SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
    Ok(candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?)
}

/// Bytes of the longest header that is read: that of a network of a hundred thousand tensors. To read one takes ten times its bytes.
const LONGEST_HEADER: u64 = 8 << 20;

/// Refuses a header that would take long and much memory to read.
///
/// # Errors
/// [`Error::NotACheckpoint`], with the limit.
pub fn check_header(bytes: &[u8]) -> Result<()> {
    let length = bytes.first_chunk().map_or(0, |&length| u64::from_le_bytes(length));
    match length > LONGEST_HEADER {
        true => Err(not_safetensors(format_args!(
            "a header of {length} bytes, at most {LONGEST_HEADER} are read"
        ))),
        false => Ok(()),
    }
}

fn not_safetensors(error: impl std::fmt::Display) -> Error {
    Error::NotACheckpoint(format!("not a whole safetensors file ({error})"))
}

/// A float32 tensor as little-endian bytes.
struct Bytes {
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Bytes {
    fn of(tensor: &Tensor) -> Result<Self> {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        Ok(Self {
            shape: tensor.dims().to_vec(),
            data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
        })
    }
}

impl View for Bytes {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, Stage};

    fn network(seed: u64) -> Network {
        let mut architecture = Architecture::preset("resnet18").unwrap().with_width(4);
        architecture.stages.truncate(2);
        Network::new(&architecture, 2, seed, &Device::Cpu).unwrap()
    }

    fn names() -> Vec<String> {
        vec!["Bald".to_owned(), "Young".to_owned()]
    }

    #[test]
    fn what_is_written_is_read() {
        let normalisation = InputNormalisation {
            mean: [0.4, 0.5, 0.6],
            deviation: [0.2, 0.3, 0.4],
        };
        let network = network(1).with_normalisation(Some(normalisation));
        let mut checkpoint = Checkpoint::of(&network, &names()).unwrap();
        checkpoint.progress = Progress {
            epoch: 2,
            batch: 3,
            step: 103,
        };
        checkpoint.metadata.insert("seed".to_owned(), "1".to_owned());
        let bytes = checkpoint.to_bytes().unwrap();
        assert_eq!(bytes, checkpoint.to_bytes().unwrap(), "same state, same bytes");

        let read = Checkpoint::from_bytes(&bytes).unwrap();
        assert_eq!(
            (read.progress, &read.metadata),
            (checkpoint.progress, &checkpoint.metadata)
        );
        assert!(read.optimiser.is_none());
        assert_eq!(bytes, read.to_bytes().unwrap());
        let images = Tensor::rand(0.0_f32, 1.0, (2, 3, 16, 16), &Device::Cpu).unwrap();
        let logits = |network: &Network| {
            network
                .forward(&images, Mode::Eval)
                .unwrap()
                .logits
                .to_vec2::<f32>()
                .unwrap()
        };
        assert_eq!(logits(&read.network(&Device::Cpu).unwrap()), logits(&network));
    }

    #[test]
    fn a_copy_does_not_change_with_the_network() {
        let network = network(1);
        let checkpoint = Checkpoint::of(&network, &names()).unwrap();
        let before = checkpoint.to_bytes().unwrap();
        network
            .forward(
                &Tensor::ones((2, 3, 16, 16), candle_core::DType::F32, &Device::Cpu).unwrap(),
                Mode::Train,
            )
            .unwrap();
        assert_eq!(before, checkpoint.to_bytes().unwrap());
        assert_ne!(before, Checkpoint::of(&network, &names()).unwrap().to_bytes().unwrap());
    }

    #[test]
    fn another_architecture_and_other_attributes_are_refused() {
        let checkpoint = Checkpoint::of(&network(1), &names()).unwrap();
        let mut other = checkpoint.architecture.clone();
        checkpoint.require(&other, &names()).unwrap();
        other.stages.push(Stage {
            width: 8,
            blocks: 1,
            stride: 2,
            kernel: 1,
            entry_kernel: Some(3),
        });
        let message = checkpoint.require(&other, &names()).unwrap_err().to_string();
        assert_eq!(
            message,
            "checkpoint of another architecture: it holds basic blocks, stem 7x7/2, max pooling, stages \
             2x4(3x3/1, 3x3) 2x8(3x3/2, 3x3), expected basic blocks, stem 7x7/2, max pooling, stages \
             2x4(3x3/1, 3x3) 2x8(3x3/2, 3x3) 1x8(3x3/2, 1x1)"
        );
        let mut swapped = names();
        swapped.reverse();
        let message = checkpoint
            .require(&checkpoint.architecture, &swapped)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "checkpoint of other attributes: output 0 is Bald, expected Young"
        );
        let message = checkpoint
            .require(&checkpoint.architecture, &names()[..1])
            .unwrap_err()
            .to_string();
        assert_eq!(message, "checkpoint of other attributes: it has 2, expected 1");
    }

    #[test]
    fn wrong_tensors_are_listed() {
        let mut checkpoint = Checkpoint::of(&network(1), &names()).unwrap();
        let bias = checkpoint.tensors.remove("fc.bias").unwrap();
        checkpoint.tensors.insert("fc.bais".to_owned(), bias.clone());
        checkpoint.tensors.insert("bn1.weight".to_owned(), bias);
        let message = checkpoint.network(&Device::Cpu).unwrap_err().to_string();
        assert_eq!(
            message,
            "the tensors are not those of this network: 1 missing (fc.bias); 1 unknown (fc.bais); \
             1 wrong shape (bn1.weight [2] for [4])"
        );
    }

    #[test]
    fn a_header_that_declares_terabytes_is_refused_without_them() {
        let mut checkpoint = Checkpoint::of(&network(1), &names()).unwrap();
        for stage in &mut checkpoint.architecture.stages {
            (stage.width, stage.blocks) = (8192, 256);
        }
        let read = Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap();
        let message = read.network(&Device::Cpu).unwrap_err().to_string();
        assert!(
            message.contains("wrong shape (conv1.weight [4, 3, 7, 7] for [8192, 3, 7, 7]"),
            "{message}"
        );
    }

    #[test]
    fn broken_files_are_refused() {
        let bytes = Checkpoint::of(&network(1), &names()).unwrap().to_bytes().unwrap();
        for broken in [
            &bytes[..0],
            &bytes[..7],
            &bytes[..bytes.len() / 2],
            &bytes[..bytes.len() - 1],
            b"not a file",
        ] {
            let error = Checkpoint::from_bytes(broken).unwrap_err();
            assert!(matches!(error, Error::NotACheckpoint(_)), "{error}");
        }
        let plain = safetensors::serialize(
            [(
                "x",
                Bytes {
                    shape: vec![0],
                    data: vec![],
                },
            )],
            None,
        )
        .unwrap();
        assert!(
            Checkpoint::from_bytes(&plain)
                .unwrap_err()
                .to_string()
                .contains("plain weights?")
        );
        assert_eq!(tensors_from_bytes(&plain).unwrap().len(), 1);
    }
}
