//! Data of every figure that look like a run's, for any attributes and any number of classifiers; some of it is absent.

use image::{Rgb, RgbImage};
use metrics::{CalibrationBin, Correlation, Interval};

use super::super::*;
use crate::{ColourMap, Outline, shrunken, tinted};

/// CelebA's attributes, in the order of the paper's table.
pub const NAMES: [&str; 40] = [
    "Attractive",
    "Mouth_Slightly_Open",
    "Smiling",
    "Wearing_Lipstick",
    "High_Cheekbones",
    "Male",
    "Heavy_Makeup",
    "Wavy_Hair",
    "Oval_Face",
    "Pointy_Nose",
    "Arched_Eyebrows",
    "Black_Hair",
    "Big_Lips",
    "Big_Nose",
    "Young",
    "Straight_Hair",
    "Bags_Under_Eyes",
    "Brown_Hair",
    "Wearing_Earrings",
    "No_Beard",
    "Bangs",
    "Blond_Hair",
    "Bushy_Eyebrows",
    "Wearing_Necklace",
    "Narrow_Eyes",
    "5_o_Clock_Shadow",
    "Receding_Hairline",
    "Wearing_Necktie",
    "Rosy_Cheeks",
    "Eyeglasses",
    "Goatee",
    "Chubby",
    "Sideburns",
    "Blurry",
    "Wearing_Hat",
    "Double_Chin",
    "Pale_Skin",
    "Gray_Hair",
    "Mustache",
    "Bald",
];

const CLASSIFIERS: [&str; 3] = ["unbalanced", "balanced", "inverse_frequency"];

/// What there is to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct MadeUp<'n> {
    pub attributes: &'n [&'n str],
    /// How many classifiers: 1 to 3.
    pub classifiers: usize,
    /// Side of the faces, in pixels.
    pub side: u32,
}

/// Numbers in [0, 1) that look random and are always the same.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 24)
}

/// An interval around a share or a correlation, which ends at the `lowest` and at 1.
fn within(lowest: f64, value: f64, half: f64) -> Interval {
    Interval {
        low: (value - half).max(lowest),
        high: (value + half).min(1.0),
    }
}

fn global(name: &str) -> bool {
    ["Attractive", "Blurry", "Chubby", "Male", "Young"].contains(&name)
}

fn minority_positive(name: &str) -> bool {
    !["Young", "No_Beard"].contains(&name)
}

/// A face-like picture: an ellipse with eyes and mouth.
pub fn face(side: u32, i: usize) -> RgbImage {
    let tone = 140.0 + 80.0 * noise(i);
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = (
            f64::from(x) / f64::from(side) - 0.5,
            f64::from(y) / f64::from(side) - 0.5,
        );
        let inside = (u / 0.27).powi(2) + (v / 0.38).powi(2) < 1.0;
        let eye = (u.abs() - 0.1).powi(2) + (v + 0.06).powi(2) < 0.0012;
        let mouth = (u / 0.11).powi(2) + ((v - 0.17) / 0.025).powi(2) < 1.0;
        let value = match (inside, eye || mouth) {
            (true, false) => tone,
            (true, true) => 60.0,
            _ => 90.0 + 40.0 * v,
        };
        Rgb([value, value * 0.85, value * 0.75].map(|channel| channel as u8))
    })
}

fn map(side: usize, [cx, cy]: [f64; 2], spread: f64) -> Vec<f32> {
    let at = |i: usize| {
        let (x, y) = ((i % side) as f64 / side as f64, (i / side) as f64 / side as f64);
        (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * spread * spread)).exp() as f32
    };
    (0..side * side).map(at).collect()
}

fn outline(i: usize) -> Outline {
    let inside = |row: usize, column: usize| match i % 3 {
        0 => row == 4 && (2..5).contains(&column),
        1 => (2..4).contains(&row) && (2..5).contains(&column),
        _ => (1..7).contains(&row) && (1..6).contains(&column) && !((2..7).contains(&row) && (2..5).contains(&column)),
    };
    Outline {
        side: 7,
        inside: (0..49).map(|cell| inside(cell / 7, cell % 7)).collect(),
    }
}

impl MadeUp<'_> {
    fn classifiers(&self) -> Vec<String> {
        let names = CLASSIFIERS.into_iter().take(self.classifiers);
        names.map(str::to_owned).collect()
    }

    /// One item for each attribute, made of its position and its name.
    fn each<T>(&self, make: impl Fn(usize, String) -> T) -> Vec<T> {
        let names = self.attributes.iter().map(|name| (*name).to_owned());
        names.enumerate().map(|(i, name)| make(i, name)).collect()
    }

    /// One item for each classifier.
    fn of_each<T>(&self, make: impl FnMut(usize) -> T) -> Vec<T> {
        (0..self.classifiers).map(make).collect()
    }

    /// Cells of 7 x 7, whose influence lies about their squares.
    pub fn local(&self) -> LocalityFigure {
        let cell = |number: usize| {
            let (row, column) = (number / 7, number % 7);
            let centre = [column, row].map(|at| (at as f64 + 0.5) / 7.0);
            LocalityCell {
                map: (number % 11 != 4).then(|| map(28, centre, 0.15)),
                square: Outline {
                    side: 7,
                    inside: (0..49).map(|other| other == number).collect(),
                },
            }
        };
        let panel = |classifier| LocalityPanel {
            classifier,
            words: "0.31 in the own square (its area 0.02), 0.72 with its neighbours".to_owned(),
            columns: 7,
            cells: (0..49).map(cell).collect(),
        };
        LocalityFigure {
            image: face(self.side, 3),
            influence: "expected gradient".to_owned(),
            panels: self.classifiers().into_iter().map(panel).collect(),
        }
    }

    /// Toggled attributes, whose effects are nearly their own alone.
    pub fn crossed(&self) -> CrossEffectFigure {
        let count = self.attributes.len();
        let effect = |row: usize, column: usize| match (row * count + column) % 17 {
            _ if row == column => CrossEffect::Share(1.0),
            3 => CrossEffect::Hidden,
            5 => CrossEffect::Absent,
            _ => CrossEffect::Share(0.6 * (noise(row * count + column) - 0.5)),
        };
        let matrix = || {
            (0..count)
                .map(|row| (0..count).map(|column| effect(row, column)).collect())
                .collect()
        };
        CrossEffectFigure {
            attributes: self.attributes.iter().map(|name| (*name).to_owned()).collect(),
            panels: self
                .classifiers()
                .into_iter()
                .map(|classifier| CrossEffectPanel {
                    classifier,
                    effects: matrix(),
                })
                .collect(),
        }
    }

    pub fn bars(&self, energies: bool) -> BarFigure {
        let bar = |value: f64, i: usize| Bar {
            value: (i % 37 != 5).then_some(value),
            interval: (i % 37 != 5).then_some(within(0.0, value, 0.04)),
            published: (i % 3 != 1).then_some((value + 0.1 * (noise(i) - 0.5)).clamp(0.0, 1.0)),
        };
        let count = self.attributes.len().max(2) as f64;
        let group = |i: usize, attribute: String| {
            let (t, wobble) = (i as f64 / count, 0.15 * noise(i));
            let pair = |k: usize| {
                let [up, down] = match (energies, k) {
                    (true, 0) => [0.65 - wobble, 0.4 - 0.3 * t],
                    (true, _) => [0.55 - wobble, 0.45 - 0.15 * t],
                    (false, 0) => [0.1 + 0.6 * t * t + wobble, 0.1 - 0.09 * t],
                    (false, _) => [0.1 + wobble, 0.12 + wobble / 2.0],
                };
                BarPair {
                    minority: bar(up, 4 * i + k),
                    majority: bar(down, 4 * i + k + 2),
                }
            };
            BarGroup {
                minority_positive: minority_positive(&attribute),
                global: energies && global(&attribute),
                chance: energies.then_some(0.06 + 0.2 * noise(i + 99)),
                bars: self.of_each(pair),
                attribute,
            }
        };
        BarFigure {
            classifiers: self.classifiers(),
            groups: self.each(group),
        }
    }

    pub fn sheet(&self) -> AverageCams {
        let row = |i: usize, attribute: String| {
            let panel = |k: usize| {
                let empty = i % 11 == 7 && k == 0;
                let spread = [0.1, 0.3, 0.12, 0.18, 0.15, 0.25][k];
                let side = self.side as usize;
                AveragePanel {
                    samples: if empty {
                        0
                    } else {
                        (noise(9 * i + k) * 12000.0) as usize + 1
                    },
                    energy: (!empty).then(|| noise(i * 7 + k)),
                    face: (!empty).then(|| face(self.side, i * 4 + k)),
                    map: (!empty).then(|| map(side, [0.5, 0.35 + 0.3 * noise(i)], spread)),
                }
            };
            AverageRow {
                attribute,
                outline: (i % 9 != 8).then(|| outline(i)),
                panels: self.of_each(|k| [panel(2 * k), panel(2 * k + 1)]),
            }
        };
        AverageCams {
            classifiers: self.classifiers(),
            rows: self.each(row),
        }
    }

    /// Of the first four attributes.
    pub fn examples(&self) -> ExamplesFigure {
        let cell = |a: usize, f: usize| ExampleCell {
            chosen: ["best", "worst", "random"][f],
            name: format!("{:06}.jpg", 182_638 + 7 * a + f),
            image: face(112, 3 * a + f),
            outline: Some(outline(a)),
            label: [1, -1, 1, 0][(f + a) % 4],
            panels: self.of_each(|k| ExamplePanel {
                score: (noise(f * 31 + a * 5 + k) * 4.0 - 2.0) as f32,
                map: map(112, [0.3 + 0.4 * noise(f + a), 0.6], 0.08 + 0.1 * k as f64),
                energy: (f != 1).then(|| noise(f + a + k)),
            }),
        };
        let few = MadeUp {
            attributes: &self.attributes[..self.attributes.len().min(4)],
            ..*self
        };
        let rows = few.each(|a, attribute| ExampleRow {
            attribute,
            cells: (0..3).map(|f| (a != 2 || f != 1).then(|| cell(a, f))).collect(),
        });
        ExamplesFigure {
            classifiers: self.classifiers(),
            rows,
        }
    }

    pub fn gaps(&self) -> Imbalance {
        let point = |i: usize, attribute: String| ImbalancePoint {
            attribute,
            minority_share: 0.5 * (0.045_f64).powf(i as f64 / self.attributes.len() as f64),
            error_gaps: self.of_each(|k| {
                Some(match k {
                    0 => 0.6 * noise(i) + 0.008 * i as f64,
                    _ => 0.1 * noise(i + 9 * k) - 0.05,
                })
            }),
            energy_gaps: self
                .of_each(|k| (k > 0 || i % 8 != 7).then_some((0.5 - 0.1 * k as f64) * noise(i + 5 + 2 * k) - 0.1)),
        };
        let correlation = |value| Correlation {
            value,
            interval: Some(Interval {
                low: value - 0.2,
                high: value + 0.15,
            }),
            n: self.attributes.len(),
        };
        Imbalance {
            classifiers: self.classifiers(),
            points: self.each(point),
            error_correlations: self.of_each(|k| Some(correlation([0.71, -0.13, 0.04][k]))),
            energy_correlations: self.of_each(|k| (k != 1).then(|| correlation([0.26, 0.0, 0.12][k]))),
        }
    }

    pub fn reliability(&self) -> Vec<CalibrationCurve> {
        let names = self.classifiers();
        self.of_each(|k| CalibrationCurve {
            classifier: names[k].clone(),
            bins: (0..10)
                .map(|step| {
                    let predicted = (step as f64 + 0.5) / 10.0;
                    let observed = predicted.powf([0.9, 2.2, 1.4][k]);
                    CalibrationBin {
                        predicted,
                        observed,
                        interval: within(0.0, observed, 0.04),
                        samples: 100,
                    }
                })
                .collect(),
            error: Some([0.021, 0.134, 0.05][k]),
        })
    }

    pub fn spreads(&self) -> ScoreDistributions {
        let spread = |middle: f64, width: f64| Spread {
            low: middle - 2.5 * width,
            quartiles: [middle - width, middle, middle + width],
            high: middle + 2.5 * width,
        };
        let group = |i: usize, attribute: String| ScoreGroup {
            minority_positive: minority_positive(&attribute),
            attribute,
            spreads: self.of_each(|k| {
                let middle = if k == 0 { 0.5 - 0.02 * i as f64 } else { 0.6 };
                [
                    (i % 9 != 8).then(|| spread(middle, 0.2 + 0.2 * noise(i))),
                    Some(spread(-0.8 + 0.2 * k as f64, 0.1 + 0.1 * noise(i))),
                ]
            }),
        };
        ScoreDistributions {
            classifiers: self.classifiers(),
            groups: self.each(group),
        }
    }

    pub fn curves(&self, epochs: usize) -> Vec<TrainingCurve> {
        let names = self.classifiers();
        self.of_each(|k| TrainingCurve {
            classifier: names[k].clone(),
            points: (1..=epochs)
                .map(|epoch| {
                    let decay = (-(epoch as f64) / 3.0).exp();
                    EpochPoint {
                        epoch: epoch as f64,
                        loss: Some(0.2 + 0.7 * decay - 0.05 * k as f64),
                        validation_loss: Some(0.25 + 0.6 * decay + 0.02 * noise(epoch)),
                        minority_error: Some([0.35, 0.12, 0.2][k] + 0.5 * decay),
                        majority_error: Some([0.03, 0.13, 0.08][k] + 0.1 * decay),
                    }
                })
                .collect(),
        })
    }

    pub fn scatter(&self) -> EnergyScatter {
        let point = |i: usize, attribute: String| {
            let majority = 0.1 + 0.4 * noise(i + 3);
            ScatterPoint {
                attribute,
                energies: self.of_each(|k| match k {
                    0 => (i % 8 != 7).then_some((majority, 0.35 + 0.5 * noise(i + 55))),
                    _ => Some((majority + 0.1 * (k + 1) as f64 - 0.05, 0.3 + 0.5 * noise(i + 55))),
                }),
            }
        };
        EnergyScatter {
            classifiers: self.classifiers(),
            points: self.each(point),
        }
    }

    pub fn contacts(&self) -> ContactSheet {
        let cell = |i: usize, title: String| SheetCell {
            title,
            note: format!("z +{:.2}", noise(i)),
            picture: shrunken(&tinted(
                &face(self.side, i),
                &map(7, [0.5, 0.5], 0.2),
                ColourMap::Viridis,
            )),
        };
        ContactSheet {
            title: "182638".to_owned(),
            subtitle: "hires_cam, target predicted".to_owned(),
            colours: ColourMap::Viridis,
            cells: self.each(cell),
        }
    }

    pub fn reliance(&self) -> BiasFigure {
        let bar = |i: usize, k: usize| {
            let j = i + 50 * k;
            BiasBar {
                score: Some(0.9),
                constant: (j % 11 != 4).then_some(if k > 0 { noise(j) - 0.4 } else { 0.9 - 0.2 * noise(j) }),
                bias: Some(0.1 * noise(j + 7) - 0.05),
                region: (j % 11 != 4).then_some(0.2 * noise(j + 13) - 0.05),
                region_minority: (j % 6 != 2).then_some(0.6 * noise(j + 29)),
            }
        };
        let group = |i: usize, attribute: String| BiasGroup {
            minority_positive: minority_positive(&attribute),
            global: global(&attribute),
            attribute,
            bars: self.of_each(|k| bar(i, k)),
        };
        BiasFigure {
            classifiers: self.classifiers(),
            groups: self.each(group),
        }
    }

    /// A quantity for each attribute, at most nine.
    pub fn shared_out(&self) -> DecompositionFigure {
        let row = |(i, name): (usize, &&str)| {
            let parts = [0, 1, 2].map(|k| noise(i + 40 * k) - 0.4);
            let difference = parts.iter().sum::<f64>();
            DecompositionRow {
                title: (*name).to_owned(),
                steps: [parts, [parts[1], parts[2], parts[0]]],
                difference,
                interval: Some(Interval {
                    low: difference - 0.1,
                    high: difference + 0.2,
                }),
            }
        };
        let rows: Vec<_> = self.attributes.iter().enumerate().take(9).map(row).collect();
        let (first, second) = rows.split_at(rows.len().div_ceil(2));
        DecompositionFigure {
            ends: ["unbalanced", "balanced"].map(str::to_owned),
            difference: "balanced − unbalanced".to_owned(),
            panels: vec![
                ("a share".to_owned(), first.to_vec()),
                ("logits".to_owned(), second.to_vec()),
            ],
        }
    }

    pub fn hidden(&self) -> OcclusionFigure {
        let bar = |i: usize, k: usize| {
            let lost = 1.2 * noise(i + 40 * k) - 0.2;
            OcclusionBar {
                lost: (i % 13 != 6).then_some(lost),
                interval: Some(Interval {
                    low: lost - 0.1,
                    high: lost + 0.1,
                }),
                control: (i % 5 != 3).then_some(0.1 * noise(i + 7) - 0.03),
            }
        };
        let group = |i: usize, attribute: String| OcclusionGroup {
            minority_positive: minority_positive(&attribute),
            global: global(&attribute),
            attribute,
            bars: self.of_each(|k| [bar(i, k), bar(i + 3, k)]),
        };
        OcclusionFigure {
            classifiers: self.classifiers(),
            groups: self.each(group),
        }
    }

    /// As many methods as attributes, five at most.
    pub fn randomised(&self) -> SanityChecks {
        let depths = ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"];
        let methods = ["HiResCAM", "Grad-CAM++", "LayerCAM", "Eigen-CAM", "centred CAM"];
        let point = |m: usize, k: usize, depth: usize| {
            let mean = 0.9 - 0.18 * depth as f64 * noise(m + 3 * k);
            SanityPoint {
                similarity: (m != 3 || depth != 5).then_some(mean),
                interval: Some(within(-1.0, mean, 0.08)),
            }
        };
        let panel = |(m, method): (usize, &str)| SanityPanel {
            method: method.to_owned(),
            curves: self.of_each(|k| (0..depths.len()).map(|depth| point(m, k, depth)).collect()),
        };
        let methods = methods.into_iter().take(self.attributes.len()).enumerate();
        SanityChecks {
            classifiers: self.classifiers(),
            depths: depths.map(str::to_owned).to_vec(),
            panels: methods.map(panel).collect(),
        }
    }

    pub fn beside_the_paper(&self) -> PublishedFigure {
        let quantities = ["fnr", "fpr", "energy_predicted_positive", "energy_predicted_negative"];
        let names = self.classifiers();
        let value = |position: usize, i: usize| {
            let published = noise(31 * position + i);
            let ours = (published + 0.3 * (noise(7 * i + position) - 0.5)).clamp(0.0, 1.0);
            (i % 11 != 3).then_some((ours, published))
        };
        let panels = names
            .iter()
            .flat_map(|name| quantities.map(|quantity| (name, quantity)));
        let panel = |(position, (name, quantity)): (usize, (&String, &'static str))| PublishedPanel {
            classifier: name.clone(),
            quantity,
            values: self.each(|i, _| value(position, i)),
            mean_difference: -0.012,
            mean_absolute_difference: 0.071,
            rank_correlation: (self.attributes.len() > 1).then_some(0.87),
        };
        PublishedFigure {
            attributes: self.each(|_, name| name),
            panels: panels.enumerate().map(panel).collect(),
        }
    }
}
