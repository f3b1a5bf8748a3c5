//! Differences that no NaN slips through.

/// The largest absolute difference between two slices; infinite where a value on either side is not finite.
///
/// `f64::max` leaves a NaN out, so that a maximum of differences would not see what is most wrong.
///
/// # Panics
/// Where there is nothing to compare, or not as much on both sides.
#[track_caller]
pub fn largest_difference<A: Copy + Into<f64>, B: Copy + Into<f64>>(found: &[A], expected: &[B]) -> f64 {
    assert_eq!(found.len(), expected.len(), "values to compare");
    assert!(!found.is_empty(), "nothing to compare");
    let differences = found.iter().zip(expected).map(|(a, b)| {
        let difference = ((*a).into() - (*b).into()).abs();
        if difference.is_finite() {
            difference
        } else {
            f64::INFINITY
        }
    });
    differences.fold(0.0, f64::max)
}

/// [`largest_difference`] in units of the largest expected magnitude.
///
/// # Panics
/// As [`largest_difference`].
#[track_caller]
pub fn relative_difference<A: Copy + Into<f64>, B: Copy + Into<f64>>(found: &[A], expected: &[B]) -> f64 {
    let difference = largest_difference(found, expected);
    let magnitudes = expected.iter().map(|value| (*value).into().abs());
    // Both may be infinite, and their quotient would be no number.
    if difference.is_finite() {
        difference / magnitudes.fold(f64::MIN_POSITIVE, f64::max)
    } else {
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_the_largest() {
        assert_eq!(largest_difference(&[1.0_f32, -2.0, 3.0], &[1.5_f64, -2.0, 2.0]), 1.0);
        assert_eq!(relative_difference(&[1.0, -2.0], &[1.0, -4.0]), 0.5);
        assert_eq!(relative_difference(&[0.0], &[0.0]), 0.0);
    }

    #[test]
    fn no_value_that_is_not_finite_is_close_to_anything() {
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for compare in [largest_difference::<f32, f32>, relative_difference::<f32, f32>] {
                // Wherever it is, and also where it is expected.
                for at in 0..3 {
                    let mut values = [1.0, 2.0, 3.0];
                    values[at] = broken;
                    assert_eq!(compare(&values, &[1.0, 2.0, 3.0]), f64::INFINITY);
                    assert_eq!(compare(&[1.0, 2.0, 3.0], &values), f64::INFINITY);
                    assert_eq!(compare(&values, &values), f64::INFINITY);
                }
            }
        }
    }

    #[test]
    #[should_panic = "nothing to compare"]
    fn nothing_agrees_with_nothing() {
        largest_difference::<f32, f32>(&[], &[]);
    }

    #[test]
    #[should_panic = "values to compare"]
    fn a_part_is_not_the_whole() {
        relative_difference(&[1.0], &[1.0, 2.0]);
    }
}
