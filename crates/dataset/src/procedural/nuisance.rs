use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::canvas::{Canvas, Colour, HEIGHT, WIDTH, mix, shade};
use super::shape::{Point, Shape};

/// What surrounds and disturbs a picture; drawn from the picture's own random numbers, and never from its labels.
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
            noise: rng.random_range(0.006..0.035),
            noise_seed: rng.random(),
        }
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

/// A Gaussian blur of the standard deviation `sigma` in pixels, as three box blurs; edges are replicated.
fn blur(pixels: &mut [Colour], sigma: f32) {
    if sigma < 0.2 {
        return;
    }
    // Three boxes of half width r have variance 3 (2 r + 1)^2 / 12 - 3 / 12 for whole r, and linear ends in between.
    let radius = 0.5 * ((4.0 * sigma * sigma + 1.0).sqrt() - 1.0);
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let mut lane = vec![[0.0; 3]; width.max(height)];
    let mut next = lane.clone();
    let mut run = |pixels: &mut [Colour], start: usize, step: usize, length: usize| {
        for k in 0..length {
            lane[k] = pixels[start + k * step];
        }
        for _ in 0..3 {
            box_blur(&lane[..length], &mut next[..length], radius);
            std::mem::swap(&mut lane, &mut next);
        }
        for k in 0..length {
            pixels[start + k * step] = lane[k];
        }
    };
    for y in 0..height {
        run(pixels, y * width, 1, width);
    }
    for x in 0..width {
        run(pixels, x, width, height);
    }
}

/// The mean over a window of half width `radius` plus one half, its two end pixels weighted by the fraction covered.
fn box_blur(from: &[Colour], to: &mut [Colour], radius: f32) {
    let whole = radius.floor() as isize;
    let part = radius - radius.floor();
    let last = from.len() as isize - 1;
    let at = |i: isize| from[i.clamp(0, last) as usize];
    let scale = 1.0 / (2.0 * radius + 1.0);
    let mut sum = [0.0; 3];
    for k in -whole..=whole {
        let p = at(k);
        for c in 0..3 {
            sum[c] += p[c];
        }
    }
    for i in 0..=last {
        let (before, after) = (at(i - whole - 1), at(i + whole + 1));
        to[i as usize] = std::array::from_fn(|c| (sum[c] + part * (before[c] + after[c])) * scale);
        let leaving = at(i - whole);
        for c in 0..3 {
            sum[c] += after[c] - leaving[c];
        }
    }
}
