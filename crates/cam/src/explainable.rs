//! What a network must be able to do to be explained.

use std::fmt::Debug;

use candle_core::Tensor;

use crate::Result;

/// A layer whose activations can be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name, by which [`Explainable`]'s functions know it.
    pub name: String,
    /// Channels of its activations.
    pub channels: usize,
}

/// What a network computes from images.
#[derive(Debug, Clone)]
pub struct Output {
    /// `[N, C, h, w]`: activations of the last layer.
    pub features: Tensor,
    /// `[N, A]`: one logit an attribute, positive (or 0) for the positive class.
    pub logits: Tensor,
}

/// A linear head behind a global average pooling of the last layer: logits = weight mean(features) + bias.
#[derive(Debug, Clone)]
pub struct Head {
    /// `[A, C]`.
    pub weight: Tensor,
    /// `[A]`.
    pub bias: Tensor,
}

/// A constant that is added inside the network, and what it does for the logits.
#[derive(Debug, Clone)]
pub struct BiasGradient {
    /// `[C]`: the constant b of y = f(x) + b.
    pub bias: Tensor,
    /// `[N, K, h, w, C]`: gradient of the logits by y.
    pub gradient: Tensor,
}

/// What the logits of a piecewise linear network are made of: z = sum(x dz/dx) + sum over all constants of sum(b dz/dy) + the head's
/// bias (Srinivas & Fleuret 2019, *Full-Gradient Representation for Neural Network Visualization*).
#[derive(Debug, Clone)]
pub struct Decomposition {
    /// `[N, 3, S, S]`: the input x, as the first layer with weights sees it.
    pub input: Tensor,
    /// `[N, K, 3, S, S]`: gradient of the logits by x.
    pub input_gradient: Tensor,
    /// Every constant but the head's, in the order of computation.
    pub biases: Vec<BiasGradient>,
}

/// What is differentiated by the image, one value for each row of a batch.
#[derive(Debug, Clone, Copy)]
pub enum Objective<'a> {
    /// `[R]`: the logit of each row's attribute.
    Logits(&'a [usize]),
    /// `[R]`: what each row's cell `[i, j]`, row and column, of a layer's activations holds: the sum over the channels k of |a_k(i, j)|.
    Cells {
        /// The layer's name.
        layer: &'a str,
        /// Each row's cell.
        cells: &'a [[usize; 2]],
    },
}

impl Objective<'_> {
    /// R.
    pub fn rows(&self) -> usize {
        match self {
            Self::Logits(attributes) => attributes.len(),
            Self::Cells { cells, .. } => cells.len(),
        }
    }
}

/// The value of an [`Objective`] for each row, and its gradient by the row's image.
#[derive(Debug, Clone)]
pub struct InputGradients {
    /// `[R]`.
    pub values: Vec<f32>,
    /// `[R, 3, S, S]`.
    pub gradients: Tensor,
}

/// A network that can be explained: images `[N, 3, S, S]` in, one logit an attribute out, convolutional layers between, whose
/// activations `[N, C, h, w]` lie over the image.
///
/// [`Explainer`](crate::Explainer) makes all maps through these functions and knows nothing else of the network. They evaluate: the
/// network does not change, and an image's result does not depend on the images beside it. `attributes` are positions among the
/// outputs; the explainer has checked them, and layers' names.
pub trait Explainable: Debug + Sync {
    /// The layers whose activations can be mapped, in the order of computation; at least one.
    fn layers(&self) -> Vec<Layer>;

    /// Number of outputs, A.
    fn outputs(&self) -> usize;

    /// Activations of the last layer, and logits.
    ///
    /// # Errors
    /// For images that the network does not take.
    fn forward(&self, images: &Tensor) -> Result<Output>;

    /// Activations of a layer, `[N, C, h, w]`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); for a layer that does not exist.
    fn activations(&self, images: &Tensor, layer: &str) -> Result<Tensor>;

    /// The logits `[N, A]` that the rest of the network makes of a layer's activations.
    ///
    /// # Errors
    /// For a layer that does not exist and activations of another shape.
    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor>;

    /// Gradients of some logits by a layer's activations `[N, C, h, w]`: `[N, K, C, h, w]`.
    ///
    /// # Errors
    /// As [`forward_from`](Self::forward_from).
    fn gradients(&self, layer: &str, activations: &Tensor, attributes: &[usize]) -> Result<Tensor>;

    /// Images `[N, 3, S, S]` in the units in which [`input_gradients`](Self::input_gradients) takes them: as the first layer with weights
    /// sees them.
    ///
    /// # Errors
    /// For images that the network does not take.
    fn normalise(&self, images: &Tensor) -> Result<Tensor>;

    /// An objective of R rows and its gradients by the images, `input` `[N, 3, S, S]` in the units of [`normalise`](Self::normalise): in one
    /// forward pass of N images and one backward pass of R rows. R is a multiple of N; row r belongs to image r / (R / N).
    ///
    /// # Errors
    /// For rows that are no multiple of the images, a layer or cell that does not exist, and an input that the network does not take.
    fn input_gradients(&self, input: &Tensor, objective: Objective<'_>) -> Result<InputGradients>;

    /// What some logits are made of. Only [`Method::FullGrad`](crate::Method::FullGrad) asks.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); for a network that is not piecewise linear.
    fn decompose(&self, images: &Tensor, attributes: &[usize]) -> Result<Decomposition>;

    /// What follows the last layer, if it is a global average pooling and a linear layer: then many maps follow from the forward pass
    /// alone. `None` for any other network, whose maps cost passes.
    fn head(&self) -> Option<Head>;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Cost, Error, Explainer, ExplainerConfig, Maps, Method, Reference, RiseConfig, Target};
    use candle_core::{D, Device, Var};

    const SIDE: usize = 8;

    /// Mixes colours pixel by pixel, then means of 2 x 2 pixels, then takes a linear score of their mean: no weight is trained, nothing
    /// is added.
    #[derive(Debug)]
    pub(crate) struct TwoLayers {
        /// `[4, 3, 1, 1]` and `[5, 4, 1, 1]`.
        mixes: [Tensor; 2],
        /// `[2, 5]`.
        scores: Tensor,
        tells_its_head: bool,
    }

    impl TwoLayers {
        pub(crate) fn new(tells_its_head: bool) -> Self {
            let wave = |shape: &[usize], phase: f64| {
                let count = shape.iter().product::<usize>() as f64;
                let values = Tensor::arange(0.0, count, &Device::Cpu)
                    .unwrap()
                    .affine(1.7, phase)
                    .unwrap();
                values
                    .sin()
                    .unwrap()
                    .to_dtype(candle_core::DType::F32)
                    .unwrap()
                    .reshape(shape)
                    .unwrap()
            };
            Self {
                mixes: [wave(&[4, 3, 1, 1], 0.3), wave(&[5, 4, 1, 1], 1.1)],
                scores: wave(&[2, 5], 2.0),
                tells_its_head,
            }
        }

        pub(crate) fn images() -> Tensor {
            let values = Tensor::arange(0.0_f32, (2 * 3 * SIDE * SIDE) as f32, &Device::Cpu).unwrap();
            let values = values
                .affine(0.37, 0.0)
                .unwrap()
                .sin()
                .unwrap()
                .affine(0.5, 0.5)
                .unwrap();
            values.reshape((2, 3, SIDE, SIDE)).unwrap()
        }

        fn colours(&self, images: &Tensor) -> Result<Tensor> {
            Ok(images.conv2d(&self.mixes[0], 0, 1, 1, 1)?)
        }

        fn blocks(&self, colours: &Tensor) -> Result<Tensor> {
            Ok(colours.avg_pool2d(2)?.conv2d(&self.mixes[1], 0, 1, 1, 1)?)
        }

        fn logits(&self, blocks: &Tensor) -> Result<Tensor> {
            Ok(blocks.mean((D::Minus1, D::Minus2))?.matmul(&self.scores.t()?)?)
        }

        fn gradients_by(&self, input: &Var, logits: &Tensor, attributes: &[usize]) -> Result<Tensor> {
            let gradient = |&attribute: &usize| -> Result<Tensor> {
                let store = logits.narrow(1, attribute, 1)?.sum_all()?.backward()?;
                Ok(store.get(input).expect("the logit depends on it").clone())
            };
            let all = attributes.iter().map(gradient).collect::<Result<Vec<_>>>()?;
            Ok(Tensor::stack(&all, 1)?)
        }
    }

    impl Explainable for TwoLayers {
        fn layers(&self) -> Vec<Layer> {
            let layer = |(name, channels): (&str, usize)| Layer {
                name: name.to_owned(),
                channels,
            };
            [("colours", 4), ("blocks", 5)].map(layer).to_vec()
        }

        fn outputs(&self) -> usize {
            2
        }

        fn forward(&self, images: &Tensor) -> Result<Output> {
            let features = self.blocks(&self.colours(images)?)?;
            let logits = self.logits(&features)?;
            Ok(Output { features, logits })
        }

        fn activations(&self, images: &Tensor, layer: &str) -> Result<Tensor> {
            let colours = self.colours(images)?;
            match layer {
                "colours" => Ok(colours),
                _ => self.blocks(&colours),
            }
        }

        fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor> {
            match layer {
                "colours" => self.logits(&self.blocks(activations)?),
                _ => self.logits(activations),
            }
        }

        fn gradients(&self, layer: &str, activations: &Tensor, attributes: &[usize]) -> Result<Tensor> {
            let input = Var::from_tensor(activations)?;
            self.gradients_by(&input, &self.forward_from(layer, &input)?, attributes)
        }

        fn normalise(&self, images: &Tensor) -> Result<Tensor> {
            Ok(images.clone())
        }

        fn input_gradients(&self, input: &Tensor, objective: Objective<'_>) -> Result<InputGradients> {
            let each = objective.rows() / input.dims()[0];
            let (mut values, mut gradients) = (Vec::new(), Vec::new());
            for row in 0..objective.rows() {
                let image = Var::from_tensor(&input.narrow(0, row / each, 1)?)?;
                let value = match objective {
                    Objective::Logits(attributes) => self.forward(&image)?.logits.narrow(1, attributes[row], 1)?,
                    Objective::Cells { layer, cells } => {
                        let activations = self.activations(&image, layer)?.abs()?;
                        activations.narrow(2, cells[row][0], 1)?.narrow(3, cells[row][1], 1)?
                    }
                };
                let value = value.sum_all()?;
                gradients.push(value.backward()?.get(&image).expect("it depends on it").clone());
                values.push(value.to_scalar()?);
            }
            let gradients = Tensor::cat(&gradients, 0)?;
            Ok(InputGradients { values, gradients })
        }

        fn decompose(&self, images: &Tensor, attributes: &[usize]) -> Result<Decomposition> {
            let input = Var::from_tensor(images)?;
            let logits = self.forward(&input)?.logits;
            Ok(Decomposition {
                input: images.clone(),
                input_gradient: self.gradients_by(&input, &logits, attributes)?,
                biases: Vec::new(),
            })
        }

        fn head(&self) -> Option<Head> {
            self.tells_its_head.then(|| Head {
                weight: self.scores.clone(),
                bias: Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu).unwrap(),
            })
        }
    }

    fn config(method: Method, layer: Option<&str>) -> ExplainerConfig {
        let mut reference = Reference::new();
        let features = TwoLayers::new(true).forward(&TwoLayers::images()).unwrap().features;
        reference.add(&features).unwrap();
        ExplainerConfig {
            method,
            layer: layer.map(str::to_owned),
            rise: RiseConfig {
                masks: 20,
                ..RiseConfig::default()
            },
            reference: Some(reference),
            ..ExplainerConfig::default()
        }
    }

    fn maps(network: &TwoLayers, config: ExplainerConfig) -> Maps {
        let explainer = Explainer::new(network, config).unwrap();
        explainer.explain(&TwoLayers::images(), &[1, 0], None).unwrap().maps
    }

    #[test]
    fn any_network_has_maps_of_every_method() {
        let network = TwoLayers::new(true);
        for &method in Method::ALL {
            let found = maps(&network, config(method, None));
            let side = if method.is_whole() { SIDE } else { SIDE / 2 };
            assert_eq!(
                (found.images, found.attributes, found.height, found.width),
                (2, 2, side, side)
            );
            assert!(found.data.iter().any(|value| *value != 0.0), "{method}");
        }
    }

    /// Nothing is added anywhere, so at any layer the logit is the sum of gradient times activation. 1e-5: float32 sums of values near 1.
    #[test]
    fn hires_cam_completes_the_score_at_every_layer() {
        let logits = TwoLayers::new(true).forward(&TwoLayers::images()).unwrap().logits;
        let logits = logits.to_vec2::<f32>().unwrap();
        for (tells_its_head, layer) in [
            (true, "colours"),
            (true, "blocks"),
            (false, "colours"),
            (false, "blocks"),
        ] {
            let config = ExplainerConfig {
                target: Target::Positive,
                ..config(Method::HiresCam, Some(layer))
            };
            let found = maps(&TwoLayers::new(tells_its_head), config);
            for (image, logits) in logits.iter().enumerate() {
                for (k, attribute) in [1, 0].into_iter().enumerate() {
                    let sum: f32 = found.map(image, k).iter().sum();
                    assert!(
                        (sum - logits[attribute]).abs() < 1e-5,
                        "{layer}: {sum} {}",
                        logits[attribute]
                    );
                }
            }
        }
    }

    /// A network that does not tell its head is explained by passes, and the maps are those of the closed forms.
    #[test]
    fn without_a_linear_head_passes_take_its_place() {
        let (telling, silent) = (TwoLayers::new(true), TwoLayers::new(false));
        for &method in Method::ALL {
            let made = Explainer::new(&silent, config(method, None));
            if matches!(method, Method::Cam | Method::CentredCam) {
                let error = made.unwrap_err();
                assert!(matches!(error, Error::NoLinearHead { .. }), "{error}");
                continue;
            }
            // FEM needs the activations alone.
            assert_eq!(made.unwrap().cost(2) == Cost::Free, method == Method::Fem, "{method}");
            let (closed, by_passes) = (
                maps(&telling, config(method, None)),
                maps(&silent, config(method, None)),
            );
            let largest = closed.data.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            for (a, b) in closed.data.iter().zip(&by_passes.data) {
                assert!((a - b).abs() < 1e-4 * largest, "{method}: {a} {b}");
            }
        }
    }

    #[test]
    fn its_own_layers_and_outputs_are_known() {
        let network = TwoLayers::new(true);
        let message = Explainer::new(&network, config(Method::GradCam, Some("layer4")))
            .unwrap_err()
            .to_string();
        assert_eq!(message, "`layer4` is not a layer; known: colours, blocks");
        let error = Explainer::new(&network, config(Method::Cam, Some("colours"))).unwrap_err();
        assert!(matches!(error, Error::LastStageOnly { .. }), "{error}");
        let explainer = Explainer::new(&network, config(Method::AblationCam, Some("colours"))).unwrap();
        assert_eq!(explainer.cost(2).to_string(), "4 forward passes behind colours");
        let error = explainer.explain(&TwoLayers::images(), &[2], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "attribute: 2, expected less than 2, the network's outputs"
        );
    }
}
