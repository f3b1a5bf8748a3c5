//! Class activation maps of binary classifiers.
//!
//! A binary classifier has one logit z per attribute and decides "positive" iff z >= 0. A map tells how much each position
//! of the last convolutional stage speaks for a score ([`Target`]): by default |z|, the decision that was made, whichever
//! it is.
//!
//! The way of a map: [`raw_maps`] (a [`Method`] applied to one forward pass, all attributes at once) -> [`Resizer::finalise`]
//! (ReLU, scaling to [0, 1], resize to the image) -> [`overlay`], [`MapAverage`], or energies. An [`Explainer`] makes the maps of
//! all methods, of any subset of the attributes and at any stage, and runs the passes that they need.
//!
//! ```
//! use cam::{ColourMap, Method, Resize, Resizer, Target};
//! use candle_core::{Device, Tensor};
//! use model::{Architecture, Mode, Network};
//!
//! let architecture = Architecture::preset("resnet18")?.with_width(4);
//! let network = Network::new(&architecture, 2, 1, &Device::Cpu)?;
//! let images = Tensor::rand(0_f32, 1.0, (1, 3, 64, 64), &Device::Cpu)?;
//! let output = network.forward(&images, Mode::Eval)?;
//!
//! let maps = cam::raw_maps(Method::HiresCam, Target::Predicted, &output, &network.head())?;
//! assert_eq!((maps.images, maps.attributes, maps.height, maps.width), (1, 2, 2, 2));
//!
//! let resizer = Resizer::new(Resize::HalfPixel, maps.height, maps.width, 64);
//! let mut map = vec![0.0; 64 * 64];
//! resizer.finalise(maps.map(0, 1), &mut map);
//! assert!(map.iter().all(|value| (0.0..=1.0).contains(value)));
//!
//! let image = images.permute((0, 2, 3, 1))?.flatten_all()?.to_vec1::<f32>()?;
//! let overlay = cam::overlay(&map, &image, 64, ColourMap::default())?;
//! assert_eq!(overlay.dimensions(), (64, 64));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod average;
mod colour;
mod cost;
mod error;
mod explainer;
mod finaliser;
mod imputation;
mod imputer;
mod maps;
mod method;
mod methods;
mod names;
mod overlay;
mod reference;
mod resize;
mod scale;
mod target;

pub use average::MapAverage;
pub use colour::ColourMap;
pub use cost::Cost;
pub use error::{Error, Result};
pub use explainer::{Explained, Explainer, ExplainerConfig};
pub use finaliser::{Active, Finaliser, Footprint};
pub use imputation::{IMPUTATION_NOISE, noisy_linear_imputation};
pub use imputer::Imputer;
pub use maps::Maps;
pub use method::Method;
pub use methods::closed_form::raw_maps;
pub use methods::rise::{Density, RiseConfig};
pub use overlay::{overlay, picture};
pub use reference::Reference;
pub use resize::{Resize, Resizer, Upsampling};
pub use target::Target;
