//! Scaling of values to [0, 1] by their least and their largest.

/// What is added to a map's range before the division by it, pytorch-grad-cam's.
pub(crate) const EPSILON: f32 = 1e-7;

/// m -> (m - min) / (epsilon + max(m - min)).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    least: f32,
    divisor: f32,
}

impl Scale {
    /// For values of which the least and the largest are known.
    pub(crate) fn between(least: f32, largest: f32, epsilon: f32) -> Self {
        Self {
            least,
            divisor: epsilon + (largest - least).max(0.0),
        }
    }

    /// For max(values, 0), finite, with [`EPSILON`].
    pub(crate) fn of_positive(values: &[f32]) -> Self {
        // Eight independent minima and maxima keep the loop from waiting for itself.
        const LANES: usize = 8;
        let (mut least, mut largest) = ([f32::INFINITY; LANES], [0.0_f32; LANES]);
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                least[lane] = if chunk[lane] < least[lane] {
                    chunk[lane]
                } else {
                    least[lane]
                };
                largest[lane] = if chunk[lane] > largest[lane] {
                    chunk[lane]
                } else {
                    largest[lane]
                };
            }
        }
        let least = rest.iter().chain(&least).fold(f32::INFINITY, |a, &b| a.min(b)).max(0.0);
        let largest = rest.iter().chain(&largest).fold(0.0, |a: f32, &b| a.max(b));
        Self::between(least, largest, EPSILON)
    }

    pub(crate) fn apply(self, value: f32) -> f32 {
        (value - self.least) / self.divisor
    }
}

/// Scales all values, of either sign. Where one is not finite, all become NaN.
pub(crate) fn scale(values: &mut [f32], epsilon: f32) {
    if values.iter().any(|value| !value.is_finite()) {
        values.fill(f32::NAN);
        return;
    }
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = Scale::between(least, largest, epsilon);
    values.iter_mut().for_each(|value| *value = scale.apply(*value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_becomes_zero_to_one() {
        let mut values = [-1.0, 1.0, 0.0];
        scale(&mut values, 0.0);
        assert_eq!(values, [0.0, 1.0, 0.5]);
        let positive = Scale::of_positive(&[-3.0, 2.0, 4.0]);
        assert!((positive.apply(4.0) - 1.0).abs() < 1e-6 && positive.apply(0.0) == 0.0);
    }

    #[test]
    fn what_has_no_range_becomes_zero_and_what_is_broken_stays_so() {
        let mut flat = [2.0; 3];
        scale(&mut flat, EPSILON);
        assert_eq!(flat, [0.0; 3]);
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [0.0, broken];
            scale(&mut values, EPSILON);
            assert!(values.iter().all(|value| value.is_nan()));
        }
    }
}
