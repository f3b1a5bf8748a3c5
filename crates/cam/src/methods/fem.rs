//! FEM, the feature explanation method.

use super::point::{Point, weighted};

/// How many standard deviations above its mean a channel is active: the paper's and the library's.
const DEVIATIONS: f64 = 2.0;

/// L = sum_k s_k A_k with s_k the share of the positions at which A_k is more than two standard deviations above its mean:
/// pytorch-grad-cam's `FEM`.
///
/// It is called after Fuad et al. 2020, *Features Understanding in 3D CNNs for Actions Recognition in Video*, whose formula is another:
/// there the binary maps of those positions are summed, each times the mean of A_k.
///
/// The map shows where channels stand out, whichever score is explained: all attributes and targets have the same. Of n positions none can
/// be more than sqrt(n - 1) deviations above their mean, so a map of five cells or fewer is 0.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    map(point.features, point.channels)
}

/// The same from features `[P, C]` alone.
pub(crate) fn map(features: &[f32], channels: usize) -> Vec<f32> {
    let positions = (features.len() / channels) as f64;
    let column = |channel: usize| features.iter().skip(channel).step_by(channels).map(|a| f64::from(*a));
    let share = |channel: usize| {
        let mean = column(channel).sum::<f64>() / positions;
        let variance = column(channel).map(|a| (a - mean).powi(2)).sum::<f64>() / positions;
        let threshold = mean + DEVIATIONS * variance.sqrt();
        column(channel).filter(|a| *a > threshold).count() as f64 / positions
    };
    weighted(features, &(0..channels).map(share).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_count_by_how_often_they_stand_out() {
        // One of eight positions stands out in the first channel, none in the second (half are 0), and the third is constant.
        let mut features = Vec::new();
        for position in 0..8 {
            let first = if position == 3 { 8.0 } else { 0.0 };
            features.extend([first, f32::from(u8::from(position % 2 == 0)), 5.0]);
        }
        let mut expected = [0.0; 8];
        expected[3] = 1.0;
        assert_eq!(map(&features, 3), expected);
    }

    #[test]
    fn few_cells_never_stand_out() {
        for (cells, seen) in [(5, false), (6, true)] {
            let features: Vec<f32> = (0..cells).map(|cell| if cell == 0 { 1.0 } else { 0.0 }).collect();
            assert_eq!(map(&features, 1).iter().any(|value| *value > 0.0), seen, "{cells}");
        }
    }
}
