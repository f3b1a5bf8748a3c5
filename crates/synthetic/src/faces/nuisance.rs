use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::raster::{Canvas, Colour, HEIGHT, Point, Shape, WIDTH, mix, shade};

/// What surrounds and disturbs a picture; drawn from the picture's own random numbers, and never from its labels.
#[derive(Clone, Debug)]
pub(super) struct Nuisance {
    background: [Colour; 2],
    direction: f32,
    blobs: Vec<(Point, Point, f32, Colour)>,
    gain: Colour,
    slope: Point,
    gamma: f32,
    occlusion: Option<(Point, Point, f32, Colour)>,
    blur: f32,
    noise: f32,
    noise_seed: u64,
}

impl Nuisance {
    pub fn sample(rng: &mut ChaCha8Rng) -> Self {
        let colour = |rng: &mut ChaCha8Rng| {
            let value = rng.random_range(0.08..0.92);
            let colour: Colour = std::array::from_fn(|_| rng.random_range(0.0..1.0));
            mix([value; 3], colour, rng.random_range(0.05..0.5))
        };
        let background = [colour(rng), colour(rng)];
        let blobs = (0..rng.random_range(0..5))
            .map(|_| {
                let centre = [rng.random_range(-95.0..95.0), rng.random_range(-115.0..110.0)];
                let radii = [rng.random_range(12.0..45.0), rng.random_range(12.0..60.0)];
                (centre, radii, rng.random_range(0.0..3.0), colour(rng))
            })
            .collect();
        let brightness = 1.0 + 0.13 * normal(rng).clamp(-2.2, 2.2);
        let warmth = 0.05 * normal(rng);
        let occlusion = rng.random_bool(0.12).then(|| {
            let centre = [rng.random_range(-60.0..60.0), rng.random_range(-60.0..100.0)];
            let radii = [rng.random_range(7.0..16.0), rng.random_range(12.0..34.0)];
            (centre, radii, rng.random_range(0.0..3.0), colour(rng))
        });
        Self {
            background,
            direction: rng.random_range(0.0..std::f32::consts::TAU),
            blobs,
            gain: [brightness * (1.0 + warmth), brightness, brightness * (1.0 - warmth)],
            slope: [0.0016 * normal(rng), 0.0010 * normal(rng)],
            gamma: (0.12 * normal(rng)).exp(),
            occlusion,
            blur: 0.55 * normal(rng).abs(),
            noise: rng.random_range(0.005..0.026),
            noise_seed: rng.random(),
        }
    }

    /// Other noise of the same strength.
    pub fn renew_noise(&mut self, number: u64) {
        self.noise_seed = ChaCha8Rng::seed_from_u64(self.noise_seed.wrapping_add(number + 1)).random();
    }

    /// A gradient with a few blurred lights or shadows.
    pub fn draw_background(&self, canvas: &mut Canvas) {
        let (sin, cos) = self.direction.sin_cos();
        let all = Shape::polygon(&[[-130.0, -150.0], [130.0, -150.0], [130.0, 150.0], [-130.0, 150.0]]);
        canvas.paint(&all, None, |p| {
            (
                mix(
                    self.background[0],
                    self.background[1],
                    0.5 + (p[0] * cos + p[1] * sin) / 250.0,
                ),
                1.0,
            )
        });
        for &(centre, radii, angle, colour) in &self.blobs {
            canvas.glow(centre, radii, angle, None, colour, 0.8);
        }
    }

    /// Something in the way, now and then.
    pub fn draw_occlusion(&self, canvas: &mut Canvas) {
        if let Some((centre, radii, angle, colour)) = self.occlusion {
            let (tall, wide) = (radii[1] / 2.0, radii[0] / 2.0);
            canvas.paint(&Shape::ellipse(centre, radii, angle), None, |p| {
                let height = 1.0 - ((p[0] - centre[0]) / tall).powi(2).min(1.0) * 0.2;
                (
                    shade(colour, height - 0.1 * ((p[1] - centre[1]) / wide).clamp(-1.0, 1.0)),
                    1.0,
                )
            });
        }
    }

    /// Lens and sensor: blur (`extra` pixels beyond the picture's own), light, noise.
    pub fn finish(&self, canvas: &mut Canvas, extra_blur: f32) {
        blur(&mut canvas.pixels, self.blur.hypot(extra_blur));
        let mut state = self.noise_seed | 1;
        for (i, pixel) in canvas.pixels.iter_mut().enumerate() {
            let (x, y) = ((i as u32 % WIDTH) as f32 - 89.0, (i as u32 / WIDTH) as f32 - 109.0);
            let light = 1.0 + self.slope[0] * x + self.slope[1] * y;
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // The sum of four uniform bytes is close to normal, with standard deviation 147.8.
            let bytes = state.to_le_bytes();
            let grain = |k: usize| {
                let sum: i32 = bytes[k..k + 4].iter().map(|&b| i32::from(b)).sum();
                self.noise * (sum - 510) as f32 / 147.8
            };
            let (shared, tint) = (grain(0), 0.5 * grain(4));
            let noise = [shared + tint, shared, shared - tint];
            for channel in 0..3 {
                let lit = (pixel[channel] * self.gain[channel] * light).clamp(0.0, 1.0);
                pixel[channel] = curve(lit, self.gamma) + noise[channel];
            }
        }
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f32 {
    rng.sample(StandardNormal)
}

/// A gamma close to 1 on [0, 1]: x + (g - 1) x ln x approximated by a parabola, as x^g is far dearer.
fn curve(x: f32, gamma: f32) -> f32 {
    x - (gamma - 1.0) * 1.5 * x * (1.0 - x)
}

/// A Gaussian blur of the standard deviation `sigma` in pixels; edges are replicated.
fn blur(pixels: &mut [Colour], sigma: f32) {
    if sigma < 0.25 {
        return;
    }
    let radius = (2.6 * sigma).ceil() as usize;
    let weight = |k: usize| (-0.5 * (k as f32 / sigma).powi(2)).exp();
    let total: f32 = (0..=radius).map(|k| if k == 0 { 1.0 } else { 2.0 * weight(k) }).sum();
    let kernel: Vec<f32> = (0..=2 * radius).map(|k| weight(k.abs_diff(radius)) / total).collect();

    let (width, height) = (3 * WIDTH as usize, HEIGHT as usize);
    let flat = pixels.as_flattened_mut();
    // Along the rows: each row with its ends repeated, shifted copies of it added.
    let mut padded = vec![0.0; width + 6 * radius];
    for row in flat.chunks_exact_mut(width) {
        padded[3 * radius..][..width].copy_from_slice(row);
        for k in 0..3 * radius {
            padded[k] = row[k % 3];
            padded[3 * radius + width + k] = row[width - 3 + k % 3];
        }
        row.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            add_scaled(row, &padded[3 * k..][..width], *weight);
        }
    }
    // Along the columns: whole rows added.
    let rows = flat.to_vec();
    for (y, row) in flat.chunks_exact_mut(width).enumerate() {
        row.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            let from = (y + k).saturating_sub(radius).min(height - 1);
            add_scaled(row, &rows[from * width..][..width], *weight);
        }
    }
}

fn add_scaled(to: &mut [f32], from: &[f32], weight: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += weight * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_spreads_a_point_with_the_variance_asked_for() {
        let (width, height) = (WIDTH as usize, HEIGHT as usize);
        for sigma in [0.6, 1.5, 3.6] {
            let mut pixels = vec![[0.0; 3]; width * height];
            pixels[100 * width + 80] = [1.0, 2.0, 3.0];
            blur(&mut pixels, sigma);
            for channel in 0..3 {
                let (mut sum, mut across, mut down) = (0.0, 0.0, 0.0);
                for (i, pixel) in pixels.iter().enumerate() {
                    let (x, y) = ((i % width) as f32 - 80.0, (i / width) as f32 - 100.0);
                    sum += pixel[channel];
                    across += pixel[channel] * x * x;
                    down += pixel[channel] * y * y;
                }
                assert!((sum - (channel + 1) as f32).abs() < 1e-3);
                // The kernel ends at 2.6 standard deviations, which costs some of the variance.
                for variance in [across / sum, down / sum] {
                    assert!(
                        (variance.sqrt() / sigma - 1.0).abs() < 0.06,
                        "{} for {sigma}",
                        variance.sqrt()
                    );
                }
            }
        }
    }

    #[test]
    fn blur_keeps_an_even_picture() {
        let mut pixels = vec![[0.25, 0.5, 0.75]; (WIDTH * HEIGHT) as usize];
        blur(&mut pixels, 2.0);
        for pixel in pixels {
            for (value, expected) in pixel.into_iter().zip([0.25, 0.5, 0.75]) {
                assert!((value - expected).abs() < 1e-5);
            }
        }
    }
}
