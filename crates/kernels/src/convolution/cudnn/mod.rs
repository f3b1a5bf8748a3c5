//! Convolution's three products by cuDNN.

mod engines;
mod graph;
mod plans;

pub(super) use plans::{Number, data_gradient, forward, weight_gradient};
