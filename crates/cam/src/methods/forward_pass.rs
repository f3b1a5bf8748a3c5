//! One forward pass as the methods see it: features and head on the CPU, checked.

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::point::{Gradient, Point};
use crate::{Error, Head, Maps, Output, Reference, Result, Target};

/// What a method works with: one forward pass and the head, checked, on the CPU.
pub(crate) struct ForwardPass {
    /// `[N h w, C]`: the features, one row per position.
    features: Tensor,
    /// `[A, C]`.
    pub(super) weight: Tensor,
    /// `[N, A]`: derivative of the explained score by the logit, +1 or -1.
    signs: Vec<f32>,
    /// `[N, A]`.
    logits: Vec<f32>,
    target: Target,
    images: usize,
    attributes: usize,
    height: usize,
    width: usize,
}

impl ForwardPass {
    pub(crate) fn new(target: Target, labels: Option<&[i8]>, output: &Output, head: &Head) -> Result<Self> {
        let shape = |what, tensor: &Tensor, expected: &str| Error::Shape {
            what,
            found: tensor.dims().to_vec(),
            expected: expected.to_owned(),
        };
        let Output { features, logits } = output;
        let [images, channels, height, width] = *features.dims() else {
            return Err(shape("features", features, "[N, C, h, w]"));
        };
        let [attributes, inputs] = *head.weight.dims() else {
            return Err(shape("head", &head.weight, "[A, C]"));
        };
        if inputs != channels {
            return Err(shape(
                "head",
                &head.weight,
                &format!("[A, {channels}], one column per channel of the features"),
            ));
        }
        if logits.dims() != [images, attributes] {
            return Err(shape("logits", logits, &format!("[{images}, {attributes}]")));
        }
        let logits = logits.flatten_all()?.to_vec1::<f32>()?;
        let features = features.permute((0, 2, 3, 1))?.contiguous()?;
        Ok(Self {
            features: features
                .reshape((images * height * width, channels))?
                .to_device(&Device::Cpu)?,
            weight: head.weight.to_device(&Device::Cpu)?,
            signs: target.signs(&logits, labels, attributes)?,
            logits,
            target,
            images,
            attributes,
            height,
            width,
        })
    }

    /// The same with the reference's mean taken off the features at every position.
    pub(super) fn less(self, reference: &Reference) -> Result<Self> {
        let mean = reference.features();
        let expected = [self.weight.dims()[1], self.height, self.width];
        if mean.dims() != expected {
            return Err(Error::Shape {
                what: "reference",
                found: mean.dims().to_vec(),
                expected: format!("{expected:?}, the features of one image"),
            });
        }
        let [channels, height, width] = expected;
        let row = mean
            .permute((1, 2, 0))?
            .contiguous()?
            .reshape((1, height * width, channels))?;
        let features = self.features.reshape((self.images, height * width, channels))?;
        let features = features.broadcast_sub(&row)?;
        Ok(Self {
            features: features.reshape((self.images * height * width, channels))?,
            ..self
        })
    }

    /// Gradient of every logit by the features, the same at all positions: `[A, C]`, w / (h w).
    ///
    /// Positions enter a logit through their mean alone.
    pub(super) fn gradient(&self) -> Result<Tensor> {
        Ok((&self.weight / (self.height * self.width) as f64)?)
    }

    /// The map of every image and attribute by a formula, with the closed form of the gradient.
    pub(crate) fn each(&self, formula: impl Fn(&Point<'_>) -> Vec<f32> + Sync) -> Result<Maps> {
        let channels = self.weight.dims()[1];
        let features = self.features.flatten_all()?.to_vec1::<f32>()?;
        let gradients = self.gradient()?.flatten_all()?.to_vec1::<f32>()?;
        let length = self.height * self.width * channels;
        let of_features: Vec<OnceLock<Vec<f64>>> = (0..self.images).map(|_| OnceLock::new()).collect();
        let map = |row: usize| {
            let (image, attribute) = (row / self.attributes, row % self.attributes);
            let sign = self.signs[row];
            let gradient: Vec<f32> = gradients[attribute * channels..][..channels]
                .iter()
                .map(|value| sign * value)
                .collect();
            formula(&Point {
                features: &features[image * length..][..length],
                gradient: Gradient::Uniform(&gradient),
                channels,
                logit: self.logits[row],
                sign,
                target: self.target,
                of_features: &of_features[image],
            })
        };
        let maps: Vec<Vec<f32>> = (0..self.images * self.attributes).into_par_iter().map(map).collect();
        Maps::new(maps.concat(), [self.images, self.attributes, self.height, self.width])
    }

    /// sign sum_k c_k A_k for coefficients c, `[A, C]`, as maps.
    pub(super) fn combine(&self, coefficients: &Tensor) -> Result<Maps> {
        let products = self
            .features
            .matmul(&coefficients.t()?)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let (positions, attributes) = (self.height * self.width, self.attributes);
        let mut data = vec![0.0; products.len()];
        if !data.is_empty() {
            let length = positions * attributes;
            let per_image = data.par_chunks_mut(length).zip(products.par_chunks(length)).enumerate();
            per_image.for_each(|(image, (maps, products))| {
                for (attribute, map) in maps.chunks_mut(positions).enumerate() {
                    let sign = self.signs[image * attributes + attribute];
                    for (position, value) in map.iter_mut().enumerate() {
                        *value = sign * products[position * attributes + attribute];
                    }
                }
            });
        }
        Maps::new(data, [self.images, attributes, self.height, self.width])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, raw_maps};
    use approx::assert_relative_eq;
    use candle_core::{DType, Var};

    /// One image, two channels of 2 x 2, two attributes with logits 3 and -1.
    fn example() -> (Output, Head) {
        let features = Tensor::new(
            &[[[[1.0_f32, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 1.0]]]],
            &Device::Cpu,
        )
        .unwrap();
        let weight = Tensor::new(&[[1.0_f32, 2.0], [-1.0, 4.0]], &Device::Cpu).unwrap();
        let bias = Tensor::new(&[-0.5_f32, -0.5], &Device::Cpu).unwrap();
        let logits = Tensor::new(&[[3.0_f32, -1.0]], &Device::Cpu).unwrap();
        (Output { features, logits }, Head { weight, bias })
    }

    #[test]
    fn two_by_two_by_hand() {
        let (output, head) = example();
        let maps = raw_maps(Method::Cam, Target::Predicted, &output, &head).unwrap();
        assert_eq!(maps.map(0, 0), [1.0, 4.0, 3.0, 6.0]);
        assert_eq!(maps.map(0, 1), [1.0, -2.0, 3.0, 0.0]);
        // The mean of a CAM and the bias make the score: 3.5 - 0.5 = |3| and 0.5 + 0.5 = |-1|.
        let positive = raw_maps(Method::Cam, Target::Positive, &output, &head).unwrap();
        assert_eq!(positive.map(0, 1), [-1.0, 2.0, -3.0, 0.0]);
        let negative = raw_maps(Method::Cam, Target::Negative, &output, &head).unwrap();
        assert_eq!(negative.map(0, 1), maps.map(0, 1));
        assert_eq!(maps.only(0), maps);
    }

    #[test]
    fn grad_cam_and_hires_cam_are_cam_divided_by_the_positions() {
        let (output, head) = example();
        let cam = raw_maps(Method::Cam, Target::Predicted, &output, &head).unwrap();
        for method in [Method::GradCam, Method::HiresCam] {
            let maps = raw_maps(method, Target::Predicted, &output, &head).unwrap();
            assert_eq!(maps.data, cam.data.iter().map(|value| value / 4.0).collect::<Vec<_>>());
        }
    }

    /// The closed forms against the definitions, with gradients from candle.
    #[test]
    fn closed_forms_are_the_definitions() {
        let device = &Device::Cpu;
        let features = Var::rand(0.0_f32, 1.0, (1, 5, 3, 4), device).unwrap();
        let head = Head {
            weight: Tensor::randn(0.0_f32, 1.0, (2, 5), device).unwrap(),
            bias: Tensor::zeros(2, DType::F32, device).unwrap(),
        };
        let pooled = features.mean((2, 3)).unwrap();
        let logits = pooled.matmul(&head.weight.t().unwrap()).unwrap();
        let output = Output {
            features: features.as_detached_tensor(),
            logits: logits.detach(),
        };
        for attribute in 0..2 {
            let score = logits
                .narrow(1, attribute, 1)
                .unwrap()
                .abs()
                .unwrap()
                .sum_all()
                .unwrap();
            let gradient = score.backward().unwrap().get(&features).unwrap().clone();
            let hires = (&gradient * features.as_tensor()).unwrap().sum(1).unwrap();
            let alpha = gradient.mean_keepdim((2, 3)).unwrap();
            let grad_cam = alpha.broadcast_mul(&features).unwrap().sum(1).unwrap();
            for (method, expected) in [(Method::HiresCam, hires), (Method::GradCam, grad_cam)] {
                let maps = raw_maps(method, Target::Predicted, &output, &head).unwrap();
                let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                for (found, expected) in maps.map(0, attribute).iter().zip(expected) {
                    assert_relative_eq!(*found, expected, epsilon = 1e-6);
                }
            }
        }
    }

    #[test]
    fn maps_that_are_not_finite_are_refused() {
        let (mut output, head) = example();
        output.features = (output.features * f64::NAN).unwrap();
        let error = raw_maps(Method::Cam, Target::Predicted, &output, &head).unwrap_err();
        assert!(matches!(error, Error::NotFinite { image: 0, attribute: 0 }), "{error}");
    }

    #[test]
    fn shapes_are_checked() {
        let (output, head) = example();
        let wrong = Head {
            weight: head.weight.narrow(1, 0, 1).unwrap(),
            bias: head.bias.clone(),
        };
        let message = raw_maps(Method::Cam, Target::Predicted, &output, &wrong)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "head: shape [2, 1], expected [A, 2], one column per channel of the features"
        );
        let wrong = Head {
            weight: head.weight.narrow(0, 0, 1).unwrap(),
            bias: head.bias,
        };
        let message = raw_maps(Method::Cam, Target::Predicted, &output, &wrong)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "logits: shape [1, 2], expected [1, 1]");
    }
}
