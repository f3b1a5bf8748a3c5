//! Score-CAM.

use candle_core::Tensor;
use model::{Mode, Network};
use rayon::prelude::*;

use super::point::weighted;
use crate::error::named;
use crate::explainer::masked_images;
use crate::{Result, Target};

/// What a channel's map is divided by at least; pytorch-grad-cam's.
const EPSILON: f32 = 1e-8;

/// Where the cells of a channel lie in the image that they mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// The outermost cells' centres are the image's corners: the authors' code and pytorch-grad-cam.
    #[default]
    CornerAligned,
    /// The cells tile the image, as in the resize of final maps.
    HalfPixel,
}

named!(
    Upsampling,
    "upsampling",
    [CornerAligned = "corner_aligned", HalfPixel = "half_pixel"]
);

impl Upsampling {
    fn position(self, pixel: usize, cells: usize, size: usize) -> f32 {
        let position = match self {
            Self::CornerAligned => pixel as f32 * (cells - 1) as f32 / (size - 1).max(1) as f32,
            Self::HalfPixel => (pixel as f32 + 0.5) * cells as f32 / size as f32 - 0.5,
        };
        position.clamp(0.0, (cells - 1) as f32)
    }

    /// Bilinear, `[height, width]` to `[rows, columns]`.
    pub(crate) fn enlarge(self, map: &[f32], [height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows * columns);
        let across: Vec<_> = (0..columns)
            .map(|x| neighbours(self.position(x, width, columns), width))
            .collect();
        for y in 0..rows {
            let (top, bottom, down) = neighbours(self.position(y, height, rows), height);
            let (top, bottom) = (&map[top * width..][..width], &map[bottom * width..][..width]);
            out.extend(across.iter().map(|&(left, right, across)| {
                let upper = top[left] * (1.0 - across) + top[right] * across;
                let lower = bottom[left] * (1.0 - across) + bottom[right] * across;
                upper * (1.0 - down) + lower * down
            }));
        }
        out
    }
}

fn neighbours(position: f32, cells: usize) -> (usize, usize, f32) {
    let first = (position as usize).min(cells - 1);
    (first, (first + 1).min(cells - 1), position - first as f32)
}

/// L = sum_k w_k A_k with w the softmax over the channels of the scores of the image times its channel k, enlarged and scaled to
/// [0, 1]: Wang et al. 2020, *Score-CAM*, without the blank image's score as in the authors' code (softmax does
/// not see a constant).
///
/// `image` `[1, 3, S, S]`, `features` `[P, C]` of `[height, width]` positions; returns `[A, C]`, the logits of the image behind every
/// channel, from C forward passes, for all attributes.
pub(crate) fn masked_logits(
    network: &Network,
    image: &Tensor,
    features: &[f32],
    cells: [usize; 2],
    upsampling: Upsampling,
    rows: usize,
) -> Result<Vec<Vec<f32>>> {
    let channels = features.len() / (cells[0] * cells[1]);
    let (_, _, height, width) = image.dims4()?;
    let mut logits = vec![Vec::with_capacity(channels); network.outputs()];
    for start in (0..channels).step_by(rows) {
        let count = rows.min(channels - start);
        let mask = |channel: usize| {
            let map: Vec<f32> = features.iter().skip(channel).step_by(channels).copied().collect();
            let mut mask = upsampling.enlarge(&map, cells, [height, width]);
            let least = mask.iter().copied().fold(f32::INFINITY, f32::min);
            let largest = mask.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let divisor = largest - least + EPSILON;
            mask.iter_mut().for_each(|value| *value = (*value - least) / divisor);
            mask
        };
        let masks: Vec<Vec<f32>> = (start..start + count).into_par_iter().map(mask).collect();
        let output = network.forward(&masked_images(image, &masks.concat())?, Mode::Eval)?;
        for row in output.logits.to_vec2::<f32>()? {
            logits.iter_mut().zip(row).for_each(|(all, logit)| all.push(logit));
        }
    }
    Ok(logits)
}

/// The map of one attribute from its logits behind every channel.
pub(crate) fn map(features: &[f32], target: Target, sign: f32, logits: &[f32]) -> Vec<f32> {
    let scores: Vec<f64> = logits
        .iter()
        .map(|logit| f64::from(target.score(sign, *logit)))
        .collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    weighted(features, &powers.iter().map(|power| power / sum).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_and_half_pixels_by_hand() {
        let enlarge = |upsampling: Upsampling| upsampling.enlarge(&[0.0, 3.0], [1, 2], [1, 4]);
        assert_eq!(enlarge(Upsampling::CornerAligned), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(enlarge(Upsampling::HalfPixel), [0.0, 0.75, 2.25, 3.0]);
        assert_eq!(Upsampling::CornerAligned.enlarge(&[2.0], [1, 1], [2, 2]), [2.0; 4]);
    }

    #[test]
    fn equal_scores_weigh_equally_and_large_ones_do_not_overflow() {
        let features = [1.0, 3.0, 2.0, 6.0];
        assert_eq!(map(&features, Target::Predicted, 1.0, &[-5e3, 5e3]), [2.0, 4.0]);
        assert_eq!(map(&features, Target::Positive, 1.0, &[-5e3, 5e3]), [3.0, 6.0]);
        assert_eq!(map(&features, Target::Negative, -1.0, &[-5e3, 5e3]), [1.0, 2.0]);
    }
}
