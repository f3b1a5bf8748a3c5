use image::{GrayImage, Luma, Rgb, RgbImage};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;

use super::labels::Row;
use crate::texture::Texture;

/// A picture and, for each attribute, the pixels of its shape: 255 inside.
pub(super) struct Picture {
    pub(super) image: RgbImage,
    pub(super) masks: [GrayImage; 5],
}

type Colour = [f32; 3];

/// One of the five shapes where it stands.
struct Shape {
    kind: usize,
    centre: [f32; 2],
    radius: f32,
    angle: f32,
    colour: Colour,
    /// How strongly its property is drawn, in [0, 1].
    strength: f32,
}

/// What a point of a shape shows.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Outside,
    /// Its own colour.
    Body,
    /// Its property: another colour, by the strength.
    Marked,
    /// Its property: the background, by the strength.
    Opening,
}

impl Shape {
    /// The part at a point of the picture.
    fn part(&self, point: [f32; 2]) -> Part {
        let (dx, dy) = (
            (point[0] - self.centre[0]) / self.radius,
            (point[1] - self.centre[1]) / self.radius,
        );
        if dx * dx + dy * dy > 1.0 {
            return Part::Outside;
        }
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let distance = u.hypot(v);
        let body = |inside: bool| if inside { Part::Body } else { Part::Outside };
        match self.kind {
            // A disc, dotted.
            0 => {
                let (i, j) = ((u * 1.9 + 8.5).fract() - 0.5, (v * 1.9 + 8.5).fract() - 0.5);
                if distance < 0.78 && i.hypot(j) < 0.3 {
                    Part::Marked
                } else {
                    body(distance < 0.95)
                }
            }
            // A square, hollow.
            1 => {
                let far = u.abs().max(v.abs());
                if far < 0.36 { Part::Opening } else { body(far < 0.7) }
            }
            // A triangle, striped.
            2 => {
                let inside = v < 0.5 && v > 1.73 * u.abs() - 1.0;
                if inside && (v * 2.6 + 8.0).fract() < 0.45 {
                    Part::Marked
                } else {
                    body(inside)
                }
            }
            // A ring, open to one side.
            3 => {
                let ring = (0.42..0.97).contains(&distance);
                if ring && u > 0.0 && v.abs() < 0.5 {
                    Part::Opening
                } else {
                    body(ring)
                }
            }
            // A bar, bent by up to 70 degrees.
            _ => {
                let (sin, cos) = (if u > 0.0 { 1.2 * self.strength } else { 0.0 }).sin_cos();
                let (u, v) = (u * cos + v * sin, v * cos - u * sin);
                body(u.abs() < 0.95 && v.abs() < 0.27)
            }
        }
    }

    fn paint(&self, under: Colour, part: Part) -> Colour {
        let towards =
            |other: Colour| std::array::from_fn(|c| self.colour[c] + self.strength * (other[c] - self.colour[c]));
        match part {
            Part::Outside => under,
            Part::Body => self.colour,
            Part::Marked => towards(self.colour.map(|value| {
                if mean(self.colour) > 0.5 {
                    0.25 * value
                } else {
                    0.75 + 0.25 * value
                }
            })),
            Part::Opening => towards(under),
        }
    }
}

fn mean(colour: Colour) -> f32 {
    colour.iter().sum::<f32>() / 3.0
}

/// Draws one picture; with the noise of the sensor from `noise` where it is another one's.
pub(super) fn draw<R: Rng>(row: &Row, random: &mut R, mut noise_from: Option<R>) -> Picture {
    let (width, height) = (random.random_range(96..=128_u32), random.random_range(96..=128_u32));
    let (w, h) = (width as f32, height as f32);
    let mut colour = |low: f32, high: f32| -> Colour { std::array::from_fn(|_| random.random_range(low..high)) };
    let (dark, light) = (colour(0.1, 0.5), colour(0.4, 0.8));
    let mut colours: Vec<Colour> = (0..5).map(|_| colour(0.0, 1.0)).collect();
    // A shape one cannot tell from the ground would make its label a guess.
    for own in &mut colours {
        let (ground, value) = ((mean(dark) + mean(light)) / 2.0, mean(*own));
        let shift = if value > ground { 0.28 } else { -0.28 };
        *own = own.map(|channel| (channel + shift).clamp(0.0, 1.0));
    }

    // Five of six cells; in each a shape with some room to move.
    let mut cells: Vec<(usize, usize)> = (0..6).map(|cell| (cell % 3, cell / 3)).collect();
    cells.shuffle(random);
    let turned = random.random::<bool>();
    let room = if turned { [w / 2.0, h / 3.0] } else { [w / 3.0, h / 2.0] };
    let shapes: Vec<Shape> = (0..5)
        .map(|kind| {
            let (i, j) = cells[kind];
            let (i, j) = if turned { (j, i) } else { (i, j) };
            let radius = room[0].min(room[1]) / 2.0 * random.random_range(0.72..0.98);
            let mut place = |cell: usize, room: f32| {
                let slack = room / 2.0 - radius;
                (cell as f32 + 0.5) * room + random.random_range(-1.0..1.0) * slack
            };
            Shape {
                kind,
                centre: [place(i, room[0]), place(j, room[1])],
                radius,
                angle: random.random_range(0.0..std::f32::consts::TAU),
                colour: colours[kind],
                strength: row.strength[kind],
            }
        })
        .collect();

    let (offset, scale) = (
        [random.random_range(0.0..60.0), random.random_range(0.0..60.0)],
        random.random_range(0.05..0.2_f32),
    );
    let light_angle = random.random_range(0.0..std::f32::consts::TAU);
    let noise = random.random_range(0.01..0.05_f32);
    let texture = Texture::get();
    let mut masks: [GrayImage; 5] = std::array::from_fn(|_| GrayImage::new(width, height));
    let image = RgbImage::from_fn(width, height, |x, y| {
        let mut sum = [0.0_f32; 3];
        for sample in 0..4_u32 {
            let point = [
                x as f32 + 0.25 + 0.5 * (sample % 2) as f32,
                y as f32 + 0.25 + 0.5 * (sample / 2) as f32,
            ];
            let blend = 0.5 + 0.5 * texture.plane(offset[0] + scale * point[0], offset[1] + scale * point[1]);
            let mut colour: Colour = std::array::from_fn(|c| dark[c] + blend * (light[c] - dark[c]));
            for (shape, mask) in shapes.iter().zip(&mut masks) {
                let part = shape.part(point);
                colour = shape.paint(colour, part);
                if part != Part::Outside {
                    mask.put_pixel(x, y, Luma([255]));
                }
            }
            sum = std::array::from_fn(|c| sum[c] + colour[c] / 4.0);
        }
        let (u, v) = (x as f32 / w - 0.5, y as f32 / h - 0.5);
        let shade = 1.0 + 0.3 * (u * light_angle.cos() + v * light_angle.sin());
        Rgb(sum.map(|value| {
            let grain: f32 = match &mut noise_from {
                Some(other) => other.sample(StandardNormal),
                None => random.sample(StandardNormal),
            };
            ((value * shade + noise * grain) * 255.0).round().clamp(0.0, 255.0) as u8
        }))
    });
    Picture { image, masks }
}
