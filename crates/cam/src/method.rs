//! The methods by name, and the way in.

use model::{Head, Output};

use crate::error::named;
use crate::methods::{Evidence, cam, grad_cam, hires_cam};
use crate::{Maps, Result, Target};

/// A way to make maps.
///
/// To add one: a file in `methods` with its formula, a variant here with its name, and a line in [`raw_maps`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Class activation mapping (Zhou et al. 2016, equation 2): sum_k w_k A_k. Its mean over the positions plus the head's
    /// bias is the logit.
    Cam,
    /// Grad-CAM (Selvaraju et al. 2017, equations 1 and 2, before the ReLU): channels weighted by their mean gradient.
    GradCam,
    /// HiResCAM (Draelos & Carin 2020, equation 4): the product of gradient and activation, summed over the channels. The
    /// paper's method.
    #[default]
    HiresCam,
}

named!(
    Method,
    "method",
    [Cam = "cam", GradCam = "grad_cam", HiresCam = "hires_cam"]
);

/// Maps of every image and attribute from one forward pass, before ReLU, scaling and resize.
///
/// - `output`: features `[N, C, h, w]` and logits `[N, A]` of the network
/// - `head`: its linear layer, weight `[A, C]`
///
/// The head follows a global average pooling, so the gradient of a logit by the features is w/(hw) at every position:
/// all methods here have a closed form, and Grad-CAM and HiResCAM are CAM divided by hw.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when output and head do not belong together,
/// [`Error::NotFinite`](crate::Error::NotFinite) when a map has a value that is infinite or not a number.
pub fn raw_maps(method: Method, target: Target, output: &Output, head: &Head) -> Result<Maps> {
    let evidence = Evidence::new(target, output, head)?;
    match method {
        Method::Cam => cam::raw(&evidence),
        Method::GradCam => grad_cam::raw(&evidence),
        Method::HiresCam => hires_cam::raw(&evidence),
    }
}
