//! Score-CAM.

use candle_core::Tensor;
use model::{Mode, Network};
use rayon::prelude::*;

use super::masking::masked_images;
use super::point::weighted;
use crate::{Result, Target, Upsampling};

/// What a channel's map is divided by at least; pytorch-grad-cam's.
const EPSILON: f32 = 1e-8;

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
    fn equal_scores_weigh_equally_and_large_ones_do_not_overflow() {
        let features = [1.0, 3.0, 2.0, 6.0];
        assert_eq!(map(&features, Target::Predicted, 1.0, &[-5e3, 5e3]), [2.0, 4.0]);
        assert_eq!(map(&features, Target::Positive, 1.0, &[-5e3, 5e3]), [3.0, 6.0]);
        assert_eq!(map(&features, Target::Negative, -1.0, &[-5e3, 5e3]), [1.0, 2.0]);
    }
}
