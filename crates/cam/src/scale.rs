//! Scaling of a map to [0, 1].

/// Added to a map's maximum before the division by it, as in pytorch-grad-cam.
const EPSILON: f32 = 1e-7;

/// m -> (m - min) / (1e-7 + max(m - min)).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    least: f32,
    divisor: f32,
}

impl Scale {
    /// For values of which the least and the largest are known, neither below 0.
    pub(crate) fn between(least: f32, largest: f32) -> Self {
        Self {
            least,
            divisor: EPSILON + (largest - least).max(0.0),
        }
    }

    /// For max(values, 0), finite.
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
        Self::between(least, largest)
    }

    pub(crate) fn apply(self, value: f32) -> f32 {
        (value - self.least) / self.divisor
    }
}

/// m = m - min(m); m = m / (1e-7 + max(m)). Values that are not finite become NaN.
pub(crate) fn scale(map: &mut [f32]) {
    if map.iter().any(|value| !value.is_finite()) {
        map.fill(f32::NAN);
        return;
    }
    let least = map.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let divisor = EPSILON + (largest - least);
    map.iter_mut().for_each(|value| *value = (*value - least) / divisor);
}
