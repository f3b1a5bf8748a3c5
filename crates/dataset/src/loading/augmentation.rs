use rand::Rng;
use rand_distr::StandardNormal;

use crate::{Error, Result, Similarity};

/// Side of the square in whose pixels AFFACT states its blur.
const BLUR_SIDE: f64 = 224.0;

/// Random changes to an aligned training image: how widely each is drawn.
///
/// Scale, rotation, shift and mirroring are composed with the alignment into one resampling; blur and light follow.
/// Scale and rotation are about the middle of the square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Standard deviation of the scale, whose mean is 1.
    pub scale: f32,
    /// Standard deviation of the rotation, degrees.
    pub rotation: f32,
    /// Standard deviation of the shift in x and in y, sides of the square.
    pub shift: f32,
    /// The Gaussian blur's sigma is |N(0, `blur`)|, in pixels of a square of 224; it scales with the side.
    pub blur: f32,
    /// Probability of a mirror image.
    pub mirror: f32,
    /// Standard deviation of a value added to all pixels, which are in \[0, 1\].
    pub brightness: f32,
    /// Standard deviation of the contrast, a factor of mean 1 on the distance to 0.5.
    pub contrast: f32,
}

impl Augmentation {
    /// Images as they are.
    pub fn none() -> Self {
        Self {
            scale: 0.0,
            rotation: 0.0,
            shift: 0.0,
            blur: 0.0,
            mirror: 0.0,
            brightness: 0.0,
            contrast: 0.0,
        }
    }

    /// AFFACT's (Günther 2017): scale N(1, 0.1), rotation N(0, 20 degrees), shift N(0, 0.05), blur |N(0, 3)|, mirror 1/2.
    pub fn affact() -> Self {
        Self {
            scale: 0.1,
            rotation: 20.0,
            shift: 0.05,
            blur: 3.0,
            mirror: 0.5,
            ..Self::none()
        }
    }

    /// # Errors
    /// When a deviation is negative or not finite, or the probability not one.
    pub(crate) fn check(&self) -> Result<()> {
        let deviations = [
            ("scale", self.scale),
            ("rotation", self.rotation),
            ("shift", self.shift),
            ("blur", self.blur),
            ("brightness", self.brightness),
            ("contrast", self.contrast),
        ];
        let invalid = |name: &str, value: f32, expected: &str| {
            Err(Error::Invalid {
                what: format!("augmentation.{name}"),
                found: value.to_string(),
                expected: expected.to_owned(),
            })
        };
        for (name, value) in deviations {
            if !(value.is_finite() && value >= 0.0) {
                return invalid(name, value, "a standard deviation, 0 or more");
            }
        }
        if !(0.0..=1.0).contains(&self.mirror) {
            return invalid("mirror", self.mirror, "a probability between 0 and 1");
        }
        Ok(())
    }

    /// One draw. It always consumes the same numbers in the same order, so that switching one change off leaves the
    /// others as they were.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Draw {
        let mut normal = |deviation: f32| f64::from(deviation) * rng.sample::<f64, _>(StandardNormal);
        let scale = (1.0 + normal(self.scale)).clamp(0.2, 5.0);
        let angle = normal(self.rotation).to_radians();
        let shift = [normal(self.shift), normal(self.shift)];
        let blur = normal(self.blur).abs();
        let brightness = normal(self.brightness) as f32;
        let contrast = (1.0 + normal(self.contrast) as f32).max(0.0);
        let mirror = rng.random::<f32>() < self.mirror;
        Draw {
            scale,
            angle,
            shift,
            blur,
            mirror,
            brightness,
            contrast,
        }
    }
}

/// What happens to one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Draw {
    scale: f64,
    angle: f64,
    shift: [f64; 2],
    blur: f64,
    pub(crate) mirror: bool,
    pub(crate) brightness: f32,
    pub(crate) contrast: f32,
}

impl Draw {
    /// The alignment, seen through the drawn scale, rotation and shift: a scale above 1 enlarges the face.
    pub(crate) fn transform(&self, alignment: &Similarity, size: usize) -> Similarity {
        let side = size as f64;
        let to = [side / 2.0, side / 2.0];
        let from = [side * (0.5 + self.shift[0]), side * (0.5 + self.shift[1])];
        alignment.compose(&Similarity::about(1.0 / self.scale, -self.angle, from, to))
    }

    /// Blur and light, on a square `[size, size, 3]`.
    pub(crate) fn finish(&self, size: usize, pixels: &mut [f32], scratch: &mut Vec<f32>) {
        blur(size, &self.taps(size), pixels, scratch);
        if self.contrast != 1.0 || self.brightness != 0.0 {
            for value in pixels {
                *value = ((*value - 0.5) * self.contrast + 0.5 + self.brightness).clamp(0.0, 1.0);
            }
        }
    }

    /// The weights of the blur in a square of `size`, from the middle outwards to one side; empty where it changes nothing.
    pub(crate) fn taps(&self, size: usize) -> Vec<f32> {
        gaussian(self.blur * size as f64 / BLUR_SIDE, size)
    }
}

/// One half of a Gaussian of `sigma` pixels, its middle first, cut at three sigma. One below 0.2 changes no byte and is left out.
fn gaussian(sigma: f64, size: usize) -> Vec<f32> {
    let sigma = sigma.min(size as f64);
    if sigma < 0.2 {
        return Vec::new();
    }
    let radius = (3.0 * sigma).ceil() as usize;
    let weight = |offset: usize| (-0.5 * (offset as f64 / sigma).powi(2)).exp();
    let sum = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f64>();
    (0..=radius).map(|offset| (weight(offset) / sum) as f32).collect()
}

/// Weighted sums along columns and rows, with replicated edges.
fn blur(size: usize, kernel: &[f32], pixels: &mut [f32], scratch: &mut Vec<f32>) {
    let Some(radius) = kernel.len().checked_sub(1) else {
        return;
    };
    let row = 3 * size;
    let accumulate = |out: &mut [f32], weight: f32, values: &[f32]| {
        for (out, value) in out.iter_mut().zip(values) {
            *out += weight * value;
        }
    };

    // Down the columns: every output row is a weighted sum of input rows.
    scratch.clear();
    scratch.resize(row * size, 0.0);
    for (y, out) in scratch.chunks_exact_mut(row).enumerate() {
        let input = |y: usize| &pixels[y * row..][..row];
        accumulate(out, kernel[0], input(y));
        for (offset, &weight) in kernel.iter().enumerate().skip(1) {
            accumulate(out, weight, input(y.saturating_sub(offset)));
            accumulate(out, weight, input((y + offset).min(size - 1)));
        }
    }

    // Along the rows: shifted copies of the row, padded by its outermost pixels.
    let mut padded = vec![0.0; row + 6 * radius];
    for (input, out) in scratch.chunks_exact(row).zip(pixels.chunks_exact_mut(row)) {
        padded[3 * radius..][..row].copy_from_slice(input);
        for offset in 0..radius {
            padded[3 * offset..][..3].copy_from_slice(&input[..3]);
            padded[3 * radius + row + 3 * offset..][..3].copy_from_slice(&input[row - 3..]);
        }
        out.fill(0.0);
        accumulate(out, kernel[0], &padded[3 * radius..]);
        for (offset, &weight) in kernel.iter().enumerate().skip(1) {
            accumulate(out, weight, &padded[3 * (radius - offset)..]);
            accumulate(out, weight, &padded[3 * (radius + offset)..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn draws(augmentation: Augmentation, n: usize) -> Vec<Draw> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..n).map(|_| augmentation.draw(&mut rng)).collect()
    }

    #[test]
    fn none_changes_nothing() {
        let alignment = Similarity::about(2.0, 0.1, [1.0, 2.0], [3.0, 4.0]);
        for draw in draws(Augmentation::none(), 20) {
            let transform = draw.transform(&alignment, 112);
            for point in [[0.0, 0.0], [112.0, 50.0]] {
                let (ours, plain) = (transform.apply(point), alignment.apply(point));
                assert_abs_diff_eq!(ours[0], plain[0], epsilon = 1e-9);
                assert_abs_diff_eq!(ours[1], plain[1], epsilon = 1e-9);
            }
            assert!(!draw.mirror);
            let mut pixels: Vec<f32> = (0..48).map(|value| value as f32 / 48.0).collect();
            let before = pixels.clone();
            draw.finish(4, &mut pixels, &mut Vec::new());
            assert_eq!(pixels, before);
        }
    }

    #[test]
    fn affact_draws_have_its_moments() {
        let n = 20_000;
        let draws = draws(Augmentation::affact(), n);
        let moments = |value: &dyn Fn(&Draw) -> f64| {
            let mean = draws.iter().map(value).sum::<f64>() / n as f64;
            let variance = draws.iter().map(|draw| (value(draw) - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, variance.sqrt())
        };
        // Five standard errors of each estimate.
        for (name, (mean, deviation), expected_mean, expected_deviation) in [
            ("scale", moments(&|draw| draw.scale), 1.0, 0.1),
            ("rotation", moments(&|draw| draw.angle.to_degrees()), 0.0, 20.0),
            ("shift x", moments(&|draw| draw.shift[0]), 0.0, 0.05),
            ("shift y", moments(&|draw| draw.shift[1]), 0.0, 0.05),
            // Half normal: mean 3 sqrt(2/pi), deviation 3 sqrt(1 - 2/pi).
            ("blur", moments(&|draw| draw.blur), 2.3937, 1.8084),
            ("mirror", moments(&|draw| f64::from(u8::from(draw.mirror))), 0.5, 0.5),
        ] {
            let error = 5.0 * expected_deviation / f64::sqrt(n as f64);
            assert!((mean - expected_mean).abs() < error, "{name}: mean {mean}");
            assert!(
                (deviation - expected_deviation).abs() < error,
                "{name}: deviation {deviation}"
            );
        }
    }

    #[test]
    fn a_draw_moves_the_face_as_it_says() {
        let draw = Draw {
            scale: 2.0,
            angle: std::f64::consts::FRAC_PI_2,
            shift: [0.25, 0.0],
            ..draws(Augmentation::none(), 1)[0]
        };
        let to_square = draw.transform(&Similarity::IDENTITY, 100).inverse().unwrap();
        // The middle moves by the shift; a point 10 to its right ends 20 below it.
        let [x, y] = to_square.apply([50.0, 50.0]);
        assert_abs_diff_eq!(x, 75.0, epsilon = 1e-9);
        assert_abs_diff_eq!(y, 50.0, epsilon = 1e-9);
        let [x, y] = to_square.apply([60.0, 50.0]);
        assert_abs_diff_eq!(x, 75.0, epsilon = 1e-9);
        assert_abs_diff_eq!(y, 70.0, epsilon = 1e-9);
    }

    #[test]
    fn blur_spreads_a_point_by_its_sigma_and_keeps_its_sum() {
        let (size, sigma) = (41, 2.5);
        let mut pixels = vec![0.0; 3 * size * size];
        pixels[3 * (20 * size + 20) + 1] = 1.0;
        blur(size, &gaussian(sigma, size), &mut pixels, &mut Vec::new());
        let green = |index: usize| f64::from(pixels[3 * index + 1]);
        let sum: f64 = (0..size * size).map(green).sum();
        let variance: f64 = (0..size * size)
            .map(|index| green(index) * (index as f64 % size as f64 - 20.0).powi(2))
            .sum();
        assert_abs_diff_eq!(sum, 1.0, epsilon = 1e-5);
        // Cutting at three sigma takes 3 % of the variance.
        assert_abs_diff_eq!(variance.sqrt(), sigma, epsilon = 0.05 * sigma);
        assert!(pixels.iter().step_by(3).all(|&red| red == 0.0));
    }

    #[test]
    fn blur_leaves_an_even_image_even_to_its_edges() {
        let mut pixels = vec![0.6; 3 * 9 * 9];
        blur(9, &gaussian(5.0, 9), &mut pixels, &mut Vec::new());
        for value in pixels {
            assert_abs_diff_eq!(value, 0.6, epsilon = 1e-5);
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |augmentation: Augmentation| augmentation.check().unwrap_err().to_string();
        assert_eq!(
            message(Augmentation {
                rotation: -1.0,
                ..Augmentation::none()
            }),
            "augmentation.rotation: -1, expected a standard deviation, 0 or more"
        );
        assert_eq!(
            message(Augmentation {
                mirror: 1.5,
                ..Augmentation::none()
            }),
            "augmentation.mirror: 1.5, expected a probability between 0 and 1"
        );
        assert!(
            Augmentation {
                blur: f32::NAN,
                ..Augmentation::none()
            }
            .check()
            .is_err()
        );
        assert!(Augmentation::affact().check().is_ok());
    }
}
