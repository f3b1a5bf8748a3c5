//! Shapes with smooth edges, in the coordinates of a face, on the pixels of an image.

mod canvas;
mod frame;
mod math;
mod shape;

pub(super) use canvas::{Canvas, Colour, Coverage, HEIGHT, WIDTH, mix, shade};
pub(super) use frame::{EYES_TO_MOUTH, Frame};
pub(super) use math::{angle, bell, lerp, sine, smoothstep};
pub(super) use shape::{Point, Shape, line};
