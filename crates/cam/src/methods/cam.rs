//! Class activation mapping.

use super::forward_pass::ForwardPass;
use crate::{Maps, Result};

/// M(x, y) = sum_k w_k A_k(x, y): Zhou et al. 2016, *Learning Deep Features for Discriminative Localization*.
pub(crate) fn raw(pass: &ForwardPass) -> Result<Maps> {
    pass.combine(&pass.weight)
}
