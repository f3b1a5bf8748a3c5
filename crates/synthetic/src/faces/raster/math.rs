//! Cheap functions for inks, which run once a pixel. Exact to what an eye can tell, and made of operations that give the
//! same bits on every machine.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use crate::texture::floor;

/// The value between a and b, at the fraction u of the way.
#[inline(always)]
pub(in crate::faces) fn lerp(a: f32, b: f32, u: f32) -> f32 {
    a + (b - a) * u
}

/// 0 below `low`, 1 above `high`, smooth between.
#[inline(always)]
pub(in crate::faces) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let u = ((x - low) / (high - low)).clamp(0.0, 1.0);
    u * u * (3.0 - 2.0 * u)
}

/// The sine by Bhaskara's fraction; error below 0.002.
#[inline(always)]
pub(in crate::faces) fn sine(x: f32) -> f32 {
    let turns = x / TAU;
    let half = 2.0 * (turns - floor(turns) as f32);
    // Angle within a half turn, and its product with the rest of it.
    let (u, sign) = if half < 1.0 {
        (half * PI, 1.0)
    } else {
        ((half - 1.0) * PI, -1.0)
    };
    let product = u * (PI - u);
    sign * 16.0 * product / (5.0 * PI * PI - 4.0 * product)
}

/// The angle of (x, y) from the x axis, -π to π; error below 0.006.
#[inline(always)]
pub(in crate::faces) fn angle(y: f32, x: f32) -> f32 {
    let (small, large) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
    let t = small / large.max(1e-9);
    let octant = t * (0.9724 - 0.1919 * t * t);
    let quadrant = if y.abs() > x.abs() { FRAC_PI_2 - octant } else { octant };
    (if x < 0.0 { PI - quadrant } else { quadrant }).copysign(y)
}

/// A bell of height 1 and standard deviation about 1.
#[inline(always)]
pub(in crate::faces) fn bell(x: f32) -> f32 {
    let u = 1.0 / (1.0 + 0.25 * x * x);
    u * u
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approximations_are_as_close_as_they_say() {
        for k in -1000..=1000 {
            let x = k as f32 * 0.0137;
            assert!((sine(x) - x.sin()).abs() < 0.002, "sine of {x}");
            let (s, c) = x.sin_cos();
            let difference = (angle(2.0 * s, 2.0 * c) - s.atan2(c)).abs();
            assert!(difference.min(TAU - difference) < 0.006, "angle {x}");
        }
    }
}
