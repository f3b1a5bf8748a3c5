//! Maps from one forward pass, and which formula a method has.

use super::forward_pass::ForwardPass;
use super::point::Point;
use super::{
    ablation_cam, cam, centred_cam, eigen_cam, eigen_grad_cam, fem, grad_cam, grad_cam_elementwise, grad_cam_plus_plus,
    hires_cam, kpca_cam, layer_cam, seg_eigen_cam, shapley_cam, x_grad_cam,
};
use crate::{Error, Head, Maps, Method, Output, Reference, Result, Target};

/// Makes a map of one image's activations and one score's gradient by them.
pub(crate) type Formula = fn(&Point<'_>) -> Vec<f32>;

/// The formula at any layer, of a method that looks at activations and gradients alone.
pub(crate) fn formula(method: Method) -> Option<Formula> {
    match method {
        Method::GradCam => Some(grad_cam::formula),
        Method::HiresCam => Some(hires_cam::formula),
        Method::GradCamPlusPlus => Some(grad_cam_plus_plus::formula),
        Method::XGradCam => Some(x_grad_cam::formula),
        Method::LayerCam => Some(layer_cam::formula),
        Method::GradCamElementwise => Some(grad_cam_elementwise::formula),
        Method::EigenCam => Some(eigen_cam::formula),
        Method::EigenGradCam => Some(eigen_grad_cam::formula),
        Method::ShapleyCam => Some(shapley_cam::formula),
        Method::SegEigenCam => Some(seg_eigen_cam::formula),
        Method::KpcaCam => Some(kpca_cam::formula),
        Method::Fem => Some(fem::formula),
        Method::Cam
        | Method::ScoreCam
        | Method::AblationCam
        | Method::FullGrad
        | Method::Rise
        | Method::RefineCam
        | Method::Fame
        | Method::CentredCam => None,
    }
}

/// Maps of every image and attribute from one forward pass, before ReLU, scaling and resize.
///
/// - `output`: features `[N, C, h, w]` and logits `[N, A]` of the network
/// - `head`: its linear layer, weight `[A, C]`
///
/// The head follows a global average pooling, so the gradient of a logit by the features is w/(hw) at every position: the
/// methods need no backward pass, and Grad-CAM, HiResCAM and Shapley-CAM are CAM divided by hw.
///
/// # Errors
/// [`Error::Shape`] when output and head do not belong together, [`Error::NotFinite`] when a map has a value that is infinite
/// or not a number, [`Error::NoReference`] for [`Method::CentredCam`], [`Error::NeedsNetwork`] for a method without
/// [closed form](Method::has_closed_form), [`Error::NoLabel`] for [`Target::Label`], which needs an
/// [`Explainer`](crate::Explainer).
pub fn raw_maps(method: Method, target: Target, output: &Output, head: &Head) -> Result<Maps> {
    raw_maps_with(method, target, None, output, head)
}

/// [`raw_maps`] with labels `[N, A]`.
pub(crate) fn raw_maps_with(
    method: Method,
    target: Target,
    labels: Option<&[i8]>,
    output: &Output,
    head: &Head,
) -> Result<Maps> {
    let pass = ForwardPass::new(target, labels, output, head)?;
    match (method, formula(method)) {
        (Method::Cam, _) => cam::raw(&pass),
        // One product of matrices instead of a loop over images and attributes.
        (Method::GradCam | Method::ShapleyCam, _) => grad_cam::raw(&pass),
        (Method::HiresCam, _) => hires_cam::raw(&pass),
        (Method::AblationCam, _) => pass.each(ablation_cam::closed_form),
        (Method::CentredCam, _) => Err(Error::NoReference),
        (_, Some(formula)) => pass.each(formula),
        (_, None) => Err(Error::NeedsNetwork { method: method.name() }),
    }
}

/// The maps of [`Method::CentredCam`], with labels `[N, A]`: from one forward pass and the reference's mean features.
pub(crate) fn centred_maps(
    target: Target,
    labels: Option<&[i8]>,
    output: &Output,
    head: &Head,
    reference: &Reference,
) -> Result<Maps> {
    centred_cam::raw(ForwardPass::new(target, labels, output, head)?, reference)
}
