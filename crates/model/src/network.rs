//! The residual network: images in, features and logits out.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use crate::architecture::{Block, Stage};
use crate::layers::{self, BatchNorm, Convolution, Linear};
use crate::parameters::Parameters;
use crate::tape::{Pass, Tape};
use crate::{Architecture, Error, Result};

/// Whether batch norm takes the batch's statistics or the running ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, which also move the running ones; gradients reach the parameters.
    Train,
    /// Running statistics; the parameters are constants, so that nothing is kept for a backward pass. Gradients still
    /// reach the input when it is a [`Var`].
    Eval,
}

impl Mode {
    /// The parameter as a variable, or as a constant.
    pub(crate) fn weight(self, var: &Var) -> Tensor {
        match self {
            Self::Train => var.as_tensor().clone(),
            Self::Eval => var.as_detached_tensor(),
        }
    }
}

/// What a network computes from images.
#[derive(Debug, Clone)]
pub struct Output {
    /// `[N, C, h, w]`: the last stage's output after its ReLU, >= 0, a view of channels-last memory.
    pub features: Tensor,
    /// `[N, A]`: one score per attribute, positive (or 0) for the positive class.
    pub logits: Tensor,
}

/// The linear layer after the global average pooling: logits = weight mean(features) + bias.
#[derive(Debug, Clone)]
pub struct Head {
    /// `[A, C]`.
    pub weight: Tensor,
    /// `[A]`.
    pub bias: Tensor,
}

/// Fixed normalisation of the input: (x - mean) / deviation per colour channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Of red, green and blue, in units of the images' values.
    pub mean: [f32; 3],
    /// Of red, green and blue, > 0.
    pub deviation: [f32; 3],
}

/// A residual network with global average pooling and a linear head, one output per attribute.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    normalisation: Option<Normalisation>,
    stem: (Convolution, BatchNorm),
    stages: Vec<Vec<Residual>>,
    head: Linear,
    parameters: Vec<(String, Var)>,
    statistics: Vec<(String, Var)>,
}

/// A residual block: convolutions with batch norm, and the way around them.
#[derive(Debug)]
struct Residual {
    layers: Vec<(Convolution, BatchNorm)>,
    downsample: Option<(Convolution, BatchNorm)>,
}

impl Network {
    /// A network with random weights: torchvision's initial values, the same for the same seed.
    ///
    /// Convolutions are normal with variance 2 / (Cout kh kw), batch norms 1 and 0, and the head uniform in ±1/sqrt(C).
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid architecture or no outputs.
    pub fn new(architecture: &Architecture, outputs: usize, seed: u64, device: &Device) -> Result<Self> {
        Self::build(architecture, outputs, Parameters::random(seed, device))
    }

    /// A network with the given weights and running statistics, under torchvision's names (`num_batches_tracked` is
    /// ignored). The tensors are copied and converted to float32.
    ///
    /// # Errors
    /// [`Error::Tensors`] lists all missing and unknown names and all wrong shapes.
    pub fn from_tensors(
        architecture: &Architecture,
        outputs: usize,
        tensors: HashMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self> {
        Self::build(architecture, outputs, Parameters::given(tensors, device))
    }

    /// A network with the given weights but a fresh head for `outputs` attributes: the start of fine-tuning. A head
    /// (`fc.weight`, `fc.bias`) among the tensors is ignored.
    ///
    /// # Errors
    /// Like [`Network::from_tensors`].
    pub fn from_backbone(
        architecture: &Architecture,
        outputs: usize,
        mut tensors: HashMap<String, Tensor>,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let mut fresh = Parameters::random(seed, device);
        Linear::new(&mut fresh, "fc", architecture.features().max(1), outputs)?;
        tensors.extend(fresh.trained.into_iter().map(|(name, var)| (name, var.into_inner())));
        Self::from_tensors(architecture, outputs, tensors, device)
    }

    fn build(architecture: &Architecture, outputs: usize, mut parameters: Parameters) -> Result<Self> {
        architecture.validate()?;
        if outputs == 0 {
            return Err(Error::setting("outputs", outputs, "at least 1"));
        }
        let all = &mut parameters;
        let stem = &architecture.stem;
        let mut channels = architecture.stages[0].width;
        let stem_layer = layer(all, ["conv1", "bn1"], [3, channels], stem.kernel, stem.stride)?;
        let mut stages = Vec::new();
        for (i, stage) in architecture.stages.iter().enumerate() {
            let mut blocks = Vec::new();
            for j in 0..stage.blocks {
                let name = format!("layer{}.{j}", i + 1);
                blocks.push(Residual::new(all, &name, architecture.block, stage, j == 0, channels)?);
                channels = stage.width * architecture.block.expansion();
            }
            stages.push(blocks);
        }
        let head = Linear::new(all, "fc", channels, outputs)?;
        parameters.finish()?;
        Ok(Self {
            architecture: architecture.clone(),
            normalisation: None,
            stem: stem_layer,
            stages,
            head,
            parameters: parameters.trained,
            statistics: parameters.statistics,
        })
    }

    /// The same network with a normalisation of its input, or without.
    #[must_use]
    pub fn with_normalisation(mut self, normalisation: Option<Normalisation>) -> Self {
        self.normalisation = normalisation;
        self
    }

    /// Features and logits of images `[N, 3, S, S]`, float32 in [0, 1] (or as the network was trained).
    ///
    /// Images that are a view `[N, 3, S, S]` of channels-last memory are not copied.
    ///
    /// # Errors
    /// [`Error::Shape`] for anything but `[N, 3, H, W]`.
    pub fn forward(&self, images: &Tensor, mode: Mode) -> Result<Output> {
        let x = self.run_body(images, mode.into())?;
        self.run_head(&x, mode)
    }

    /// The features' means `[N, C]` in training, with the operations on a tape; on the CPU only.
    pub(crate) fn pooled(&self, images: &Tensor, tape: &Tape) -> Result<Tensor> {
        let pass = Pass {
            mode: Mode::Train,
            tape: Some(tape),
        };
        layers::global_average_pool(&self.run_body(images, pass)?, pass)
    }

    /// Logits `[N, A]` in training, from the features' means.
    pub(crate) fn logits_of_pooled(&self, pooled: &Tensor) -> Result<Tensor> {
        self.head.forward(pooled, Mode::Train)
    }

    fn run_body(&self, images: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        let stem = self.run_stem(images, pass)?;
        self.stages.iter().try_fold(stem, |x, stage| run_stage(stage, x, pass))
    }

    /// Output of a stage, `[N, C, h, w]`, by its name (`layer1` for the first).
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] for any other name, [`Error::Shape`] like [`Network::forward`].
    pub fn activations(&self, images: &Tensor, layer: &str, mode: Mode) -> Result<Tensor> {
        let last = self.stage_index(layer)?;
        let mut x = self.run_stem(images, mode.into())?;
        for stage in &self.stages[..=last] {
            x = run_stage(stage, x, mode.into())?;
        }
        Ok(channels_first(&x)?)
    }

    /// What the network makes of activations `[N, C, h, w]` of a stage: `forward_from(l, activations(x, l))` is
    /// `forward(x)`. With a [`Var`] as activations the result can be differentiated by them.
    ///
    /// # Errors
    /// Like [`Network::activations`].
    pub fn forward_from(&self, layer: &str, activations: &Tensor, mode: Mode) -> Result<Output> {
        let from = self.stage_index(layer)?;
        let mut x = channels_last(activations)?;
        for stage in &self.stages[from + 1..] {
            x = run_stage(stage, x, mode.into())?;
        }
        self.run_head(&x, mode)
    }

    fn stage_index(&self, layer: &str) -> Result<usize> {
        let known = self.architecture.layers();
        let position = known.iter().position(|name| name == layer);
        position.ok_or_else(|| Error::UnknownLayer {
            name: layer.to_owned(),
            known,
        })
    }

    fn run_stem(&self, images: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        let fits = matches!(*images.dims(), [n, 3, h, w] if n * h * w > 0) && images.dtype() == DType::F32;
        if !fits {
            return Err(Error::Shape {
                what: "images",
                found: images.dims().to_vec(),
                expected: "[N, 3, S, S] float32, not empty".to_owned(),
            });
        }
        let mut x = channels_last(images)?;
        if let Some(Normalisation { mean, deviation }) = &self.normalisation {
            let mean = Tensor::new(mean, x.device())?;
            let deviation = Tensor::new(deviation, x.device())?;
            x = x.broadcast_sub(&mean)?.broadcast_div(&deviation)?;
        }
        let (convolution, norm) = &self.stem;
        let x = norm.forward(&convolution.forward(&x, pass)?, None, true, pass)?;
        if self.architecture.stem.max_pool {
            layers::stem_pool(&x, pass)
        } else {
            Ok(x)
        }
    }

    fn run_head(&self, x: &Tensor, mode: Mode) -> Result<Output> {
        let logits = self.head.forward(&layers::global_average_pool(x, mode.into())?, mode)?;
        Ok(Output {
            features: channels_first(x)?,
            logits,
        })
    }

    /// The architecture.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Normalisation of the input.
    pub fn normalisation(&self) -> Option<Normalisation> {
        self.normalisation
    }

    /// Number of outputs, A.
    pub fn outputs(&self) -> usize {
        self.head.bias.elem_count()
    }

    /// Where the network's tensors are.
    pub fn device(&self) -> &Device {
        self.head.bias.device()
    }

    /// The linear layer, detached.
    pub fn head(&self) -> Head {
        Head {
            weight: self.head.weight.as_detached_tensor(),
            bias: self.head.bias.as_detached_tensor(),
        }
    }

    /// The trained parameters in the order of computation, under torchvision's names.
    pub fn named_parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// Parameters and running statistics under torchvision's names. They share memory with the network: training goes on
    /// to change them.
    pub fn named_tensors(&self) -> HashMap<String, Tensor> {
        let all = self.parameters.iter().chain(&self.statistics);
        all.map(|(name, var)| (name.clone(), var.as_detached_tensor()))
            .collect()
    }
}

impl Residual {
    fn new(
        parameters: &mut Parameters,
        name: &str,
        block: Block,
        stage: &Stage,
        first: bool,
        inputs: usize,
    ) -> Result<Self> {
        let (width, outputs) = (stage.width, stage.width * block.expansion());
        let (stride, kernel) = if first {
            (stage.stride, stage.entry_kernel.unwrap_or(stage.kernel))
        } else {
            (1, stage.kernel)
        };
        // Inputs, outputs, kernel and stride of each convolution.
        let convolutions = match block {
            Block::Basic => vec![([inputs, width], kernel, stride), ([width, width], stage.kernel, 1)],
            Block::Bottleneck => {
                vec![
                    ([inputs, width], 1, 1),
                    ([width, width], kernel, stride),
                    ([width, outputs], 1, 1),
                ]
            }
        };
        let mut layers = Vec::new();
        for (i, (channels, kernel, stride)) in convolutions.into_iter().enumerate() {
            let names = [format!("{name}.conv{}", i + 1), format!("{name}.bn{}", i + 1)];
            layers.push(layer(
                parameters,
                names.each_ref().map(String::as_str),
                channels,
                kernel,
                stride,
            )?);
        }
        let downsample = if stride != 1 || inputs != outputs {
            let names = [format!("{name}.downsample.0"), format!("{name}.downsample.1")];
            Some(layer(
                parameters,
                names.each_ref().map(String::as_str),
                [inputs, outputs],
                1,
                stride,
            )?)
        } else {
            None
        };
        Ok(Self { layers, downsample })
    }

    fn forward(&self, x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        let around = match &self.downsample {
            Some((convolution, norm)) => norm.forward(&convolution.forward(x, pass)?, None, false, pass)?,
            None => x.clone(),
        };
        let mut y = x.clone();
        for (i, (convolution, norm)) in self.layers.iter().enumerate() {
            let residual = (i + 1 == self.layers.len()).then_some(&around);
            y = norm.forward(&convolution.forward(&y, pass)?, residual, true, pass)?;
        }
        Ok(y)
    }
}

/// A convolution followed by batch norm.
fn layer(
    parameters: &mut Parameters,
    [convolution, norm]: [&str; 2],
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
) -> Result<(Convolution, BatchNorm)> {
    let convolution = Convolution::new(parameters, convolution, channels, kernel, stride)?;
    Ok((convolution, BatchNorm::new(parameters, norm, channels[1])?))
}

fn run_stage(stage: &[Residual], x: Tensor, pass: Pass<'_>) -> Result<Tensor> {
    stage.iter().try_fold(x, |x, block| block.forward(&x, pass))
}

fn channels_last(x: &Tensor) -> candle_core::Result<Tensor> {
    x.permute((0, 2, 3, 1))?.contiguous()
}

fn channels_first(x: &Tensor) -> candle_core::Result<Tensor> {
    x.permute((0, 3, 1, 2))
}
