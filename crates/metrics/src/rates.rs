//! Error rates of one binary attribute, per class.

use crate::class::Class;
use crate::error::{Error, check_length};
use crate::statistics::{Interval, wilson};

/// Counts behind the error rates of one attribute over a set of samples. Samples without annotation are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorRates {
    /// Samples with label `+1`.
    pub positives: usize,
    /// Samples with label `-1`.
    pub negatives: usize,
    /// Samples with label `+1` and a score below 0.
    pub false_negatives: usize,
    /// Samples with label `-1` and a score of at least 0.
    pub false_positives: usize,
}

impl ErrorRates {
    /// False negatives / positives, in `[0, 1]`; `None` without positives.
    #[must_use]
    pub fn false_negative_rate(&self) -> Option<f64> {
        ratio(self.false_negatives, self.positives)
    }

    /// False positives / negatives, in `[0, 1]`; `None` without negatives.
    #[must_use]
    pub fn false_positive_rate(&self) -> Option<f64> {
        ratio(self.false_positives, self.negatives)
    }

    /// The error rate among the samples *of* a class: the false negative rate of the positive class, the false positive rate of
    /// the negative class. With the training split's [`Class::minority`] this is the paper's minority error.
    #[must_use]
    pub fn rate(&self, class: Class) -> Option<f64> {
        match class {
            Class::Positive => self.false_negative_rate(),
            Class::Negative => self.false_positive_rate(),
        }
    }

    /// The 95 % confidence interval of [`ErrorRates::rate`], Wilson's; `None` without samples of the class.
    #[must_use]
    pub fn interval(&self, class: Class) -> Option<Interval> {
        match class {
            Class::Positive => wilson(self.false_negatives, self.positives),
            Class::Negative => wilson(self.false_positives, self.negatives),
        }
    }

    /// Number of samples of a class.
    #[must_use]
    pub fn count(&self, class: Class) -> usize {
        match class {
            Class::Positive => self.positives,
            Class::Negative => self.negatives,
        }
    }

    /// All errors / all samples; `None` without samples.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        ratio(
            self.false_negatives + self.false_positives,
            self.positives + self.negatives,
        )
    }

    /// Mean of the false negative and the false positive rate; `None` unless both classes have samples.
    #[must_use]
    pub fn balanced_error(&self) -> Option<f64> {
        Some((self.false_negative_rate()? + self.false_positive_rate()?) / 2.0)
    }

    /// Adds one sample. A label of 0 changes nothing.
    fn add(&mut self, score: f32, label: f32) {
        let predicted = Class::predicted(score);
        if label > 0.0 {
            self.positives += 1;
            self.false_negatives += usize::from(predicted == Class::Negative);
        } else if label < 0.0 {
            self.negatives += 1;
            self.false_positives += usize::from(predicted == Class::Positive);
        }
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Counts the errors of one attribute. `scores[i]` and `labels[i]` belong to sample `i`; labels may be `i8` or `f32`.
///
/// # Errors
/// Slices of different length, a NaN score, or a label other than `-1`, `0`, `+1`.
pub fn error_rates<L: Copy + Into<f32>>(scores: &[f32], labels: &[L]) -> Result<ErrorRates, Error> {
    let mut rates = error_rates_by_attribute(scores, labels, 1)?;
    Ok(rates.pop().unwrap_or_default())
}

/// Counts the errors of all attributes. `scores` and `labels` are row-major `[N, attributes]`; one entry per attribute comes back.
///
/// # Errors
/// As [`error_rates`]; also if the length is no multiple of `attributes`.
pub fn error_rates_by_attribute<L: Copy + Into<f32>>(
    scores: &[f32],
    labels: &[L],
    attributes: usize,
) -> Result<Vec<ErrorRates>, Error> {
    check_length("labels", labels.len(), scores.len())?;
    let mut rates = vec![ErrorRates::default(); attributes];
    if scores.is_empty() {
        return Ok(rates);
    }
    if attributes == 0 || !scores.len().is_multiple_of(attributes) {
        return Err(Error::Ragged {
            len: scores.len(),
            columns: attributes,
        });
    }
    for (index, (&score, &label)) in scores.iter().zip(labels).enumerate() {
        let label: f32 = label.into();
        if score.is_nan() {
            return Err(Error::NotANumber { index });
        }
        if ![-1.0, 0.0, 1.0].contains(&label) {
            return Err(Error::Label { index, value: label });
        }
        rates[index % attributes].add(score, label);
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let rates = error_rates(&[1.0, -1.0, -0.0, -2.0, 3.0], &[1.0_f32, 1.0, -1.0, -1.0, 0.0]).unwrap();
        assert_eq!(
            rates,
            ErrorRates {
                positives: 2,
                negatives: 2,
                false_negatives: 1,
                false_positives: 1
            }
        );
        assert_eq!(rates.error(), Some(0.5));
        assert_eq!(rates.balanced_error(), Some(0.5));
    }

    #[test]
    fn one_class_has_no_rate_of_the_other() {
        let rates = error_rates(&[1.0, -1.0], &[1_i8, 1]).unwrap();
        assert_eq!(rates.false_positive_rate(), None);
        assert_eq!(rates.balanced_error(), None);
        assert_eq!(rates.error(), Some(0.5));
        assert_eq!(error_rates::<i8>(&[], &[]).unwrap().error(), None);
    }

    #[test]
    fn columns_are_attributes() {
        let rates = error_rates_by_attribute(&[1.0, -1.0, 1.0, -1.0], &[-1_i8, -1, 1, 1], 2).unwrap();
        assert_eq!((rates[0].false_positives, rates[0].false_negatives), (1, 0));
        assert_eq!((rates[1].false_positives, rates[1].false_negatives), (0, 1));
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(matches!(error_rates(&[1.0], &[1_i8, 1]), Err(Error::Length { .. })));
        assert!(matches!(
            error_rates(&[f32::NAN], &[1_i8]),
            Err(Error::NotANumber { index: 0 })
        ));
        assert!(matches!(error_rates(&[1.0], &[2_i8]), Err(Error::Label { .. })));
        assert!(matches!(
            error_rates_by_attribute(&[1.0; 3], &[1_i8; 3], 2),
            Err(Error::Ragged { .. })
        ));
        assert!(matches!(
            error_rates_by_attribute(&[1.0; 3], &[1_i8; 3], 0),
            Err(Error::Ragged { .. })
        ));
    }
}
