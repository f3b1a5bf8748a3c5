use image::RgbImage;
use tiny_skia::{FillRule, Mask, Transform};

use super::frame::Frame;
use super::shape::{Point, Shape};

/// Width of an image in pixels, as CelebA's.
pub(in crate::faces) const WIDTH: u32 = 178;
/// Height of an image in pixels, as CelebA's.
pub(in crate::faces) const HEIGHT: u32 = 218;

/// Pixels that an ink gives together.
const TOGETHER: usize = 8;

/// Red, green, blue in [0, 1].
pub(in crate::faces) type Colour = [f32; 3];

/// Which part of each pixel a shape covers, in 255ths.
pub(in crate::faces) struct Coverage(Mask);

/// The picture while it is painted: the rasteriser finds what a shape covers, an ink says what colour goes there.
///
/// Shapes and inks speak the face's coordinates, so that texture and light stay on the face when it is turned.
pub(in crate::faces) struct Canvas {
    pub frame: Frame,
    pub pixels: Vec<Colour>,
    scratch: Mask,
}

struct Bounds {
    x: std::ops::Range<usize>,
    y: std::ops::Range<usize>,
}

impl Canvas {
    /// A black canvas.
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            pixels: vec![[0.0; 3]; (WIDTH * HEIGHT) as usize],
            scratch: empty_mask(),
        }
    }

    /// Paints the shape: the ink gives colour and opacity at a point of the face. It is asked for eight neighbours at a time, some of which may
    /// lie outside the shape.
    pub fn paint(&mut self, shape: &Shape, clip: Option<&Coverage>, ink: impl Fn(Point) -> (Colour, f32)) {
        let Some(bounds) = self.rasterise(shape) else { return };
        let width = WIDTH as usize;
        let step = self.frame.inverse_step();
        for y in bounds.y {
            let start = self.frame.inverse([bounds.x.start as f32 + 0.5, y as f32 + 0.5]);
            for first in bounds.x.clone().step_by(TOGETHER) {
                let row = y * width + first..y * width + bounds.x.end.min(first + TOGETHER);
                let mut covered = [0; TOGETHER];
                let covered = &mut covered[..row.len()];
                covered.copy_from_slice(&self.scratch.data()[row.clone()]);
                if let Some(clip) = clip {
                    for (covered, clip) in covered.iter_mut().zip(&clip.0.data()[row.clone()]) {
                        *covered = (u32::from(*covered) * u32::from(*clip) / 255) as u8;
                    }
                }
                self.scratch.data_mut()[row.clone()].fill(0);
                if covered.iter().all(|&covered| covered == 0) {
                    continue;
                }
                // Eight in one go, of which none depends on another: so the compiler computes them together.
                let [mut r, mut g, mut b, mut opacity] = [[0.0; TOGETHER]; 4];
                for (i, (((r, g), b), opacity)) in r.iter_mut().zip(&mut g).zip(&mut b).zip(&mut opacity).enumerate() {
                    let k = (first - bounds.x.start + i) as f32;
                    ([*r, *g, *b], *opacity) = ink([start[0] + k * step[0], start[1] + k * step[1]]);
                }
                for (i, (pixel, &covered)) in self.pixels[row].iter_mut().zip(&*covered).enumerate() {
                    if covered > 0 {
                        blend(pixel, [r[i], g[i], b[i]], opacity[i] * f32::from(covered) / 255.0);
                    }
                }
            }
        }
    }

    /// Paints the shape in one colour.
    pub fn fill(&mut self, shape: &Shape, clip: Option<&Coverage>, colour: Colour, opacity: f32) {
        if opacity > 0.004 {
            self.paint(shape, clip, |_| (colour, opacity));
        }
    }

    /// A soft spot: full opacity in the centre, none at the ellipse.
    pub fn glow(
        &mut self,
        centre: Point,
        radii: Point,
        angle: f32,
        clip: Option<&Coverage>,
        colour: Colour,
        opacity: f32,
    ) {
        if opacity <= 0.004 {
            return;
        }
        let reach = radii[0].max(radii[1]) * self.frame.scale();
        let middle = self.frame.apply(centre);
        let bounds = clipped(
            [middle[0] - reach, middle[1] - reach],
            [middle[0] + reach, middle[1] + reach],
        );
        let (sin, cos) = angle.sin_cos();
        let step = self.frame.inverse_step();
        let turned = |d: Point| {
            [
                (d[0] * cos + d[1] * sin) / radii[0],
                (d[1] * cos - d[0] * sin) / radii[1],
            ]
        };
        let [du, dv] = turned(step);
        for y in bounds.y {
            let start = self.frame.inverse([bounds.x.start as f32 + 0.5, y as f32 + 0.5]);
            let [u, v] = turned([start[0] - centre[0], start[1] - centre[1]]);
            for x in bounds.x.clone() {
                let k = (x - bounds.x.start) as f32;
                let (u, v) = (u + k * du, v + k * dv);
                let inside = 1.0 - u * u - v * v;
                if inside > 0.0 {
                    let at = y * WIDTH as usize + x;
                    let clip = clip.map_or(1.0, |clip| f32::from(clip.0.data()[at]) / 255.0);
                    blend(&mut self.pixels[at], colour, opacity * inside * inside * clip);
                }
            }
        }
    }

    /// The shape's coverage, to clip later paint with.
    pub fn coverage(&self, shapes: &[&Shape]) -> Coverage {
        let mut mask = empty_mask();
        for shape in shapes {
            if let Some(path) = shape.map(|p| self.frame.apply(p)).path() {
                mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
            }
        }
        Coverage(mask)
    }

    /// The finished picture, rounded to 8 bits.
    pub fn into_image(self) -> RgbImage {
        let round = |v: f32| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|pixel| pixel.map(round)).collect();
        RgbImage::from_raw(WIDTH, HEIGHT, bytes).expect("three bytes for every pixel")
    }

    /// Fills the scratch mask with the shape and returns where it may be other than zero.
    fn rasterise(&mut self, shape: &Shape) -> Option<Bounds> {
        let shape = shape.map(|p| self.frame.apply(p));
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for p in &shape.0 {
            for axis in 0..2 {
                low[axis] = low[axis].min(p[axis]);
                high[axis] = high[axis].max(p[axis]);
            }
        }
        let path = shape.path()?;
        let bounds = clipped([low[0] - 1.0, low[1] - 1.0], [high[0] + 1.0, high[1] + 1.0]);
        if bounds.x.is_empty() || bounds.y.is_empty() {
            return None;
        }
        self.scratch
            .fill_path(&path, FillRule::Winding, true, Transform::identity());
        Some(bounds)
    }
}

/// The pixels between two corners that exist.
fn clipped(low: Point, high: Point) -> Bounds {
    let range = |low: f32, high: f32, size: u32| {
        let edge = |v: f32| v.clamp(0.0, size as f32) as usize;
        edge(low.floor())..edge(high.ceil())
    };
    Bounds {
        x: range(low[0], high[0], WIDTH),
        y: range(low[1], high[1], HEIGHT),
    }
}

fn empty_mask() -> Mask {
    Mask::new(WIDTH, HEIGHT).expect("the fixed size is neither zero nor huge")
}

fn blend(pixel: &mut Colour, colour: Colour, opacity: f32) {
    for (under, over) in pixel.iter_mut().zip(colour) {
        *under += (over - *under) * opacity;
    }
}

/// The colour between a and b, at the fraction u of the way.
pub(in crate::faces) fn mix(a: Colour, b: Colour, u: f32) -> Colour {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * u)
}

/// The colour times a brightness.
pub(in crate::faces) fn shade(colour: Colour, brightness: f32) -> Colour {
    colour.map(|v| (v * brightness).clamp(0.0, 1.0))
}
