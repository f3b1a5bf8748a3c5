//! The residual network: images in, features and logits out.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use kernels::Tape;

use super::input::InputNormalisation;
use super::layers::{self, Linear};
use super::linearisation::{Linearisation, Stem};
use super::parameters::{Changes, Parameters};
use super::pass::{Mode, Pass};
use super::residual::{Residual, run_stage};
use super::unit::Unit;
use crate::{Architecture, Error, Result};

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

/// A residual network with global average pooling and a linear head, one output per attribute.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    normalisation: Option<InputNormalisation>,
    stem: Unit,
    stages: Vec<Vec<Residual>>,
    head: Linear,
    parameters: Vec<(String, Var)>,
    statistics: Vec<(String, Var)>,
    changes: Arc<Changes>,
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
        architecture.validate()?;
        let mut fresh = Parameters::random(seed, device);
        Linear::new(&mut fresh, "fc", architecture.features(), outputs)?;
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
        let stem_layer = Unit::new(all, ["conv1", "bn1"], [3, channels], stem.kernel, stem.stride)?;
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
            changes: parameters.changes,
        })
    }

    /// The same network with a normalisation of its input, or without.
    #[must_use]
    pub fn with_normalisation(mut self, normalisation: Option<InputNormalisation>) -> Self {
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
        self.inside_pool(|| {
            let x = self.run_body(images, mode.into())?;
            self.run_head(&x, mode)
        })
    }

    /// Does a pass where its kernels start quickest.
    pub(crate) fn inside_pool<T: Send>(&self, pass: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match self.device().is_cpu() {
            // As in a training step, a pass that starts inside the pool saves a hand-over for every kernel.
            true => rayon::scope(|_| pass()),
            // Each thread would make handles and plans of its own.
            false => pass(),
        }
    }

    /// The features' means `[N, C]` in training, float32, with the operations on a tape.
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

    pub(crate) fn stage_index(&self, layer: &str) -> Result<usize> {
        let known = self.architecture.layers();
        let wanted = Architecture::stage_name(layer);
        let position = known.iter().position(|name| *name == wanted);
        position.ok_or_else(|| Error::UnknownLayer {
            name: layer.to_owned(),
            known,
        })
    }

    fn run_stem(&self, images: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        let x = pass.images(channels_last(&self.normalise(images)?)?)?;
        let x = self.stem.forward(&x, None, true, pass)?;
        if self.architecture.stem.max_pool {
            layers::stem_pool(&x, pass)
        } else {
            Ok(x)
        }
    }

    /// The layers before the first stage, evaluated at normalised images `[N, S, S, 3]`.
    pub(crate) fn stem_at(&self, input: &Tensor) -> Result<Stem<'_>> {
        Stem::new(&self.stem, self.architecture.stem.max_pool, input)
    }

    /// Stages, evaluated at the activations `[N, h, w, C]` before the first of them.
    pub(crate) fn stages_at(&self, stages: Range<usize>, activations: &Tensor) -> Result<Linearisation<'_>> {
        Linearisation::new(&self.stages[stages], activations)
    }

    /// Number of stages.
    pub(crate) fn stage_count(&self) -> usize {
        self.stages.len()
    }

    /// Images `[N, 3, S, S]` as the first convolution sees them: in units of the fixed normalisation, if the network has one. A view of
    /// channels-last memory.
    ///
    /// # Errors
    /// [`Error::Shape`] like [`Network::forward`].
    pub fn normalise(&self, images: &Tensor) -> Result<Tensor> {
        let fits = matches!(*images.dims(), [n, 3, h, w] if n * h * w > 0) && images.dtype() == DType::F32;
        if !fits {
            return Err(Error::Shape {
                what: "images",
                found: images.dims().to_vec(),
                expected: "[N, 3, S, S] float32, not empty".to_owned(),
            });
        }
        let x = channels_last(images)?;
        let Some(InputNormalisation { mean, deviation }) = self.normalisation else {
            return Ok(channels_first(&x)?);
        };
        let scale = deviation.map(f32::recip);
        let shift = [0, 1, 2].map(|c| -mean[c] * scale[c]);
        let (scale, shift) = (Tensor::new(&scale, x.device())?, Tensor::new(&shift, x.device())?);
        Ok(channels_first(&kernels::affine(&x, &scale, &shift, None, false)?)?)
    }

    pub(crate) fn run_head(&self, x: &Tensor, mode: Mode) -> Result<Output> {
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
    pub fn normalisation(&self) -> Option<InputNormalisation> {
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
    ///
    /// They are the network's own: what is done to them shows in its next pass. Because nothing tells when that is, evaluation
    /// from now on prepares the weights in every pass, and not once.
    pub fn named_parameters(&self) -> &[(String, Var)] {
        self.changes.expect_any();
        &self.parameters
    }

    /// As [`Network::named_parameters`], for those who say [`Network::note_change`].
    pub(crate) fn variables(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// Parameters have been given other values.
    pub(crate) fn note_change(&self) {
        self.changes.note();
    }

    /// Parameters and running statistics under torchvision's names. They share memory with the network: training goes on
    /// to change them.
    pub fn named_tensors(&self) -> HashMap<String, Tensor> {
        let all = self.parameters.iter().chain(&self.statistics);
        all.map(|(name, var)| (name.clone(), var.as_detached_tensor()))
            .collect()
    }
}

pub(crate) fn channels_last(x: &Tensor) -> candle_core::Result<Tensor> {
    x.permute((0, 2, 3, 1))?.contiguous()
}

pub(crate) fn channels_first(x: &Tensor) -> candle_core::Result<Tensor> {
    x.permute((0, 3, 1, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, Stage, Stem};
    use candle_core::Var;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn images(side: usize) -> Tensor {
        let count = 2 * 3 * side * side;
        let ramp = Tensor::arange(0.0_f32, count as f32, &Device::Cpu).unwrap();
        ((ramp * 0.37)
            .unwrap()
            .sin()
            .unwrap()
            .reshape((2, 3, side, side))
            .unwrap()
            * 0.5)
            .unwrap()
            .affine(1.0, 0.5)
            .unwrap()
    }

    /// Two stages of one block, the second with 1 x 1 kernels behind a strided 3 x 3.
    fn small(block: Block) -> Architecture {
        let stage = |width, stride, kernel| Stage {
            width,
            blocks: 1,
            stride,
            kernel,
            entry_kernel: (kernel == 1).then_some(3),
        };
        Architecture {
            block,
            stem: Stem {
                kernel: 3,
                stride: 2,
                max_pool: false,
            },
            stages: vec![stage(4, 1, 3), stage(6, 2, 1)],
        }
    }

    /// `sum(p.numel() for p in torchvision.models.resnet18().parameters())` and so on, with 1,000 outputs.
    #[test]
    fn presets_have_torchvisions_parameters() {
        for (name, parameters, tensors) in [("resnet18", 11_689_512, 102), ("resnet50", 25_557_032, 267)] {
            let architecture = Architecture::preset(name).unwrap();
            let network = Network::new(&architecture, 1000, 1, &Device::Cpu).unwrap();
            let count: usize = network.named_parameters().iter().map(|(_, var)| var.elem_count()).sum();
            assert_eq!((count, network.named_tensors().len()), (parameters, tensors), "{name}");
        }
    }

    #[test]
    fn bottlenecks_have_torchvisions_names_and_shapes() {
        let network = Network::new(&small(Block::Bottleneck), 5, 1, &Device::Cpu).unwrap();
        let tensors = network.named_tensors();
        let shape = |name: &str| tensors[name].dims().to_vec();
        assert_eq!(shape("conv1.weight"), [4, 3, 3, 3]);
        assert_eq!(shape("layer1.0.conv3.weight"), [16, 4, 1, 1]);
        assert_eq!(shape("layer1.0.downsample.0.weight"), [16, 4, 1, 1]);
        assert_eq!(shape("layer2.0.conv1.weight"), [6, 16, 1, 1]);
        assert_eq!(shape("layer2.0.conv2.weight"), [6, 6, 3, 3]);
        assert_eq!(shape("layer2.0.downsample.1.running_var"), [24]);
        assert_eq!(shape("fc.weight"), [5, 24]);
        let output = network.forward(&images(16), Mode::Eval).unwrap();
        assert_eq!(output.features.dims(), [2, 24, 4, 4]);
        assert_eq!(output.logits.dims(), [2, 5]);
    }

    #[test]
    fn the_same_seed_gives_the_same_network() {
        let weights = |seed| {
            let network = Network::new(&small(Block::Basic), 2, seed, &Device::Cpu).unwrap();
            let parameters = network.named_parameters();
            parameters.iter().flat_map(|(_, var)| values(var)).collect::<Vec<_>>()
        };
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
    }

    #[test]
    fn normalisation_is_that_of_the_images() {
        let network = Network::new(&small(Block::Basic), 2, 1, &Device::Cpu).unwrap();
        let mean = Tensor::new(&[0.4_f32, 0.5, 0.6], &Device::Cpu)
            .unwrap()
            .reshape((1, 3, 1, 1))
            .unwrap();
        let by_hand = (images(8).broadcast_sub(&mean).unwrap() / 0.25).unwrap();
        let expected = values(&network.forward(&by_hand, Mode::Eval).unwrap().logits);
        let network = network.with_normalisation(Some(InputNormalisation {
            mean: [0.4, 0.5, 0.6],
            deviation: [0.25; 3],
        }));
        for (found, expected) in values(&network.forward(&images(8), Mode::Eval).unwrap().logits)
            .iter()
            .zip(expected)
        {
            approx::assert_relative_eq!(*found, expected, epsilon = 1e-4, max_relative = 1e-4);
        }
    }

    #[test]
    fn a_backbone_gets_a_fresh_head() {
        let trained = Network::new(&small(Block::Basic), 7, 1, &Device::Cpu).unwrap();
        let network =
            Network::from_backbone(&small(Block::Basic), 2, trained.named_tensors(), 5, &Device::Cpu).unwrap();
        assert_eq!(network.outputs(), 2);
        let features = |network: &Network| values(&network.forward(&images(8), Mode::Eval).unwrap().features);
        assert_eq!(features(&network), features(&trained));
        let mut tensors = trained.named_tensors();
        tensors.insert(
            "bn1.num_batches_tracked".to_owned(),
            Tensor::new(3_i64, &Device::Cpu).unwrap(),
        );
        Network::from_tensors(&small(Block::Basic), 7, tensors, &Device::Cpu).unwrap();
    }

    #[test]
    fn evaluation_can_be_differentiated_by_its_input() {
        let network = Network::new(&small(Block::Basic), 2, 1, &Device::Cpu).unwrap();
        let features = Var::from_tensor(&network.activations(&images(8), "layer2", Mode::Eval).unwrap()).unwrap();
        let logits = network.forward_from("layer2", &features, Mode::Eval).unwrap().logits;
        let gradients = logits.narrow(1, 1, 1).unwrap().sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&features).unwrap();
        let weights = values(&network.head().weight.get(1).unwrap());
        let positions = (features.dims()[2] * features.dims()[3]) as f32;
        for (channel, weight) in weights.into_iter().enumerate() {
            for found in values(&gradient.narrow(1, channel, 1).unwrap()) {
                approx::assert_relative_eq!(found, weight / positions, epsilon = 1e-7);
            }
        }
        let images = Var::from_tensor(&images(8)).unwrap();
        let loss = network.forward(&images, Mode::Eval).unwrap().logits.sum_all().unwrap();
        assert!(loss.backward().unwrap().get(&images).is_some());
    }

    #[test]
    fn images_of_another_shape_are_refused() {
        let network = Network::new(&small(Block::Basic), 2, 1, &Device::Cpu).unwrap();
        for shape in [&[2, 8, 8, 3][..], &[3, 8, 8], &[0, 3, 8, 8]] {
            let wrong = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
            assert!(
                matches!(
                    network.forward(&wrong, Mode::Eval),
                    Err(Error::Shape { what: "images", .. })
                ),
                "{shape:?}"
            );
        }
        assert!(Network::new(&small(Block::Basic), 0, 1, &Device::Cpu).is_err());
    }
}
