//! RefineCAM.

/// Multiplies a map by another: L = prod_l F_l with F_l the final Grad-CAM++ maps (in [0, 1], of the image's size) of all layers from the
/// first to the target layer: pytorch-grad-cam's `RefineCAM` (arXiv 2605.14641) with its base method.
///
/// A place has a value only where every layer shows one. So the fine map of an early layer, which shows edges everywhere, is kept where
/// the later layers look, and one layer without any value leaves none.
pub(crate) fn multiply(product: &mut [f32], map: &[f32]) {
    product
        .iter_mut()
        .zip(map)
        .for_each(|(product, value)| *product *= value);
}
