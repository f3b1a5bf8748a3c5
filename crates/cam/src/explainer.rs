//! All methods behind one door.

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::explainable::{Layer, Objective};
use crate::methods::closed_form::{centred_maps, formula, raw_maps_with};
use crate::methods::masking::{masked_images, to_vec};
use crate::methods::point::{Gradient, Point};
use crate::methods::rise::Saliency;
use crate::methods::{ablation_cam, fame, fem, full_grad, refine_cam, score_cam};
use crate::{Cost, Error, Explainable, ExplainerConfig, Head, Maps, Method, Output, PostProcessing, Result, Target};

/// Rows of a batch of forward or backward passes: what bounds the memory.
const ROWS: usize = 64;

/// Images explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The network's output, of all attributes.
    pub output: Output,
    /// Raw maps of the chosen attributes, in their order.
    pub maps: Maps,
}

/// Makes the maps of any method from images.
///
/// ```
/// use cam::{Explainer, ExplainerConfig, Method};
/// use candle_core::{Device, Tensor};
/// use model::{Architecture, Network};
///
/// let architecture = Architecture::preset("resnet18")?.with_width(4);
/// let network = Network::new(&architecture, 3, 1, &Device::Cpu)?;
/// let images = Tensor::rand(0_f32, 1.0, (2, 3, 64, 64), &Device::Cpu)?;
/// let config = ExplainerConfig { method: Method::LayerCam, layer: Some("stage3".to_owned()), ..Default::default() };
/// let explainer = Explainer::new(&network, config)?;
/// let explained = explainer.explain(&images, &[2, 0], None)?;
/// assert_eq!((explained.maps.images, explained.maps.attributes, explained.maps.height), (2, 2, 4));
///
/// let mut map = vec![0.0; 64 * 64];
/// explainer.finalise(&explained.maps, 0, 1, &mut map)?; // of image 0 and attribute 0, the second chosen
/// assert!(map.iter().all(|value| (0.0..=1.0).contains(value)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Explainer<'a> {
    network: &'a dyn Explainable,
    config: ExplainerConfig,
    layer: Layer,
    is_last: bool,
}

impl<'a> Explainer<'a> {
    /// Checks that the layer exists, that the method is defined there, and the method's settings.
    ///
    /// # Errors
    /// Those of [`ExplainerConfig::layer_of`]; [`Error::NoReference`] for centred CAM without one; [`Error::NoLinearHead`] for CAM and
    /// centred CAM of a network without.
    pub fn new(network: &'a dyn Explainable, config: ExplainerConfig) -> Result<Self> {
        let layers = network.layers();
        let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
        let name = config.layer_of(&names)?;
        let method = config.method;
        if method == Method::CentredCam && config.reference.is_none() {
            return Err(Error::NoReference);
        }
        if matches!(method, Method::Cam | Method::CentredCam) && network.head().is_none() {
            return Err(Error::NoLinearHead { method: method.name() });
        }
        let is_last = names.last() == Some(&name);
        let channels = layers
            .iter()
            .find(|layer| layer.name == name)
            .map_or(0, |layer| layer.channels);
        Ok(Self {
            network,
            config,
            layer: Layer { name, channels },
            is_last,
        })
    }

    /// Raw maps of the chosen attributes on images `[N, 3, S, S]`; with `labels` `[N, K]`, +1 or -1 for each image and chosen
    /// attribute, where the target is [`Target::Label`](crate::Target::Label).
    ///
    /// Maps have the layer's resolution; those of FullGrad, RISE, FAME and RefineCAM that of the image. [`cost`](Self::cost) says how many passes
    /// that takes; the result is N K maps, so give as many images at a time as can be kept.
    ///
    /// # Errors
    /// [`Error::Network`] for images that the network does not take, [`Error::UnknownAttribute`], [`Error::NotFinite`],
    /// [`Error::NoLabel`], [`Error::Shape`] for labels of another number.
    pub fn explain(&self, images: &Tensor, attributes: &[usize], labels: Option<&[i8]>) -> Result<Explained> {
        self.check_attributes(attributes)?;
        let output = self.network.forward(images)?;
        let maps = self.maps(images, &output, attributes, labels)?;
        Ok(Explained { output, maps })
    }

    /// As [`explain`](Self::explain), from a forward pass that was made already: `output` is the network's for `images`.
    ///
    /// # Errors
    /// As [`explain`](Self::explain).
    pub fn maps(&self, images: &Tensor, output: &Output, attributes: &[usize], labels: Option<&[i8]>) -> Result<Maps> {
        self.check_attributes(attributes)?;
        if attributes.is_empty() {
            let (count, _, height, width) = output.features.dims4()?;
            return Maps::new(Vec::new(), [count, 0, height, width]);
        }
        let chosen = choose(output, attributes)?;
        let (method, target) = (self.config.method, self.config.target);
        if let Some(head) = self.head_that_suffices() {
            let head = head_of(&head, attributes)?;
            return match (method, &self.config.reference) {
                (Method::CentredCam, Some(reference)) => centred_maps(target, labels, &chosen, &head, reference),
                _ => raw_maps_with(method, target, labels, &chosen, &head),
            };
        }
        let logits = chosen.logits.flatten_all()?.to_vec1::<f32>()?;
        let signs = target.signs(&logits, labels, attributes.len())?;
        self.passes(images, output, attributes, &Scores { logits, signs })
    }

    /// What the maps of one image and so many attributes cost beside the image's own forward pass.
    pub fn cost(&self, attributes: usize) -> Cost {
        let layer = || self.layer.name.clone();
        match self.config.method {
            _ if self.head_that_suffices().is_some() => Cost::Free,
            Method::Fem => Cost::Free,
            Method::RefineCam => {
                let parts = self.parts().into_iter();
                let paid: Vec<String> = parts
                    .filter(|part| part.cost(1) != Cost::Free)
                    .map(|part| part.layer.name)
                    .collect();
                match paid.split_last() {
                    None => Cost::Free,
                    Some((last, [])) => Cost::BackwardBehind(attributes, last.clone()),
                    Some((last, others)) => {
                        let layers = format!("{} and {last}", others.join(", "));
                        Cost::BackwardBehind(attributes * paid.len(), layers)
                    }
                }
            }
            Method::FullGrad => Cost::Backward(attributes),
            Method::Rise => Cost::Forward(self.config.rise.masks),
            Method::Fame => Cost::Backward(self.config.fame.steps * attributes),
            Method::ScoreCam => Cost::Forward(self.layer.channels),
            Method::AblationCam => Cost::ForwardBehind(self.layer.channels, layer()),
            _ => Cost::BackwardBehind(attributes, layer()),
        }
    }

    /// RefineCAM's base method at each layer up to the target layer.
    fn parts(&self) -> Vec<Self> {
        let layers = self.network.layers();
        let last = layers.iter().position(|layer| *layer == self.layer).unwrap_or(0);
        let count = layers.len();
        let part = |(at, layer): (usize, Layer)| Self {
            network: self.network,
            config: ExplainerConfig {
                method: Method::GradCamPlusPlus,
                layer: Some(layer.name.clone()),
                reference: None,
                ..self.config.clone()
            },
            layer,
            is_last: at + 1 == count,
        };
        layers.into_iter().enumerate().take(last + 1).map(part).collect()
    }

    /// The head, where it and one forward pass are all that the maps take.
    fn head_that_suffices(&self) -> Option<Head> {
        let method = self.config.method;
        let suffices = method == Method::CentredCam || self.is_last && method.has_closed_form();
        self.network.head().filter(|_| suffices)
    }

    fn check_attributes(&self, attributes: &[usize]) -> Result<()> {
        let outputs = self.network.outputs();
        match attributes.iter().find(|&&attribute| attribute >= outputs) {
            Some(&attribute) => Err(Error::UnknownAttribute { attribute, outputs }),
            None => Ok(()),
        }
    }

    /// A raw map made ready to be shown and measured: `out` `[S, S]`, values in [0, 1]; see [`PostProcessing`], of which one of one's
    /// own saves working out the coefficients for each of many maps.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is no such map, or `out` is not a square, or not of the image's size where the method's maps
    /// are.
    pub fn finalise(&self, maps: &Maps, image: usize, attribute: usize, out: &mut [f32]) -> Result<()> {
        let size = out.len().isqrt();
        let fault = |what, found, expected: &str| Error::Shape {
            what,
            found,
            expected: expected.to_owned(),
        };
        if size * size != out.len() {
            return Err(fault("final map", vec![out.len()], "a square number of pixels"));
        }
        if image >= maps.images || attribute >= maps.attributes {
            let expected = format!("less than {} and {}", maps.images, maps.attributes);
            return Err(fault("image and attribute of a map", vec![image, attribute], &expected));
        }
        let post_processing =
            PostProcessing::new(self.config.method, self.config.resize, [maps.height, maps.width], size)?;
        post_processing.finalise(maps.map(image, attribute), out);
        Ok(())
    }

    /// The target layer's name.
    pub fn layer(&self) -> &str {
        &self.layer.name
    }

    /// Maps that cost more than the one forward pass.
    fn passes(&self, images: &Tensor, output: &Output, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        match self.config.method {
            Method::FullGrad => self.full_grad(images, attributes),
            Method::Rise => self.rise(images, attributes, scores),
            Method::RefineCam => self.refine_cam(images, output, attributes, scores),
            Method::Fame => self.fame(images, attributes, scores),
            _ => {
                let activations = match self.is_last {
                    true => output.features.clone(),
                    false => self.network.activations(images, &self.layer.name)?,
                };
                match self.config.method {
                    Method::ScoreCam => self.score_cam(images, &activations, attributes, scores),
                    Method::AblationCam => self.ablation_cam(&activations, attributes, scores),
                    Method::Fem => fem_maps(&activations, attributes.len()),
                    _ => self.backward(&activations, attributes, scores),
                }
            }
        }
    }

    /// Methods that look at activations and gradients of an inner layer.
    fn backward(&self, activations: &Tensor, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let method = self.config.method;
        let formula = formula(method).ok_or(Error::NeedsNetwork { method: method.name() })?;
        let (images, channels, height, width) = activations.dims4()?;
        let length = height * width * channels;
        let each = (ROWS / attributes.len()).max(1);
        let mut maps = Vec::with_capacity(images * attributes.len() * height * width);
        for start in (0..images).step_by(each) {
            let some = activations.narrow(0, start, each.min(images - start))?;
            let gradients = self.network.gradients(&self.layer.name, &some, attributes)?;
            let gradients = to_vec(&gradients.permute((0, 1, 3, 4, 2))?)?;
            let features = to_vec(&some.permute((0, 2, 3, 1))?)?;
            let of_features: Vec<OnceLock<Vec<f64>>> = (0..each).map(|_| OnceLock::new()).collect();
            let map = |(row, logit_gradient): (usize, &[f32])| {
                let at = start * attributes.len() + row;
                let sign = scores.signs[at];
                let gradient: Vec<f32> = logit_gradient.iter().map(|value| sign * value).collect();
                formula(&Point {
                    features: &features[row / attributes.len() * length..][..length],
                    gradient: Gradient::Each(&gradient),
                    channels,
                    logit: scores.logits[at],
                    sign,
                    target: self.config.target,
                    of_features: &of_features[row / attributes.len()],
                })
            };
            let some: Vec<Vec<f32>> = gradients.par_chunks_exact(length).enumerate().map(map).collect();
            maps.extend(some.into_iter().flatten());
        }
        Maps::new(maps, [images, attributes.len(), height, width])
    }

    fn score_cam(&self, images: &Tensor, activations: &Tensor, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let (count, _, height, width) = activations.dims4()?;
        let mut maps = Vec::new();
        for image in 0..count {
            let features = to_vec(&activations.narrow(0, image, 1)?.permute((0, 2, 3, 1))?)?;
            let one = images.narrow(0, image, 1)?;
            let upsampling = self.config.upsampling;
            let logits = score_cam::masked_logits(self.network, &one, &features, [height, width], upsampling, ROWS)?;
            for (k, &attribute) in attributes.iter().enumerate() {
                let sign = scores.signs[image * attributes.len() + k];
                maps.extend(score_cam::map(&features, self.config.target, sign, &logits[attribute]));
            }
        }
        Maps::new(maps, [count, attributes.len(), height, width])
    }

    /// One pass through the rest of the network per channel, for all attributes.
    fn ablation_cam(&self, activations: &Tensor, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let (count, channels, height, width) = activations.dims4()?;
        let target = self.config.target;
        let mut maps = Vec::new();
        for image in 0..count {
            let one = activations.narrow(0, image, 1)?;
            let mut logits: Vec<Vec<f32>> = Vec::with_capacity(channels);
            for start in (0..channels).step_by(ROWS) {
                let rows = ROWS.min(channels - start);
                let mut keep = vec![1.0_f32; rows * channels];
                (0..rows).for_each(|row| keep[row * channels + start + row] = 0.0);
                let keep = Tensor::from_vec(keep, (rows, channels, 1, 1), one.device())?;
                let some = self
                    .network
                    .forward_from(&self.layer.name, &keep.broadcast_mul(&one)?)?;
                logits.extend(some.to_vec2::<f32>()?);
            }
            let features = to_vec(&one.permute((0, 2, 3, 1))?)?;
            for (k, &attribute) in attributes.iter().enumerate() {
                let at = image * attributes.len() + k;
                let sign = scores.signs[at];
                let ablated = logits.iter().map(|row| target.score(sign, row[attribute]));
                maps.extend(ablation_cam::map(
                    &features,
                    target.score(sign, scores.logits[at]),
                    ablated,
                ));
            }
        }
        Maps::new(maps, [count, attributes.len(), height, width])
    }

    fn full_grad(&self, images: &Tensor, attributes: &[usize]) -> Result<Maps> {
        let (count, _, height, width) = images.dims4()?;
        let mut maps = Vec::with_capacity(count * attributes.len() * height * width);
        // The gradients at all batch norms are in memory together: few rows at a time.
        const TOGETHER: usize = 8;
        for image in 0..count {
            for some in attributes.chunks(TOGETHER) {
                let parts = self.network.decompose(&images.narrow(0, image, 1)?, some)?;
                maps.extend(full_grad::maps(&parts)?);
            }
        }
        Maps::new(maps, [count, attributes.len(), height, width])
    }

    fn refine_cam(&self, images: &Tensor, output: &Output, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let (count, size) = square(images, "RefineCAM's maps")?;
        let pixels = size * size;
        // The side of each score is known, whichever target it is of.
        let labels: Vec<i8> = scores
            .signs
            .iter()
            .map(|&sign| if sign < 0.0 { -1 } else { 1 })
            .collect();
        let mut product = vec![1.0; count * attributes.len() * pixels];
        for part in self.parts() {
            let maps = part.maps(images, output, attributes, Some(&labels))?;
            let [height, width] = [maps.height, maps.width];
            let post_processing = PostProcessing::of_layer(self.config.resize, [height, width], size);
            let both = product
                .par_chunks_exact_mut(pixels)
                .zip(maps.data.par_chunks_exact(height * width));
            both.for_each(|(product, raw)| {
                let mut map = vec![0.0; pixels];
                post_processing.finalise(raw, &mut map);
                refine_cam::multiply(product, &map);
            });
        }
        Maps::new(product, [count, attributes.len(), size, size])
    }

    /// Images and attributes are moved together, so that the passes of a step are one batch.
    fn fame(&self, images: &Tensor, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let (count, _, height, width) = images.dims4()?;
        let (config, target) = (self.config.fame, self.config.target);
        let each = (ROWS / attributes.len()).max(1);
        let mut maps = Vec::with_capacity(count * attributes.len() * height * width);
        for start in (0..count).step_by(each) {
            let some = images.narrow(0, start, each.min(count - start))?;
            for (chunk, together) in attributes.chunks(ROWS).enumerate() {
                let rows = vec![together; some.dims()[0]].concat();
                // |z| has the sign that z has by then; what another target descends stays the same.
                let sign = |row: usize, logit: f32| match target {
                    Target::Predicted if logit == 0.0 => 0.0,
                    Target::Predicted => logit.signum(),
                    _ => scores.signs[start * attributes.len() + chunk * ROWS + row],
                };
                let objective = Objective::Logits(&rows);
                maps.extend(fame::maps(self.network, &some, objective, config, sign)?);
            }
        }
        Maps::new(maps, [count, attributes.len(), height, width])
    }

    /// The masks are made batch by batch from their seed, and each batch is shown all images: memory does not grow with their
    /// number.
    fn rise(&self, images: &Tensor, attributes: &[usize], scores: &Scores) -> Result<Maps> {
        let (count, size) = square(images, "RISE's masks")?;
        let (rise, target, kinds) = (self.config.rise, self.config.target, attributes.len());
        let pixels = size * size;
        let mut saliency: Vec<Saliency> = (0..count).map(|_| Saliency::new(rise, kinds, pixels)).collect();
        for start in (0..rise.masks).step_by(ROWS) {
            let rows = ROWS.min(rise.masks - start);
            let masks = rise.masks(start..start + rows, size);
            for (image, saliency) in saliency.iter_mut().enumerate() {
                let masked = masked_images(&images.narrow(0, image, 1)?, &masks)?;
                let logits = self.network.forward(&masked)?.logits.to_vec2::<f32>()?;
                let mut scored = Vec::with_capacity(kinds * rows);
                for (k, &attribute) in attributes.iter().enumerate() {
                    let sign = scores.signs[image * kinds + k];
                    scored.extend(logits.iter().map(|row| target.score(sign, row[attribute])));
                }
                saliency.add(&masks, &scored)?;
            }
        }
        let maps = saliency.into_iter().flat_map(Saliency::maps).collect();
        Maps::new(maps, [count, kinds, size, size])
    }
}

/// Logits of the chosen attributes and the derivatives of their scores, `[N, K]`.
struct Scores {
    logits: Vec<f32>,
    signs: Vec<f32>,
}

/// Number and side of square images.
fn square(images: &Tensor, what: &str) -> Result<(usize, usize)> {
    let (count, _, height, width) = images.dims4()?;
    if height == width {
        return Ok((count, height));
    }
    Err(Error::Shape {
        what: "images",
        found: images.dims().to_vec(),
        expected: format!("[N, 3, S, S]: {what} are square"),
    })
}

/// FEM of activations `[N, C, h, w]`, which is the same for every attribute.
fn fem_maps(activations: &Tensor, attributes: usize) -> Result<Maps> {
    let (count, channels, height, width) = activations.dims4()?;
    let features = to_vec(&activations.permute((0, 2, 3, 1))?)?;
    let each = features.par_chunks_exact(height * width * channels);
    let maps: Vec<Vec<f32>> = each
        .map(|features| fem::map(features, channels).repeat(attributes))
        .collect();
    Maps::new(maps.concat(), [count, attributes, height, width])
}

fn choose(output: &Output, attributes: &[usize]) -> Result<Output> {
    Ok(Output {
        features: output.features.clone(),
        logits: output
            .logits
            .index_select(&index(attributes, output.logits.device())?, 1)?,
    })
}

/// The head of the chosen attributes.
fn head_of(head: &Head, attributes: &[usize]) -> Result<Head> {
    let index = index(attributes, head.bias.device())?;
    Ok(Head {
        weight: head.weight.index_select(&index, 0)?,
        bias: head.bias.index_select(&index, 0)?,
    })
}

fn index(attributes: &[usize], device: &Device) -> Result<Tensor> {
    let attributes: Vec<u32> = attributes.iter().map(|&attribute| attribute as u32).collect();
    Ok(Tensor::new(attributes.as_slice(), device)?)
}
