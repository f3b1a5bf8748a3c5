//! One attribute's scores in their order.

use super::halves::Half;
use crate::error::{Error, check_length};

/// One attribute's scores, sorted once, to be measured under many weights.
///
/// A bootstrap draws images, or people with all their images, with replacement; how often each was drawn is its weight. The order of the
/// scores stays, so that every measurement is a pass over them.
///
/// ```
/// use metrics::{Ranking, halves};
///
/// let (scores, labels) = ([0.5_f32, -1.0, -0.25, 2.0], [1_i8, -1, 1, -1]);
/// let ranking = Ranking::of(&scores, &labels, &halves(&["a", "b", "c", "d"]))?;
/// assert_eq!(ranking.discrimination(None)?.auroc, Some(0.5));
/// // Without the last image both positives are above the one negative.
/// let drawn = ranking.discrimination(Some(&[1.0, 2.0, 1.0, 0.0]))?;
/// assert_eq!((drawn.auroc, drawn.average_precision), (Some(1.0), Some(1.0)));
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ranking {
    /// What has a label, from the lowest score to the highest.
    samples: Vec<Sample>,
    /// The same of either half: a pass over one half of the mixed samples would guess wrongly at every other one.
    halves: [Vec<Sample>; 2],
    /// Images, with a label or without.
    images: usize,
}

/// An image with a label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Its score; zero has no sign.
    pub score: f32,
    /// Its place in the slices.
    image: u32,
    pub positive: bool,
}

impl Ranking {
    /// Sorts the scores of one attribute. `scores[i]`, `labels[i]` and `halves[i]` belong to image `i`; labels are `+1`, `-1`, or `0` for
    /// "not annotated", which is left out. [`halves()`](super::halves()) makes the halves, which [`calibrated`](Self::calibrated) needs.
    ///
    /// # Errors
    /// Slices of different length, a NaN score (of any image), a label other than `-1`, `0`, `+1`, or 2³² images.
    pub fn of<L: Copy + Into<f32>>(scores: &[f32], labels: &[L], halves: &[Half]) -> Result<Self, Error> {
        check_length("labels", labels.len(), scores.len())?;
        check_length("halves", halves.len(), scores.len())?;
        let mut samples = Vec::with_capacity(scores.len());
        for (image, ((&score, &label), &half)) in scores.iter().zip(labels).zip(halves).enumerate() {
            let label: f32 = label.into();
            if score.is_nan() {
                return Err(Error::NotANumber { index: image });
            }
            if ![-1.0, 0.0, 1.0].contains(&label) {
                return Err(Error::Label {
                    index: image,
                    value: label,
                });
            }
            if label != 0.0 {
                let sample = Sample {
                    // -0 + 0 is 0: what is equal is next to each other.
                    score: score + 0.0,
                    image: u32::try_from(image).map_err(|_| Error::Image {
                        image,
                        images: u32::MAX as usize,
                    })?,
                    positive: label > 0.0,
                };
                samples.push((sample, half));
            }
        }
        samples.sort_by(|(a, _), (b, _)| a.score.total_cmp(&b.score));
        let of = |wanted: Half| {
            samples
                .iter()
                .filter(|(_, half)| *half == wanted)
                .map(|(sample, _)| *sample)
                .collect()
        };
        Ok(Self {
            halves: [Half::First, Half::Second].map(of),
            samples: samples.iter().map(|(sample, _)| *sample).collect(),
            images: scores.len(),
        })
    }

    /// The samples from the lowest score to the highest.
    pub(super) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Those of a half, likewise.
    pub(super) fn samples_of(&self, half: Half) -> &[Sample] {
        &self.halves[usize::from(half == Half::Second)]
    }

    /// Weights by image; without any, all are 1.
    pub(super) fn weights<'a>(&self, given: Option<&'a [f64]>) -> Result<Weights<'a>, Error> {
        if let Some(weights) = given {
            check_length("weights", weights.len(), self.images)?;
            let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
            if let Some(index) = weights.iter().position(bad) {
                return Err(Error::Weight {
                    index,
                    value: weights[index],
                });
            }
        }
        Ok(Weights(given))
    }
}

/// Checked weights by image.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a>(Option<&'a [f64]>);

impl Weights<'_> {
    /// An image's.
    pub fn of(self, sample: &Sample) -> f64 {
        self.0.map_or(1.0, |weights| weights[sample.image as usize])
    }
}

/// A share of two sums of weights; `None` where there is no weight, or so much that it is no number.
pub(super) fn share(part: f64, whole: f64) -> Option<f64> {
    let share = part / whole;
    (whole > 0.0 && share.is_finite()).then(|| share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_no_image_is_refused() {
        let halves = [Half::First, Half::Second];
        let of = |scores: &[f32], labels: &[f32]| Ranking::of(scores, labels, &halves);
        assert_eq!(
            of(&[f32::NAN, 1.0], &[0.0, 1.0]).unwrap_err(),
            Error::NotANumber { index: 0 }
        );
        assert_eq!(
            of(&[1.0, 1.0], &[1.0, 0.5]).unwrap_err(),
            Error::Label { index: 1, value: 0.5 }
        );
        of(&[1.0, 1.0], &[1.0]).unwrap_err();
        of(&[1.0; 3], &[1.0; 3]).unwrap_err();
        let ranking = of(&[1.0, 2.0], &[1.0, -1.0]).unwrap();
        for weights in [[1.0, -0.5], [1.0, f64::NAN], [1.0, f64::INFINITY]] {
            let error = ranking.discrimination(Some(&weights)).unwrap_err();
            assert!(matches!(error, Error::Weight { index: 1, .. }), "{error}");
            ranking.calibrated(Some(&weights)).unwrap_err();
        }
        ranking.discrimination(Some(&[1.0])).unwrap_err();
    }
}
