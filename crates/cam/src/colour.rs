//! Colour maps: from [0, 1] to sRGB.

use std::sync::LazyLock;

use crate::names::named;

/// A colour map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ColourMap {
    /// Matplotlib's `inferno`, black over purple and orange to pale yellow: perceptually uniform, lightness alone tells the
    /// value.
    #[default]
    Inferno,
    /// Matplotlib's `viridis`, purple over green to yellow: perceptually uniform.
    Viridis,
    /// Blue over green and yellow to red, as in older publications; not uniform.
    Jet,
}

named!(
    ColourMap,
    "colour map",
    [Inferno = "inferno", Viridis = "viridis", Jet = "jet"]
);

/// Polynomials in the value for red, green and blue, constants first.
type Polynomials = [[f32; 3]; 7];

/// Fits of matplotlib's tables, within 6 of 255 (Matt Zucker, "Simple analytic approximations to the CIE Lab-based
/// colormaps", public domain).
const INFERNO: Polynomials = [
    [0.0002, 0.0017, -0.0195],
    [0.1065, 0.5640, 3.9327],
    [11.6025, -3.9729, -15.9424],
    [-41.7040, 17.4364, 44.3541],
    [77.1629, -33.4024, -81.8073],
    [-71.3194, 32.6261, 73.2095],
    [25.1311, -12.2427, -23.0703],
];
const VIRIDIS: Polynomials = [
    [0.2777, 0.0054, 0.3341],
    [0.1051, 1.4046, 1.3846],
    [-0.3309, 0.2148, 0.0951],
    [-4.6342, -5.7991, -19.3324],
    [6.2283, 14.1799, 56.6906],
    [4.7764, -13.7451, -65.3530],
    [-5.4355, 4.6459, 26.3124],
];

impl ColourMap {
    /// Colour of a value; values outside of [0, 1] take the end's colour, NaN black.
    pub fn colour(self, value: f32) -> [u8; 3] {
        if value.is_nan() {
            return [0; 3];
        }
        self.table()[(value.clamp(0.0, 1.0) * 255.0).round() as usize]
    }

    /// Colours of 0, 1/255, ..., 1.
    pub fn table(self) -> &'static [[u8; 3]; 256] {
        static TABLES: LazyLock<[[[u8; 3]; 256]; 3]> = LazyLock::new(|| {
            [ColourMap::Inferno, ColourMap::Viridis, ColourMap::Jet].map(|map| {
                std::array::from_fn(|i| {
                    map.formula(i as f32 / 255.0)
                        .map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8)
                })
            })
        });
        match self {
            Self::Inferno => &TABLES[0],
            Self::Viridis => &TABLES[1],
            Self::Jet => &TABLES[2],
        }
    }

    fn formula(self, value: f32) -> [f32; 3] {
        let horner = |coefficients: &Polynomials| {
            coefficients.iter().rev().fold([0.0; 3], |sum: [f32; 3], step| {
                [0, 1, 2].map(|c| sum[c] * value + step[c])
            })
        };
        match self {
            Self::Inferno => horner(&INFERNO),
            Self::Viridis => horner(&VIRIDIS),
            // Three trapezoids, centred at 3/4, 1/2 and 1/4.
            Self::Jet => [3.0, 2.0, 1.0].map(|centre| 1.5 - (4.0 * value - centre).abs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `matplotlib.colormaps[name](value, bytes=True)`.
    #[test]
    fn colours_are_matplotlibs() {
        let expected = [
            (
                ColourMap::Inferno,
                [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]],
            ),
            (
                ColourMap::Viridis,
                [
                    [68, 1, 84],
                    [59, 82, 139],
                    [33, 145, 140],
                    [94, 201, 98],
                    [253, 231, 37],
                ],
            ),
            (
                ColourMap::Jet,
                [[0, 0, 128], [0, 128, 255], [128, 255, 128], [255, 128, 0], [128, 0, 0]],
            ),
        ];
        for (map, colours) in expected {
            for (i, colour) in colours.into_iter().enumerate() {
                let found = map.colour(i as f32 / 4.0);
                let off = found
                    .iter()
                    .zip(colour)
                    .map(|(a, b): (&u8, u8)| a.abs_diff(b))
                    .max()
                    .unwrap();
                assert!(off <= 6, "{map} at {i}/4: {found:?}, expected {colour:?}");
            }
        }
    }

    #[test]
    fn uniform_maps_get_lighter() {
        let lightness = |[r, g, b]: [u8; 3]| 0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b);
        for map in [ColourMap::Inferno, ColourMap::Viridis] {
            let table = map.table();
            assert!(
                table
                    .windows(9)
                    .all(|colours| lightness(colours[8]) > lightness(colours[0])),
                "{map}"
            );
        }
    }

    #[test]
    fn names_lead_back_to_their_maps() {
        assert!(
            ColourMap::ALL
                .iter()
                .all(|one| one.name().parse::<ColourMap>().unwrap() == *one)
        );
    }

    #[test]
    fn any_value_has_a_colour() {
        assert_eq!(ColourMap::Jet.colour(-3.0), ColourMap::Jet.colour(0.0));
        assert_eq!(ColourMap::Jet.colour(f32::INFINITY), ColourMap::Jet.colour(1.0));
        assert_eq!(ColourMap::Jet.colour(f32::NAN), [0; 3]);
    }
}
