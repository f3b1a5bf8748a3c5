use rand::Rng;
use rand_distr::StandardNormal;

use super::attribute::Attribute as A;
use super::raster::{Colour, EYES_TO_MOUTH, Frame, Point, lerp, mix, smoothstep};
use super::traits::Traits;

/// Everything about one picture that no attribute decides: pose, colours, light, what stands in the way.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub frame: Frame,
    /// How far the turned head moves the tip of the nose sideways, pixels.
    pub nose_shift: f32,
    /// 0 dark to 1 light.
    pub skin_tone: f32,
    pub iris: Colour,
    pub hair_tint: Colour,
    /// Length of the hair in units of the way from the ears to the shoulders, beyond what the traits say.
    pub hair_length: f32,
    /// Where the hair is parted, pixels.
    pub parting: f32,
    /// Phase of every wave and texture.
    pub phase: f32,
    pub clothes: Colour,
    pub neckline: f32,
    pub accent: Colour,
    pub second_accent: Colour,
    /// One of several kinds of hat, glasses, earrings, necklace.
    pub variant: u32,
    /// Where the light comes from, -1 left to 1 right.
    pub light: f32,
    /// Spots of the skin: place and radius.
    pub spots: [(Point, f32); 26],
    /// Which way an uneven face leans.
    pub lean: f32,
    pub size: f32,
}

impl Person {
    pub fn sample(rng: &mut impl Rng) -> Self {
        let mut normal = |spread: f32| spread * rng.sample::<f32, _>(StandardNormal).clamp(-3.0, 3.0);
        let frame = Frame::new(normal(0.012), 1.0 + normal(0.012), [normal(0.5), normal(0.7)]);
        // CelebA's noses lie 0.16 of the eye-to-mouth distance off the middle line (standard deviation), and half of its
        // images pass the frontal filter at 0.1.
        let nose_shift = normal(0.145) * EYES_TO_MOUTH;
        let hair_length = normal(0.22);
        let parting = normal(10.0);
        let size = normal(0.03);
        let irises = [
            [0.25, 0.15, 0.08],
            [0.16, 0.32, 0.55],
            [0.20, 0.42, 0.25],
            [0.35, 0.38, 0.42],
            [0.42, 0.26, 0.10],
        ];
        let iris = irises[rng.random_range(0..irises.len())];
        Self {
            frame,
            nose_shift,
            skin_tone: rng.random_range(0.0f32..1.0).sqrt().min(0.999),
            iris,
            hair_tint: std::array::from_fn(|_| rng.random_range(-0.05..0.05)),
            hair_length,
            parting,
            phase: rng.random_range(0.0..64.0),
            clothes: any_colour(rng),
            neckline: rng.random_range(0.0..1.0),
            accent: any_colour(rng),
            second_accent: any_colour(rng),
            variant: rng.random_range(0..60),
            light: rng.random_range(-1.0..1.0),
            spots: std::array::from_fn(|_| {
                (
                    [rng.random_range(-36.0..36.0), rng.random_range(-36.0..64.0)],
                    rng.random_range(1.2..2.6),
                )
            }),
            lean: if rng.random_bool(0.5) { 1.0 } else { -1.0 },
            size,
        }
    }

    /// The skin's colour in even light.
    pub fn skin(&self, traits: &Traits) -> Colour {
        let tones = [
            [0.38, 0.23, 0.15],
            [0.58, 0.38, 0.26],
            [0.75, 0.54, 0.41],
            [0.87, 0.67, 0.54],
        ];
        let place = self.skin_tone * 2.999;
        let at = place as usize;
        let tone = mix(tones[at], tones[at + 1], place.fract());
        mix(tone, [0.97, 0.94, 0.99], 0.92 * traits.presence(A::PaleSkin))
    }

    /// The hair's colour in even light: the traits' colours in proportion to the odds they stand for, reddish where none
    /// of them is strong.
    pub fn hair(&self, traits: &Traits) -> Colour {
        let colours: [(A, Colour); 4] = [
            (A::BlackHair, [0.07, 0.06, 0.07]),
            (A::BrownHair, [0.34, 0.20, 0.12]),
            (A::BlondHair, [0.92, 0.76, 0.42]),
            (A::GrayHair, [0.74, 0.74, 0.76]),
        ];
        let mut sum = [0.64, 0.26, 0.10];
        let mut total = 1.0;
        for (attribute, colour) in colours {
            let weight = (2.0 * traits.value(attribute)).clamp(-12.0, 12.0).exp();
            total += weight;
            for channel in 0..3 {
                sum[channel] += weight * colour[channel];
            }
        }
        std::array::from_fn(|i| (sum[i] / total + self.hair_tint[i]).clamp(0.02, 1.0))
    }

    /// The length of the hair: 0 cropped, 1 beyond the shoulders. Men's is shorter on average.
    pub fn length(&self, traits: &Traits) -> f32 {
        let free = (0.48 - 0.42 * traits.degree(A::Male) + self.hair_length).clamp(0.0, 1.0);
        free * (1.0 - 0.9 * traits.presence(A::Bald))
    }

    /// How far a turned head moves its outline sideways at the height y: against the nose at the skull, with it at the chin.
    pub fn turn(&self, y: f32) -> f32 {
        self.nose_shift * lerp(-0.55, 0.25, smoothstep(20.0, 78.0, y))
    }
}

fn any_colour(rng: &mut impl Rng) -> Colour {
    let hue: f32 = rng.random_range(0.0..6.0);
    let strength = rng.random_range(0.1..0.75);
    let value = rng.random_range(0.15..0.9);
    let channel = |offset: f32| {
        let k = (hue + offset).rem_euclid(6.0);
        value * (1.0 - strength * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}
