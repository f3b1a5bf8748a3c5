//! Class activation maps of binary classifiers.
//!
//! A binary classifier has one logit z per attribute and decides "positive" iff z >= 0. A map tells how much each position
//! of the last convolutional stage speaks for a score ([`Target`]): by default |z|, the decision that was made, whichever
//! it is.
//!
//! The way of a map: [`raw_maps`] (a [`Method`] applied to one forward pass, all attributes at once) ->
//! [`PostProcessing::finalise`] (ReLU, scaling to [0, 1], resize to the image) -> a picture, [`MapAverage`], or energies. An
//! [`Explainer`] makes the maps of all methods, of any subset of the attributes and at any layer, of any network that is
//! [`Explainable`], and runs the passes that they need.
//!
//! ```
//! use cam::{Explainable, Method, PostProcessing, Resize, Target};
//! use candle_core::{Device, Tensor};
//! use model::{Architecture, Network};
//!
//! let architecture = Architecture::preset("resnet18")?.with_width(4);
//! let network = Network::new(&architecture, 2, 1, &Device::Cpu)?;
//! let images = Tensor::rand(0_f32, 1.0, (1, 3, 64, 64), &Device::Cpu)?;
//! let output = Explainable::forward(&network, &images)?;
//!
//! let maps = cam::raw_maps(Method::HiresCam, Target::Predicted, &output, &network.head().into())?;
//! assert_eq!((maps.images, maps.attributes, maps.height, maps.width), (1, 2, 2, 2));
//!
//! let post_processing = PostProcessing::new(Method::HiresCam, Resize::HalfPixel, [maps.height, maps.width], 64)?;
//! let mut map = vec![0.0; 64 * 64];
//! post_processing.finalise(maps.map(0, 1), &mut map);
//! assert!(map.iter().all(|value| (0.0..=1.0).contains(value)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod average;
mod blur;
mod config;
mod cost;
mod error;
mod explainable;
mod explainer;
mod locality;
mod maps;
mod method;
mod methods;
mod names;
mod network;
mod post_processing;
mod reference;
mod resize;
mod scale;
mod target;

pub use average::MapAverage;
pub use config::ExplainerConfig;
pub use cost::Cost;
pub use error::{Error, Result};
pub use explainable::{BiasGradient, Decomposition, Explainable, Head, InputGradients, Layer, Objective, Output};
pub use explainer::{Explained, Explainer};
pub use locality::{CellInfluence, Influence, Locality, LocalityProbe, Shares};
pub use maps::Maps;
pub use method::Method;
pub use methods::closed_form::raw_maps;
pub use methods::fame::FameConfig;
pub use methods::rise::{Density, RiseConfig};
pub use post_processing::PostProcessing;
pub use reference::Reference;
pub use resize::{Resize, Upsampling};
pub use target::Target;
