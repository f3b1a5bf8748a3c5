//! What maps cost.

use std::fmt;

/// The passes that the maps of one image take beside the image's own forward pass; see
/// [`Explainer::cost`](crate::Explainer::cost).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    /// None.
    Free,
    /// So many forward passes through the whole network.
    Forward(usize),
    /// So many forward passes through the stages behind a layer.
    ForwardBehind(usize, String),
    /// So many forward and backward passes through the whole network.
    Backward(usize),
    /// So many forward and backward passes through the stages behind a layer.
    BackwardBehind(usize, String),
}

impl Cost {
    /// Number of passes, of whichever kind.
    pub fn passes(&self) -> usize {
        match self {
            Self::Free => 0,
            Self::Forward(passes)
            | Self::ForwardBehind(passes, _)
            | Self::Backward(passes)
            | Self::BackwardBehind(passes, _) => *passes,
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => write!(f, "no further pass"),
            Self::Forward(n) => write!(f, "{n} forward passes"),
            Self::ForwardBehind(n, layer) => write!(f, "{n} forward passes behind {layer}"),
            Self::Backward(n) => write!(f, "{n} forward and backward passes"),
            Self::BackwardBehind(n, layer) => write!(f, "{n} forward and backward passes behind {layer}"),
        }
    }
}
