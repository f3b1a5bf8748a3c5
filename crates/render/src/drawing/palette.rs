//! Colours, hatches, markers: a classifier has one of each, so that no reader needs the colour to tell it from another.

use plotters::style::RGBColor;
use serde::{Deserialize, Serialize};

/// A set of colours that readers with any colour vision tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Palette {
    /// Okabe and Ito 2008, as in Wong, Nature Methods 2011. The first two also differ in lightness.
    #[default]
    OkabeIto,
    /// Tol 2021, technical note SRON/EPS/TN/09-002, "high contrast": also told apart when printed grey.
    TolHighContrast,
    /// Tol 2021, "bright".
    TolBright,
    /// Tol 2021, "muted": for many classifiers.
    TolMuted,
    /// Greys, for journals that print without colour.
    Grey,
}

impl Palette {
    /// The colours, in the order in which classifiers take them.
    #[must_use]
    pub fn colours(self) -> &'static [RGBColor] {
        const fn rgb(hex: u32) -> RGBColor {
            RGBColor((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
        }
        const OKABE_ITO: [RGBColor; 7] = [
            rgb(0xE69F00),
            rgb(0x0072B2),
            rgb(0x009E73),
            rgb(0xCC79A7),
            rgb(0xD55E00),
            rgb(0x56B4E9),
            rgb(0xF0E442),
        ];
        const HIGH_CONTRAST: [RGBColor; 3] = [rgb(0xDDAA33), rgb(0x004488), rgb(0xBB5566)];
        const BRIGHT: [RGBColor; 7] = [
            rgb(0xEE6677),
            rgb(0x4477AA),
            rgb(0x228833),
            rgb(0xCCBB44),
            rgb(0x66CCEE),
            rgb(0xAA3377),
            rgb(0xBBBBBB),
        ];
        const MUTED: [RGBColor; 9] = [
            rgb(0xDDCC77),
            rgb(0x332288),
            rgb(0xCC6677),
            rgb(0x117733),
            rgb(0x88CCEE),
            rgb(0x882255),
            rgb(0x44AA99),
            rgb(0x999933),
            rgb(0xAA4499),
        ];
        const GREY: [RGBColor; 4] = [rgb(0x949494), rgb(0x404040), rgb(0x6B6B6B), rgb(0x1A1A1A)];
        match self {
            Self::OkabeIto => &OKABE_ITO,
            Self::TolHighContrast => &HIGH_CONTRAST,
            Self::TolBright => &BRIGHT,
            Self::TolMuted => &MUTED,
            Self::Grey => &GREY,
        }
    }

    /// The colour of a classifier, by its position.
    #[must_use]
    pub fn colour(self, classifier: usize) -> RGBColor {
        let colours = self.colours();
        colours[classifier % colours.len()]
    }
}

/// White lines over a filled bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hatch {
    None,
    Rising,
    Level,
    Falling,
    Upright,
    Crossed,
}

impl Hatch {
    /// A classifier's, by its position.
    pub(crate) fn of(classifier: usize) -> Self {
        const ALL: [Hatch; 6] = [
            Hatch::None,
            Hatch::Rising,
            Hatch::Level,
            Hatch::Falling,
            Hatch::Upright,
            Hatch::Crossed,
        ];
        ALL[classifier % ALL.len()]
    }

    /// The lines of a rectangle `[left, top, right, bottom]`, clipped to it, `spacing` apart across them.
    pub(crate) fn lines(self, rectangle: [f64; 4], spacing: f64) -> Vec<[[f64; 2]; 2]> {
        // Directions as (a, b): the lines a x + b y = c, for multiples c of what makes them `spacing` apart.
        let diagonal = std::f64::consts::FRAC_1_SQRT_2;
        let directions: &[[f64; 2]] = match self {
            Self::None => &[],
            Self::Rising => &[[diagonal, diagonal]],
            Self::Falling => &[[diagonal, -diagonal]],
            Self::Level => &[[0.0, 1.0]],
            Self::Upright => &[[1.0, 0.0]],
            Self::Crossed => &[[diagonal, diagonal], [diagonal, -diagonal]],
        };
        let [left, top, right, bottom] = rectangle;
        let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
        let mut lines = Vec::new();
        for &[a, b] in directions {
            let level = |[x, y]: [f64; 2]| a * x + b * y;
            let levels = corners.map(level);
            let low = levels.into_iter().fold(f64::INFINITY, f64::min);
            let high = levels.into_iter().fold(f64::NEG_INFINITY, f64::max);
            let first = (low / spacing).floor() as i64 + 1;
            let last = ((high / spacing).ceil() as i64).saturating_sub(1);
            for multiple in first..=last {
                let c = multiple as f64 * spacing;
                // Where the line crosses the four sides; a corner counts once.
                let mut ends: Vec<[f64; 2]> = Vec::new();
                for side in 0..4 {
                    let (from, to) = (corners[side], corners[(side + 1) % 4]);
                    let (start, end) = (levels[side], levels[(side + 1) % 4]);
                    if (start - c) * (end - c) < 0.0 {
                        let t = (c - start) / (end - start);
                        ends.push([from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]);
                    }
                }
                if let [from, to] = ends[..] {
                    lines.push([from, to]);
                }
            }
        }
        lines
    }
}

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
}

impl Marker {
    /// A classifier's, by its position.
    pub(crate) fn of(classifier: usize) -> Self {
        const ALL: [Marker; 5] = [
            Marker::Circle,
            Marker::Square,
            Marker::Triangle,
            Marker::Diamond,
            Marker::TriangleDown,
        ];
        ALL[classifier % ALL.len()]
    }

    /// Its corners around the origin, of the area of a circle of the given radius; none for the circle itself.
    pub(crate) fn corners(self, radius: f64) -> Vec<[f64; 2]> {
        let r = radius;
        match self {
            Self::Circle => Vec::new(),
            Self::Square => {
                let h = 0.89 * r;
                vec![[-h, -h], [h, -h], [h, h], [-h, h]]
            }
            Self::Triangle => vec![[0.0, -1.35 * r], [1.2 * r, 0.8 * r], [-1.2 * r, 0.8 * r]],
            Self::TriangleDown => vec![[0.0, 1.35 * r], [-1.2 * r, -0.8 * r], [1.2 * r, -0.8 * r]],
            Self::Diamond => {
                let h = 1.25 * r;
                vec![[0.0, -h], [h, 0.0], [0.0, h], [-h, 0.0]]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear light of a colour.
    fn linear(RGBColor(r, g, b): RGBColor) -> [f64; 3] {
        [r, g, b].map(|channel| (f64::from(channel) / 255.0).powf(2.2))
    }

    /// What a dichromat sees: Machado, Oliveira and Fernandes 2009, severity 1, in linear light.
    fn seen(colour: RGBColor, matrix: [[f64; 3]; 3]) -> [f64; 3] {
        let light = linear(colour);
        matrix.map(|row| row.iter().zip(light).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0))
    }

    /// CIELAB under D65.
    fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let f = |t: f64| {
            if t > 0.008_856 {
                t.cbrt()
            } else {
                7.787 * t + 16.0 / 116.0
            }
        };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn the_first_colours_differ_for_every_colour_vision() {
        let visions = [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ];
        for palette in [
            Palette::OkabeIto,
            Palette::TolHighContrast,
            Palette::TolBright,
            Palette::TolMuted,
            Palette::Grey,
        ] {
            for matrix in visions {
                let [a, b] = [0, 1].map(|index| lab(seen(palette.colour(index), matrix)));
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                // 2.3 is what is just noticed side by side; a bar and its legend are further apart.
                assert!(distance > 20.0, "{palette:?}: {distance:.1}");
            }
        }
    }

    #[test]
    fn hatches_stay_inside() {
        let rectangle = [1.0, 2.0, 3.0, 9.0];
        for classifier in 1..6 {
            let lines = Hatch::of(classifier).lines(rectangle, 0.5);
            assert!(lines.len() > 2, "{:?}", Hatch::of(classifier));
            for [x, y] in lines.into_iter().flatten() {
                assert!((1.0 - 1e-9..=3.0 + 1e-9).contains(&x) && (2.0 - 1e-9..=9.0 + 1e-9).contains(&y));
            }
        }
        assert!(Hatch::of(0).lines(rectangle, 0.5).is_empty());
        assert!(Hatch::Rising.lines([0.0, 0.0, 0.0, 0.0], 0.5).is_empty());
    }
}
