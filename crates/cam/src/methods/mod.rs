//! One file per method, and what they share.

pub(crate) mod ablation_cam;
mod cam;
mod centred_cam;
pub(crate) mod closed_form;
mod eigen_cam;
mod eigen_grad_cam;
pub(crate) mod fame;
pub(crate) mod fem;
mod forward_pass;
pub(crate) mod full_grad;
mod grad_cam;
mod grad_cam_elementwise;
mod grad_cam_plus_plus;
mod hires_cam;
mod kpca_cam;
mod layer_cam;
pub(crate) mod masking;
pub(crate) mod point;
pub(crate) mod refine_cam;
pub(crate) mod rise;
pub(crate) mod score_cam;
mod seg_eigen_cam;
mod shapley_cam;
mod x_grad_cam;
