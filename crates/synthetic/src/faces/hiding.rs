//! Which attributes' cues another attribute's cue hides.

use super::attribute::Attribute as A;

impl A {
    /// The attributes whose cues this one hides for the most part: in one of its classes, toggling them changes the picture by less than a
    /// quarter of what it changes it in the other.
    ///
    /// A test measures it on faces. Few are near the limit: those below change by at most 0.20, all others by at least 0.30 (16 faces).
    pub fn hides(self) -> &'static [Self] {
        match self {
            Self::Bald => &[
                Self::BlackHair,
                Self::BlondHair,
                Self::BrownHair,
                Self::GrayHair,
                Self::RecedingHairline,
                Self::StraightHair,
                Self::WavyHair,
            ],
            Self::WearingHat => &[Self::RecedingHairline],
            Self::BlondHair => &[Self::GrayHair],
            Self::GrayHair => &[Self::BlondHair],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use rayon::prelude::*;

    use super::*;
    use crate::faces::{FacePlan, Traits};

    /// `BIASCAM_HIDING_FACES=16` for the look that the table was made by, of minutes.
    fn faces() -> u64 {
        let asked = std::env::var("BIASCAM_HIDING_FACES").ok();
        asked.and_then(|text| text.parse().ok()).unwrap_or(3)
    }

    /// How much toggling one attribute changes the pictures with another one as its negative and as its positive class, `[a][b]`.
    fn changes(faces: u64) -> Vec<Vec<[f64; 2]>> {
        let count = A::ALL.len();
        let pairs: Vec<(usize, usize)> = (0..count).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
        let of_pair = |&(a, b): &(usize, usize)| {
            let mut sums = [[0.0; 2]; 2];
            for index in 0..faces {
                let plan = FacePlan::new(9, index);
                let drawn = |sides: [f32; 2]| -> RgbImage {
                    let mut plan = plan.clone();
                    for (side, attribute) in sides.into_iter().zip([A::ALL[a], A::ALL[b]]) {
                        plan.traits = plan.traits.with(attribute, side * Traits::mean(attribute));
                    }
                    plan.draw().image
                };
                let [none, second, first, both] = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]].map(drawn);
                let change = |one: &RgbImage, other: &RgbImage| -> f64 {
                    one.iter()
                        .zip(other.iter())
                        .map(|(a, b)| f64::from(a.abs_diff(*b)))
                        .sum()
                };
                sums[0][0] += change(&none, &second);
                sums[0][1] += change(&first, &both);
                sums[1][0] += change(&none, &first);
                sums[1][1] += change(&second, &both);
            }
            sums
        };
        let measured: Vec<[[f64; 2]; 2]> = pairs.par_iter().map(of_pair).collect();
        let mut all = vec![vec![[1.0; 2]; count]; count];
        for ((a, b), [of_second, of_first]) in pairs.into_iter().zip(measured) {
            all[a][b] = of_second;
            all[b][a] = of_first;
        }
        all
    }

    /// The limit is a quarter; few faces put a ratio off by some hundredths.
    #[test]
    fn cues_are_hidden_by_those_attributes_and_no_others() {
        let faces = faces();
        let slack = if faces < 16 { 0.06 } else { 0.0 };
        let all = changes(faces);
        for (a, row) in A::ALL.into_iter().zip(&all) {
            for (b, &[without, with]) in A::ALL.into_iter().zip(row) {
                let left = (with / without).min(without / with);
                if left < 0.4 {
                    eprintln!("{a:?} leaves {left:.3} of {b:?}");
                }
                match a.hides().contains(&b) {
                    true => assert!(left < 0.25 + slack, "{a:?} leaves {left} of {b:?}"),
                    false => assert!(left > 0.25 - slack, "{a:?} leaves {left} of {b:?}"),
                }
            }
        }
    }
}
