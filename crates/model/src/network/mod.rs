//! The residual network: images in, features and logits out, and gradients inside of it.

mod gradients;
mod input;
mod input_gradients;
mod layers;
mod linearisation;
mod parameters;
mod pass;
mod randomisation;
mod residual;
mod resnet;
mod unit;

pub use gradients::{BiasGradient, Decomposition};
pub use input::InputNormalisation;
pub use input_gradients::InputGradients;
pub use pass::Mode;
pub use resnet::{Head, Network, Output};
