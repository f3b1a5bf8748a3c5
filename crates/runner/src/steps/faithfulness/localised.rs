//! How a map lies to the pixels that toggling the attribute changes: the one place of the evidence, where the program draws the images.

use metrics::{Region, pixel_auroc, pointing_game, proportional_energy, relevance_rank_accuracy, top_k_intersection};

use crate::error::Result;

/// Part of the image's pixels among which a map's largest values are looked for.
const TOP: f64 = 0.02;

/// Scores of one map, each in [0, 1], the larger the better; absent where there is no such place, or nothing to measure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Localised {
    pointing: Option<f64>,
    energy: Option<f64>,
    auroc: Option<f64>,
    top_k: Option<f64>,
    rank_accuracy: Option<f64>,
}

/// One score, and the column that has it.
type Column = (&'static str, fn(&Localised) -> Option<f64>);

impl Localised {
    /// The columns.
    pub const COLUMNS: [Column; 5] = [
        ("pointing_toggled", |one| one.pointing),
        ("energy_toggled", |one| one.energy),
        ("auroc_toggled", |one| one.auroc),
        ("top_k_toggled", |one| one.top_k),
        ("rank_accuracy_toggled", |one| one.rank_accuracy),
    ];

    /// Those of a final map `[S, S]` and the changed pixels; the pointing game forgives a miss by `tolerance` pixels.
    ///
    /// # Errors
    /// For a map with values that are not finite.
    pub fn of(map: &[f32], changed: &Region, tolerance: f64) -> Result<Self> {
        let largest = (TOP * map.len() as f64).round().max(1.0) as usize;
        Ok(Self {
            pointing: pointing_game(map, changed, tolerance)?.map(|hit| f64::from(u8::from(hit))),
            energy: proportional_energy(map, changed)?,
            auroc: pixel_auroc(map, changed)?,
            top_k: top_k_intersection(map, changed, largest)?,
            rank_accuracy: relevance_rank_accuracy(map, changed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_on_the_changed_pixels_has_all_and_one_beside_them_none() {
        let side = 20;
        let mask: Vec<bool> = (0..side * side).map(|pixel| pixel % side < 4).collect();
        let on: Vec<f32> = mask.iter().map(|&inside| if inside { 1.0 } else { 0.0 }).collect();
        let beside: Vec<f32> = (0..side * side)
            .map(|pixel| if pixel % side > 15 { 1.0 } else { 0.0 })
            .collect();
        let changed = Region::from_mask(side, mask).unwrap();
        let scores =
            |map: &[f32]| Localised::COLUMNS.map(|(_, score)| score(&Localised::of(map, &changed, 1.0).unwrap()));
        assert_eq!(scores(&on), [Some(1.0); 5]);
        let [pointing, energy, auroc, top_k, rank_accuracy] = scores(&beside);
        assert_eq!([pointing, energy, top_k], [Some(0.0); 3]);
        assert!(
            auroc < Some(0.5) && rank_accuracy < Some(0.2),
            "{auroc:?} {rank_accuracy:?}"
        );
    }
}
