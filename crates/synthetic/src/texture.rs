use std::sync::LazyLock;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIZE: usize = 64;

/// Smooth random functions on the line and the plane, the same in every picture; pictures differ in where they read them.
pub(crate) struct Texture {
    values: Box<[f32; SIZE * SIZE]>,
}

static TEXTURE: LazyLock<Texture> = LazyLock::new(|| {
    let mut rng = ChaCha8Rng::seed_from_u64(0x7e87);
    Texture {
        values: Box::new(std::array::from_fn(|_| rng.random_range(-1.0..1.0))),
    }
});

impl Texture {
    pub fn get() -> &'static Self {
        &TEXTURE
    }

    /// A value in [-1, 1] that changes over a distance of about 1.
    #[inline(always)]
    pub fn line(&self, x: f32) -> f32 {
        let cell = floor(x);
        let u = x - cell as f32;
        let at = |i: i32| self.values[i as usize % (SIZE * SIZE)];
        let (a, b) = (at(cell), at(cell + 1));
        a + (b - a) * u * u * (3.0 - 2.0 * u)
    }

    /// A value in [-1, 1] that changes over a distance of about 1 in both directions.
    #[inline(always)]
    pub fn plane(&self, x: f32, y: f32) -> f32 {
        let (i, j) = (floor(x), floor(y));
        let (u, v) = (x - i as f32, y - j as f32);
        let wrap = |i: i32| i as usize % SIZE;
        let at = |i: i32, j: i32| self.values[wrap(j) * SIZE + wrap(i)];
        let (u, v) = (u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v));
        let top = at(i, j) + (at(i + 1, j) - at(i, j)) * u;
        let bottom = at(i, j + 1) + (at(i + 1, j + 1) - at(i, j + 1)) * u;
        top + (bottom - top) * v
    }
}

/// The largest integer not above x, for |x| < 2^31.
#[inline(always)]
pub(crate) fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(x < whole as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_library_s() {
        for k in -1000..=1000 {
            let x = k as f32 * 0.0137;
            assert_eq!(floor(x), x.floor() as i32);
        }
    }
}
