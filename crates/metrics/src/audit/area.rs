//! Energies beside what a map without any preference would have.

/// Energies of some attributes beside their regions' areas; a uniform map has an energy equal to the area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgainstArea {
    /// Number of attributes, at least 1.
    pub attributes: usize,
    /// Those with more energy than area.
    pub above: usize,
    /// Mean energy, in [0, 1].
    pub energy: f64,
    /// Mean area, in (0, 1].
    pub area: f64,
    /// Mean of energy / area by attribute: 1 for uniform maps.
    pub ratio: f64,
}

/// Compares (energy, area), one pair an attribute. `None` without attributes, or where an area is not in (0, 1].
#[must_use]
pub fn against_area(pairs: &[(f64, f64)]) -> Option<AgainstArea> {
    if pairs.is_empty() || pairs.iter().any(|&(_, area)| !(area > 0.0 && area <= 1.0)) {
        return None;
    }
    let mean = |value: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(value).sum::<f64>() / pairs.len() as f64;
    Some(AgainstArea {
        attributes: pairs.len(),
        above: pairs.iter().filter(|(energy, area)| energy > area).count(),
        energy: mean(&|pair| pair.0),
        area: mean(&|pair| pair.1),
        ratio: mean(&|(energy, area)| energy / area),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = against_area(&[(0.5, 0.25), (0.25, 0.5), (0.25, 0.25)]).unwrap();
        assert_eq!((found.attributes, found.above), (3, 1), "what is equal is not above");
        assert!((found.energy - 1.0 / 3.0).abs() < 1e-15 && (found.area - 1.0 / 3.0).abs() < 1e-15);
        assert!((found.ratio - 3.5 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_and_regions_of_no_area_have_none() {
        assert_eq!(against_area(&[]), None);
        for area in [0.0, -0.5, 1.5, f64::NAN] {
            assert_eq!(against_area(&[(0.5, 0.5), (0.5, area)]), None);
        }
    }
}
