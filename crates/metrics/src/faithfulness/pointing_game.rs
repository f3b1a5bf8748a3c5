//! The pointing game.

use super::relevance::relevance_order;
use crate::error::{Error, check_length};
use crate::region::Region;

/// The pointing game (Zhang et al., *Top-down Neural Attention by Excitation Backprop*, IJCV 2018, section 4.1): whether the
/// map's largest value lies in the region, or within `tolerance` pixels of it (theirs: 15, for photographs of any size).
///
/// `None` when the map points nowhere: all its values are equal, or the region is empty. Of several largest values the first in
/// reading order counts. (Quantus' `PointingGame` has no tolerance, counts a hit if any of several largest values is inside, and has a hit for
/// an empty region.)
///
/// # Errors
/// A map of another size than the region, or with values that are not finite.
pub fn pointing_game(map: &[f32], region: &Region, tolerance: f64) -> Result<Option<bool>, Error> {
    let size = region.size();
    check_length("map", map.len(), size * size)?;
    let order = relevance_order(map)?;
    let (Some(&first), Some(&last)) = (order.first(), order.last()) else {
        return Ok(None);
    };
    if map[first] <= map[last] || region.pixels() == 0 {
        return Ok(None);
    }
    let inside = region.mask().iter().enumerate().filter(|(_, inside)| **inside);
    let distance = |pixel: usize| {
        let along = |a: usize, b: usize| a.abs_diff(b) as f64;
        along(pixel % size, first % size).hypot(along(pixel / size, first / size))
    };
    Ok(Some(
        inside.map(|(pixel, _)| distance(pixel)).any(|away| away <= tolerance),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_points_at_its_largest_value() {
        // Inside: the left column of 3 x 3.
        let region = Region::from_mask(3, (0..9).map(|i| i % 3 == 0).collect()).unwrap();
        let peak = |at: usize| -> Vec<f32> { (0..9).map(|i| if i == at { 1.0 } else { 0.2 }).collect() };
        assert_eq!(pointing_game(&peak(3), &region, 0.0), Ok(Some(true)));
        assert_eq!(pointing_game(&peak(4), &region, 0.0), Ok(Some(false)));
        assert_eq!(pointing_game(&peak(4), &region, 1.0), Ok(Some(true)));
        assert_eq!(pointing_game(&peak(5), &region, 1.0), Ok(Some(false)));
        for flat in [[0.0; 9], [3.0; 9]] {
            assert_eq!(pointing_game(&flat, &region, 9.0), Ok(None));
        }
        let nowhere = Region::from_mask(3, vec![false; 9]).unwrap();
        assert_eq!(pointing_game(&peak(3), &nowhere, 9.0), Ok(None));
        assert!(pointing_game(&[0.0; 4], &region, 0.0).is_err());
    }
}
