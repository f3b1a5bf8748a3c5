//! The methods by name.

use crate::names::named;

/// A way to make maps.
///
/// To add one: a file in `methods` with its formula, a variant here with its name, and a line in [`raw_maps`](crate::raw_maps) or
/// [`Explainer`](crate::Explainer). `docs/understand/methods.md` compares them.
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
    /// Seg-Eigen-CAM (Chung & Ying 2025): Eigen-CAM of the size of gradient times activation. Independent of the target.
    SegEigenCam,
    /// KPCA-CAM (Karmani et al. 2024): first kernel principal component of the activations.
    KpcaCam,
    /// FEM in pytorch-grad-cam's form, after Fuad et al. 2020: channels weighted by how often they stand out. Independent of attribute
    /// and target.
    Fem,
    /// RefineCAM (pytorch-grad-cam): the product of the Grad-CAM++ maps of all layers up to the target layer.
    RefineCam,
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
    /// FAME (Zhang & Günther 2026): where the image changes when it is moved so that the score falls. Independent of the layer; many
    /// forward and backward passes.
    Fame,
    /// HiresCAM of what an image has beyond the mean of a [`Reference`](crate::Reference): it explains the part of the score that
    /// is specific to the image. At the last stage only.
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
        SegEigenCam = "seg_eigen_cam",
        KpcaCam = "kpca_cam",
        Fem = "fem",
        RefineCam = "refine_cam",
        ScoreCam = "score_cam",
        AblationCam = "ablation_cam",
        FullGrad = "full_grad",
        ShapleyCam = "shapley_cam",
        Rise = "rise",
        Fame = "fame",
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
            Self::SegEigenCam => "Seg-Eigen-CAM",
            Self::KpcaCam => "KPCA-CAM",
            Self::Fem => "FEM",
            Self::RefineCam => "RefineCAM",
            Self::ScoreCam => "Score-CAM",
            Self::AblationCam => "Ablation-CAM",
            Self::FullGrad => "FullGrad",
            Self::ShapleyCam => "ShapleyCAM",
            Self::Rise => "RISE",
            Self::Fame => "FAME",
            Self::CentredCam => "centred CAM",
        }
    }

    /// Whether [`raw_maps`](crate::raw_maps) makes its maps, from one forward pass; the others need an [`Explainer`](crate::Explainer).
    pub fn has_closed_form(self) -> bool {
        !matches!(
            self,
            Self::ScoreCam | Self::FullGrad | Self::Rise | Self::Fame | Self::RefineCam | Self::CentredCam
        )
    }

    /// Whether its maps have the image's size, whatever the layer; the others have that of the target layer.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::FullGrad | Self::Rise | Self::Fame | Self::RefineCam)
    }

    /// Whether it looks at the target layer.
    pub fn has_layer(self) -> bool {
        !matches!(self, Self::FullGrad | Self::Rise | Self::Fame)
    }
}
