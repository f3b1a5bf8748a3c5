//! The methods by name, and the way in from one forward pass.

use model::{Head, Output};

use crate::error::named;
use crate::methods::{self, Evidence, Point};
use crate::{Error, Maps, Reference, Result, Target};

/// A way to make maps.
///
/// To add one: a file in `methods` with its formula, a variant here with its name, and a line in [`raw_maps`] or
/// [`Explainer`](crate::Explainer). `docs/methods.md` compares them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Class activation mapping (Zhou et al. 2016): sum_k w_k A_k. Its mean over the positions plus the head's
    /// bias is the logit. At the last stage only.
    Cam,
    /// Grad-CAM (Selvaraju et al. 2017, before the ReLU): channels weighted by their mean gradient.
    GradCam,
    /// HiResCAM (Draelos & Carin 2020): the product of gradient and activation, summed over the channels. The
    /// paper's method.
    #[default]
    HiresCam,
    /// Grad-CAM++ (Chattopadhyay et al. 2018).
    GradCamPlusPlus,
    /// XGrad-CAM (Fu et al. 2020).
    XGradCam,
    /// Layer-CAM (Jiang et al. 2021): positive gradients only.
    LayerCam,
    /// Grad-CAM of positive products of gradient and activation only (pytorch-grad-cam).
    GradCamElementwise,
    /// Eigen-CAM (Muhammad & Yeasin 2020): first principal component of the activations.
    EigenCam,
    /// Eigen-CAM of gradient times activation (pytorch-grad-cam).
    EigenGradCam,
    /// Score-CAM (Wang et al. 2020): channels weighted by the scores of the image behind them. One forward pass per channel.
    ScoreCam,
    /// Ablation-CAM (Desai & Ramaswamy 2020): channels weighted by what the score loses without them.
    AblationCam,
    /// FullGrad (Srinivas & Fleuret 2019): sensitivities to the input and to every bias. Independent of the layer.
    FullGrad,
    /// Shapley-CAM (Cai 2025), which is Grad-CAM in piecewise linear networks.
    ShapleyCam,
    /// RISE (Petsiuk et al. 2018): random masks. Independent of the layer; one forward pass per mask.
    Rise,
    /// HiresCAM of what an image has beyond the mean of a [`Reference`]: it explains the part of the score that is specific to
    /// the image. At the last stage only.
    CentredCam,
}

named!(
    Method,
    "method",
    [
        Cam = "cam",
        GradCam = "grad_cam",
        HiresCam = "hires_cam",
        GradCamPlusPlus = "grad_cam_plus_plus",
        XGradCam = "x_grad_cam",
        LayerCam = "layer_cam",
        GradCamElementwise = "grad_cam_elementwise",
        EigenCam = "eigen_cam",
        EigenGradCam = "eigen_grad_cam",
        ScoreCam = "score_cam",
        AblationCam = "ablation_cam",
        FullGrad = "full_grad",
        ShapleyCam = "shapley_cam",
        Rise = "rise",
        CentredCam = "centred_cam",
    ]
);

impl Method {
    /// Its name as papers write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cam => "CAM",
            Self::GradCam => "Grad-CAM",
            Self::HiresCam => "HiResCAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::XGradCam => "XGrad-CAM",
            Self::LayerCam => "LayerCAM",
            Self::GradCamElementwise => "Grad-CAM, elementwise",
            Self::EigenCam => "Eigen-CAM",
            Self::EigenGradCam => "Eigen-Grad-CAM",
            Self::ScoreCam => "Score-CAM",
            Self::AblationCam => "Ablation-CAM",
            Self::FullGrad => "FullGrad",
            Self::ShapleyCam => "ShapleyCAM",
            Self::Rise => "RISE",
            Self::CentredCam => "centred CAM",
        }
    }

    /// Whether [`raw_maps`] makes its maps, from one forward pass; the others need an [`Explainer`](crate::Explainer).
    pub fn has_closed_form(self) -> bool {
        !matches!(self, Self::ScoreCam | Self::FullGrad | Self::Rise | Self::CentredCam)
    }

    /// Whether its maps have the image's size, whatever the layer; the others have that of the target layer.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::FullGrad | Self::Rise)
    }

    /// The formula from activations and gradients at any layer, where that is all that the method looks at.
    pub(crate) fn formula(self) -> Option<fn(&Point<'_>) -> Vec<f32>> {
        match self {
            Self::GradCam => Some(methods::grad_cam::formula),
            Self::HiresCam => Some(methods::hires_cam::formula),
            Self::GradCamPlusPlus => Some(methods::grad_cam_plus_plus::formula),
            Self::XGradCam => Some(methods::x_grad_cam::formula),
            Self::LayerCam => Some(methods::layer_cam::formula),
            Self::GradCamElementwise => Some(methods::grad_cam_elementwise::formula),
            Self::EigenCam => Some(methods::eigen_cam::formula),
            Self::EigenGradCam => Some(methods::eigen_grad_cam::formula),
            Self::ShapleyCam => Some(methods::shapley_cam::formula),
            Self::Cam | Self::ScoreCam | Self::AblationCam | Self::FullGrad | Self::Rise | Self::CentredCam => None,
        }
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
/// or not a number, [`Error::NoReference`] for [`Method::CentredCam`], [`Error::NeedsNetwork`] for a method without [closed form](Method::has_closed_form), [`Error::NoLabel`] for
/// [`Target::Label`], which needs an [`Explainer`](crate::Explainer).
pub fn raw_maps(method: Method, target: Target, output: &Output, head: &Head) -> Result<Maps> {
    raw_maps_with(method, target, None, output, head)
}

/// The maps of [`Method::CentredCam`], otherwise as [`raw_maps`]: from one forward pass and the reference's mean features.
///
/// # Errors
/// As [`raw_maps`]; [`Error::Shape`] also for a reference of other features.
pub fn centred_maps(target: Target, output: &Output, head: &Head, reference: &Reference) -> Result<Maps> {
    centred_maps_with(target, None, output, head, reference)
}

/// [`centred_maps`] with labels `[N, A]`.
pub(crate) fn centred_maps_with(
    target: Target,
    labels: Option<&[i8]>,
    output: &Output,
    head: &Head,
    reference: &Reference,
) -> Result<Maps> {
    methods::centred_cam::raw(Evidence::new(target, labels, output, head)?, reference)
}

/// [`raw_maps`] with labels `[N, A]`.
pub(crate) fn raw_maps_with(
    method: Method,
    target: Target,
    labels: Option<&[i8]>,
    output: &Output,
    head: &Head,
) -> Result<Maps> {
    let evidence = Evidence::new(target, labels, output, head)?;
    match (method, method.formula()) {
        (Method::Cam, _) => methods::cam::raw(&evidence),
        // One product of matrices instead of a loop over images and attributes.
        (Method::GradCam | Method::ShapleyCam, _) => methods::grad_cam::raw(&evidence),
        (Method::HiresCam, _) => methods::hires_cam::raw(&evidence),
        (Method::AblationCam, _) => evidence.each(methods::ablation_cam::closed_form),
        (Method::CentredCam, _) => Err(Error::NoReference),
        (_, Some(formula)) => evidence.each(formula),
        (_, None) => Err(Error::NeedsNetwork { method }),
    }
}
