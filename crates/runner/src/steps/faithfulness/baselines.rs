//! Maps that know nothing of the image, which every method has to beat.

use cam::{PostProcessing, Resize};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cases::Case;
use crate::steps::explain::MapsFile;

/// Deviation of the centre prior, in sides of the image.
const CENTRE_DEVIATION: f64 = 0.25;

/// The maps of one case by one method.
pub struct CaseMaps {
    /// Before the ReLU, at the layer's resolution.
    pub raw: Vec<f32>,
    /// `[S, S]`.
    pub map: Vec<f32>,
    /// That of the attribute it is compared with.
    pub other: Option<Vec<f32>>,
}

/// Three maps for each case: of independent random cells; the centre prior, which always shows the middle; and the mean map of the
/// attribute's images that are predicted as this one is. The first two have the features' resolution and are made ready like any map.
pub struct Baselines<'a> {
    cells: [usize; 2],
    size: usize,
    post_processing: PostProcessing,
    mean_maps: &'a MapsFile,
}

impl<'a> Baselines<'a> {
    /// For features of `cells` rows and columns, and images of `size`.
    pub fn new(resize: Resize, cells: [usize; 2], size: usize, mean_maps: &'a MapsFile) -> Self {
        Self {
            cells,
            size,
            post_processing: PostProcessing::of_layer(resize, cells, size),
            mean_maps,
        }
    }

    /// Of one case; `seed` draws the random map.
    pub fn of(&self, case: &Case, seed: u64) -> [CaseMaps; 3] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let count = self.cells[0] * self.cells[1];
        let random: Vec<f32> = (0..count).map(|_| rng.random()).collect();
        let [random, centre] = [random, centre(self.cells)].map(|raw| {
            let mut map = vec![0.0; self.size * self.size];
            self.post_processing.finalise(&raw, &mut map);
            CaseMaps { raw, map, other: None }
        });
        let mut mean = self.mean_maps.mean_map(case.attribute, case.predicted);
        // Where no image of the class was explained there is no mean: a map without any evidence. Enlarging rounds a 0 to either side.
        if mean.iter().any(|value| !value.is_finite()) {
            mean.fill(0.0);
        }
        mean.iter_mut().for_each(|value| *value = value.max(0.0));
        let mean = CaseMaps {
            raw: mean.clone(),
            map: mean,
            other: None,
        };
        [random, centre, mean]
    }
}

/// A Gaussian over the middle of the image, which is 1 there.
fn centre([height, width]: [usize; 2]) -> Vec<f32> {
    let off = |at: usize, cells: usize| (at as f64 + 0.5) / cells as f64 - 0.5;
    (0..height * width)
        .map(|cell| {
            let distance = off(cell / width, height).hypot(off(cell % width, width)) / CENTRE_DEVIATION;
            (-0.5 * distance * distance).exp() as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_prior_is_largest_in_the_middle_and_the_same_all_round() {
        let prior = centre([3, 5]);
        assert_eq!(prior[7], 1.0);
        assert_eq!((prior[0], prior[5]), (prior[14], prior[9]));
        // The second cell of four is an eighth of the image off the middle: half a deviation.
        let four = centre([1, 4]);
        assert!((four[1] - (-0.125_f32).exp()).abs() < 1e-6, "{four:?}");
    }
}
