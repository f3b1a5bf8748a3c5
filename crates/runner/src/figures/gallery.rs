//! Tests that draw every figure from synthetic data. With `BIASCAM_GALLERY=DIR` they also leave the pictures there, to
//! be looked at.

use image::{Rgb, RgbImage};

use super::data::*;
use super::*;

const NAMES: [&str; 40] = [
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

/// Numbers in [0, 1) that look random and are always the same.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 24)
}

fn classifiers() -> Vec<String> {
    vec!["unbalanced".to_owned(), "balanced".to_owned()]
}

fn global(name: &str) -> bool {
    ["Attractive", "Blurry", "Chubby", "Male", "Young"].contains(&name)
}

fn bars(names: &[&str], energies: bool) -> BarFigure {
    let bar = |value: f64, i: usize| Bar {
        value: (i % 37 != 5).then_some(value),
        interval: (energies && i % 37 != 5).then_some(((value - 0.04).max(0.0), (value + 0.04).min(1.0))),
        published: (i % 3 != 1).then_some((value + 0.1 * (noise(i) - 0.5)).clamp(0.0, 1.0)),
    };
    let groups = names.iter().enumerate().map(|(i, name)| {
        let t = i as f64 / names.len().max(2) as f64;
        let pair = |up: f64, down: f64, k: usize| BarPair {
            minority: bar(up, 4 * i + k),
            majority: bar(down, 4 * i + k + 2),
        };
        let wobble = 0.15 * noise(i);
        let bars = if energies {
            vec![
                pair(0.65 - wobble, 0.4 - 0.3 * t, 0),
                pair(0.55 - wobble, 0.45 - 0.15 * t, 1),
            ]
        } else {
            vec![
                pair(0.1 + 0.6 * t * t + wobble, 0.1 - 0.09 * t, 0),
                pair(0.1 + wobble, 0.12 + wobble / 2.0, 1),
            ]
        };
        BarGroup {
            attribute: (*name).to_owned(),
            minority_positive: !["Young", "No_Beard"].contains(name),
            global: energies && global(name),
            chance: energies.then_some(0.06 + 0.2 * noise(i + 99)),
            bars,
        }
    });
    BarFigure {
        classifiers: classifiers(),
        groups: groups.collect(),
    }
}

/// A face-like picture: an ellipse with eyes and mouth.
fn face(side: u32, i: usize) -> RgbImage {
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

fn sheet(names: &[&str], side: u32) -> AverageCams {
    let rows = names.iter().enumerate().map(|(i, name)| {
        let panel = |k: usize| {
            let empty = i % 11 == 7 && k == 0;
            let spread = [0.1, 0.3, 0.12, 0.18][k];
            AveragePanel {
                samples: if empty {
                    0
                } else {
                    (noise(9 * i + k) * 12000.0) as usize + 1
                },
                energy: (!empty).then(|| noise(i * 7 + k)),
                face: (!empty).then(|| face(side, i * 4 + k)),
                map: (!empty).then(|| map(side as usize, [0.5, 0.35 + 0.3 * noise(i)], spread)),
            }
        };
        AverageRow {
            attribute: (*name).to_owned(),
            outline: (i % 9 != 8).then(|| outline(i)),
            panels: vec![[panel(0), panel(1)], [panel(2), panel(3)]],
        }
    });
    AverageCams {
        classifiers: classifiers(),
        rows: rows.collect(),
    }
}

fn example_faces(names: &[&str]) -> Examples {
    let cell = |a: usize, f: usize| ExampleCell {
        chosen: ["best", "worst", "random"][f],
        name: format!("{:06}.jpg", 182_638 + 7 * a + f),
        image: face(112, 3 * a + f),
        label: [1, -1, 1, 0][(f + a) % 4],
        panels: (0..2)
            .map(|k| ExamplePanel {
                score: (noise(f * 31 + a * 5 + k) * 4.0 - 2.0) as f32,
                map: map(112, [0.3 + 0.4 * noise(f + a), 0.6], 0.08 + 0.1 * k as f64),
                energy: (f != 1).then(|| noise(f + a + k)),
            })
            .collect(),
    };
    let rows = names.iter().enumerate().map(|(a, name)| ExampleRow {
        attribute: (*name).to_owned(),
        outline: Some(outline(a)),
        cells: (0..3).map(|f| (a != 2 || f != 1).then(|| cell(a, f))).collect(),
    });
    Examples {
        classifiers: classifiers(),
        rows: rows.collect(),
    }
}

fn gaps(names: &[&str]) -> Imbalance {
    let points = names.iter().enumerate().map(|(i, name)| ImbalancePoint {
        attribute: (*name).to_owned(),
        minority_share: 0.5 * (0.045_f64).powf(i as f64 / names.len() as f64),
        error_gaps: vec![Some(0.6 * noise(i) + 0.008 * i as f64), Some(0.1 * noise(i + 9) - 0.05)],
        energy_gaps: vec![
            (i % 8 != 7).then_some(0.5 * noise(i + 5) - 0.1),
            Some(0.3 * noise(i + 7) - 0.1),
        ],
    });
    let correlation = |value| {
        Some(RankCorrelation {
            value,
            interval: Some((value - 0.2, value + 0.15)),
        })
    };
    Imbalance {
        classifiers: classifiers(),
        points: points.collect(),
        error_correlations: vec![correlation(0.71), correlation(-0.13)],
        energy_correlations: vec![correlation(0.26), None],
    }
}

fn reliability() -> Vec<CalibrationCurve> {
    let curve = |k: usize, classifier: String| CalibrationCurve {
        classifier,
        bins: (0..10)
            .map(|step| {
                let predicted = (step as f64 + 0.5) / 10.0;
                let observed = [predicted.powf(0.9), predicted.powf(2.2)][k];
                CalibrationBin {
                    predicted,
                    observed,
                    interval: ((observed - 0.04).max(0.0), (observed + 0.04).min(1.0)),
                    samples: 100,
                }
            })
            .collect(),
        error: Some([0.021, 0.134][k]),
    };
    classifiers()
        .into_iter()
        .enumerate()
        .map(|(k, name)| curve(k, name))
        .collect()
}

fn spreads(names: &[&str]) -> ScoreDistributions {
    let spread = |middle: f64, width: f64| Spread {
        low: middle - 2.5 * width,
        quartiles: [middle - width, middle, middle + width],
        high: middle + 2.5 * width,
    };
    let groups = names.iter().enumerate().map(|(i, name)| ScoreGroup {
        attribute: (*name).to_owned(),
        spreads: vec![
            [
                (i % 9 != 8).then(|| spread(0.5 - 0.02 * i as f64, 0.2 + 0.2 * noise(i))),
                Some(spread(-0.8, 0.1 + 0.1 * noise(i))),
            ],
            [
                (i % 9 != 8).then(|| spread(0.6, 0.2 + 0.2 * noise(i))),
                Some(spread(-0.6, 0.2 + 0.1 * noise(i))),
            ],
        ],
    });
    ScoreDistributions {
        classifiers: classifiers(),
        groups: groups.collect(),
    }
}

fn curves(epochs: usize) -> Vec<TrainingCurve> {
    let curve = |k: usize, classifier: String| TrainingCurve {
        classifier,
        points: (1..=epochs)
            .map(|epoch| {
                let decay = (-(epoch as f64) / 3.0).exp();
                EpochPoint {
                    epoch: epoch as f64,
                    loss: Some(0.2 + 0.7 * decay - 0.05 * k as f64),
                    validation_loss: Some(0.25 + 0.6 * decay + 0.02 * noise(epoch)),
                    minority_error: Some([0.35, 0.12][k] + 0.5 * decay),
                    majority_error: Some([0.03, 0.13][k] + 0.1 * decay),
                }
            })
            .collect(),
    };
    classifiers()
        .into_iter()
        .enumerate()
        .map(|(k, name)| curve(k, name))
        .collect()
}

fn scatter(names: &[&str]) -> EnergyScatter {
    let points = names.iter().enumerate().map(|(i, name)| {
        let majority = 0.1 + 0.4 * noise(i + 3);
        ScatterPoint {
            attribute: (*name).to_owned(),
            energies: vec![
                (i % 8 != 7).then_some((majority, 0.35 + 0.5 * noise(i + 55))),
                Some((majority + 0.15, 0.3 + 0.5 * noise(i + 55))),
            ],
        }
    });
    EnergyScatter {
        classifiers: classifiers(),
        points: points.collect(),
    }
}

fn contacts(names: &[&str], side: u32) -> ContactSheet {
    let cells = names.iter().enumerate().map(|(i, name)| SheetCell {
        title: (*name).to_owned(),
        note: format!("z +{:.2}", noise(i)),
        picture: shrunken(&tinted(
            &face(side, i),
            &map(7, [0.5, 0.5], 0.2),
            cam::ColourMap::Viridis,
        )),
    });
    ContactSheet {
        title: "182638".to_owned(),
        subtitle: "hires_cam, target predicted".to_owned(),
        colours: cam::ColourMap::Viridis,
        cells: cells.collect(),
    }
}

fn reliance(names: &[&str]) -> BiasFigure {
    let bar = |i: usize, balanced: bool| BiasBar {
        score: Some(0.9),
        constant: (i % 11 != 4).then_some(if balanced { noise(i) - 0.4 } else { 0.9 - 0.2 * noise(i) }),
        bias: Some(0.1 * noise(i + 7) - 0.05),
        region: (i % 11 != 4).then_some(0.2 * noise(i + 13) - 0.05),
        region_minority: (i % 6 != 2).then_some(0.6 * noise(i + 29)),
    };
    let groups = names.iter().enumerate().map(|(i, name)| BiasGroup {
        attribute: (*name).to_owned(),
        global: global(name),
        bars: vec![bar(i, false), bar(i + 50, true)],
    });
    BiasFigure {
        classifiers: classifiers(),
        groups: groups.collect(),
    }
}

/// All figures for the given attributes.
fn gallery(style: &Style, names: &[&str], side: u32) -> Vec<Figure> {
    let few = &names[..names.len().min(4)];
    vec![
        error_rates(style, &bars(names, false)).unwrap(),
        energies(style, &bars(names, true)).unwrap(),
        average_cams(style, &sheet(names, side)).unwrap(),
        contact_sheet(style, &contacts(names, side)).unwrap(),
        examples(style, &example_faces(few)).unwrap(),
        training_curves(style, &curves(if names.len() > 1 { 10 } else { 1 })).unwrap(),
        energy_scatter(style, &scatter(names)).unwrap(),
        bias_reliance(style, &reliance(names)).unwrap(),
        imbalance(style, &gaps(names)).unwrap(),
        calibration(style, &reliability()).unwrap(),
        score_distributions(style, &spreads(names)).unwrap(),
        published(style, &beside_the_paper(names)).unwrap(),
    ]
}

/// Width and height of a PDF's page in points.
fn page_size(pdf: &[u8]) -> [f64; 2] {
    let text = String::from_utf8_lossy(pdf);
    let (_, rest) = text.split_once("/MediaBox [").expect("a page");
    let numbers: Vec<f64> = rest
        .split(']')
        .next()
        .unwrap()
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    [numbers[2] - numbers[0], numbers[3] - numbers[1]]
}

/// Font sizes of a drawing's texts, in points on paper.
fn font_sizes(svg: &str) -> Vec<f64> {
    svg.split("font-size=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap())
        .map(|units| units / style::UNITS_PER_MM * 72.0 / 25.4)
        .collect()
}

fn check(style: &Style, names: &[&str], side: u32, folder: &str) {
    for (figure, again) in gallery(style, names, side).iter().zip(gallery(style, names, side)) {
        let name = figure.name();
        assert!(figure == &again, "{name}: the same data, another drawing");
        let files = [Format::Svg, Format::Pdf, Format::Png].map(|format| (format, figure.file(format, 300).unwrap()));
        let [(_, svg), (_, pdf), (_, png)] = &files;
        for (format, bytes) in &files {
            assert!(
                &again.file(*format, 300).unwrap() == bytes,
                "{name}: the same drawing, another {format:?}"
            );
        }
        if name != "contact_sheet" {
            // The size on paper is the one asked for, to a hundredth of a millimetre, and the text is of 7 to 9 points.
            let width = page_size(pdf)[0] * 25.4 / 72.0;
            assert!(
                [style.single_column, style.double_column]
                    .iter()
                    .any(|column| (width - column).abs() < 0.01),
                "{name}: {width} mm wide"
            );
            for size in font_sizes(std::str::from_utf8(svg).unwrap()) {
                assert!((6.98..=9.02).contains(&size), "{name}: text of {size} points");
            }
        }
        let pixels = image::load_from_memory(png).unwrap().to_rgb8();
        let ink = pixels.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        assert!(ink * 200 > pixels.pixels().len(), "{name} is almost empty");
        // Nothing may be cut off: the outermost pixels are paper.
        let (right, bottom) = (pixels.width() - 1, pixels.height() - 1);
        let edge = (0..=right)
            .flat_map(|x| [(x, 0), (x, bottom)])
            .chain((0..=bottom).flat_map(|y| [(0, y), (right, y)]));
        for (x, y) in edge {
            assert_eq!(pixels.get_pixel(x, y).0, [255; 3], "{name}: ink at the edge ({x}, {y})");
        }
        if let Some(gallery) = std::env::var_os("BIASCAM_GALLERY") {
            let folder = std::path::Path::new(&gallery).join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            for (format, bytes) in &files {
                std::fs::write(folder.join(format!("{name}.{}", format.extension())), bytes).unwrap();
            }
        }
    }
}

#[test]
fn forty_attributes() {
    check(&Style::default(), &NAMES, 112, "forty");
}

#[test]
fn forty_attributes_in_one_column() {
    let style = Style {
        column: Some(Column::Single),
        palette: Palette::TolHighContrast,
        ..Style::default()
    };
    let bars = error_rates(&style, &bars(&NAMES, false)).unwrap();
    assert!((bars.width() - style.single_column).abs() < 1e-9);
}

#[test]
fn three_attributes() {
    check(&Style::default(), &["Smiling", "Male", "5_o_Clock_Shadow"], 64, "three");
}

#[test]
fn one_attribute() {
    check(&Style::default(), &["Smiling"], 64, "one");
}

#[test]
fn names_of_any_length() {
    let long = "An_attribute_whose_name_was_chosen_by_someone_who_had_never_drawn_a_figure_before";
    check(&Style::default(), &[long, "", "<b>&\"", "Ünïcödé_属性"], 32, "names");
}

#[test]
fn a_sheet_fits_a_page_and_a_report() {
    let figure = average_cams(&Style::default(), &sheet(&NAMES, 224)).unwrap();
    assert!(figure.svg().len() < 6_000_000, "{} bytes", figure.svg().len());
}

#[test]
fn nothing_to_draw_is_an_error() {
    let style = &Style::default();
    let empty = BarFigure {
        classifiers: classifiers(),
        groups: Vec::new(),
    };
    assert!(matches!(
        error_rates(style, &empty),
        Err(FigureError::Empty("error_rates"))
    ));
    let mut uneven = bars(&NAMES, true);
    uneven.groups[3].bars.pop();
    assert!(matches!(
        energies(style, &uneven),
        Err(FigureError::Mismatch {
            found: 1,
            expected: 2,
            ..
        })
    ));
    let mut uneven = reliance(&NAMES);
    uneven.groups[0].bars.pop();
    assert!(matches!(
        bias_reliance(style, &uneven),
        Err(FigureError::Mismatch { .. })
    ));
    assert!(matches!(training_curves(style, &[]), Err(FigureError::Empty(_))));
    let mut uneven = sheet(&["Bald"], 8);
    uneven.rows[0].panels.pop();
    assert!(matches!(
        average_cams(style, &uneven),
        Err(FigureError::Mismatch { .. })
    ));
}

fn beside_the_paper(names: &[&str]) -> PublishedFigure {
    let quantities = ["fnr", "fpr", "energy_predicted_positive", "energy_predicted_negative"];
    let classifiers = classifiers();
    let panels = classifiers
        .iter()
        .flat_map(|name| quantities.map(|quantity| (name, quantity)));
    let value = |position: usize, i: usize| {
        let published = noise(31 * position + i);
        let ours = (published + 0.3 * (noise(7 * i + position) - 0.5)).clamp(0.0, 1.0);
        (i % 11 != 3).then_some((ours, published))
    };
    let panel = |(position, (name, quantity)): (usize, (&String, &'static str))| PublishedPanel {
        classifier: name.clone(),
        quantity,
        values: (0..names.len()).map(|i| value(position, i)).collect(),
        mean_difference: -0.012,
        mean_absolute_difference: 0.071,
        rank_correlation: (names.len() > 1).then_some(0.87),
    };
    PublishedFigure {
        attributes: names.iter().map(|name| (*name).to_owned()).collect(),
        panels: panels.enumerate().map(panel).collect(),
    }
}

#[test]
fn panels_of_other_attributes_are_refused() {
    let mut data = beside_the_paper(&NAMES);
    data.attributes.pop();
    assert!(matches!(
        published(&Style::default(), &data),
        Err(FigureError::Mismatch { expected: 39, .. })
    ));
    data.attributes.clear();
    assert!(matches!(
        published(&Style::default(), &data),
        Err(FigureError::Empty(_))
    ));
}
