//! Grad-CAM.

use super::Evidence;
use crate::{Maps, Result};

/// L = sum_k alpha_k A_k with alpha_k the mean over the positions of the score's gradient by A_k: Selvaraju et al. 2017,
/// *Grad-CAM*, equations 1 and 2. The mean of a constant gradient is the gradient.
pub(crate) fn raw(evidence: &Evidence) -> Result<Maps> {
    evidence.combine(&evidence.gradient()?)
}
