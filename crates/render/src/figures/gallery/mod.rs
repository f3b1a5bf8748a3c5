//! Tests that draw every figure from made-up data. With `BIASCAM_GALLERY=DIR` they also leave the pictures there, to
//! be looked at.

mod made_up;

use made_up::{MadeUp, NAMES};

use super::*;
use crate::{Column, Error, Figure, Format, Palette, Style};

fn made_up<'n>(attributes: &'n [&'n str], classifiers: usize, side: u32) -> MadeUp<'n> {
    MadeUp {
        attributes,
        classifiers,
        side,
    }
}

/// All figures for the given attributes.
fn gallery(style: &Style, data: MadeUp<'_>) -> Vec<Figure> {
    vec![
        error_rates(style, &data.bars(false)).unwrap(),
        energies(style, &data.bars(true)).unwrap(),
        turned_decisions(style, &data.bars(false)).unwrap(),
        cross_effects(style, &data.crossed()).unwrap(),
        locality(style, &data.local()).unwrap(),
        average_cams(style, &data.sheet()).unwrap(),
        contact_sheet(style, &data.contacts()).unwrap(),
        examples(style, &data.examples()).unwrap(),
        training_curves(style, &data.curves(if data.attributes.len() > 1 { 10 } else { 1 })).unwrap(),
        energy_scatter(style, &data.scatter()).unwrap(),
        bias_reliance(style, &data.reliance()).unwrap(),
        occlusion(style, &data.hidden()).unwrap(),
        decomposition(style, &data.shared_out()).unwrap(),
        sanity_checks(style, &data.randomised()).unwrap(),
        imbalance(style, &data.gaps()).unwrap(),
        calibration(style, &data.reliability()).unwrap(),
        score_distributions(style, &data.spreads()).unwrap(),
        published(style, &data.beside_the_paper()).unwrap(),
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
        .map(|units| units / crate::drawing::style::UNITS_PER_MM * 72.0 / 25.4)
        .collect()
}

fn check(style: &Style, data: MadeUp<'_>, folder: &str) {
    for figure in gallery(style, data) {
        let name = figure.name();
        let files = [Format::Svg, Format::Pdf, Format::Png].map(|format| (format, figure.file(format, 300).unwrap()));
        let [(_, svg), (_, pdf), (_, png)] = &files;
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
fn every_figure_is_in_the_gallery() {
    let drawn = gallery(&Style::default(), made_up(&["Smiling"], 2, 16));
    for name in super::NAMES {
        assert!(drawn.iter().any(|figure| figure.name() == name), "{name}");
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let style = Style::default();
    let draw = || gallery(&style, made_up(&NAMES[..5], 2, 32));
    for (figure, again) in draw().iter().zip(draw()) {
        let name = figure.name();
        assert!(figure == &again, "{name}: the same data, another drawing");
        for format in [Format::Svg, Format::Pdf, Format::Png] {
            assert!(
                figure.file(format, 100).unwrap() == again.file(format, 100).unwrap(),
                "{name}: the same drawing, another {format:?}"
            );
        }
    }
}

#[test]
fn forty_attributes() {
    check(&Style::default(), made_up(&NAMES, 2, 112), "forty");
}

#[test]
fn forty_attributes_in_one_column() {
    let style = Style {
        column: Some(Column::Single),
        palette: Palette::TolHighContrast,
        ..Style::default()
    };
    check(&style, made_up(&NAMES, 2, 64), "column");
}

#[test]
fn three_attributes_and_classifiers() {
    let style = Style {
        palette: Palette::TolMuted,
        ..Style::default()
    };
    check(
        &style,
        made_up(&["Smiling", "Male", "5_o_Clock_Shadow"], 3, 64),
        "three",
    );
}

#[test]
fn one_attribute_and_classifier() {
    check(&Style::default(), made_up(&["Smiling"], 1, 64), "one");
}

#[test]
fn across_a_page_and_in_greys() {
    let style = Style {
        column: Some(Column::Double),
        palette: Palette::Grey,
        font_size: 9.0,
        ..Style::default()
    };
    check(&style, made_up(&NAMES[..12], 3, 64), "page");
}

#[test]
fn names_of_any_length() {
    let long = "An_attribute_whose_name_was_chosen_by_someone_who_had_never_drawn_a_figure_before";
    check(
        &Style::default(),
        made_up(&[long, "", "<b>&\"", "Ünïcödé_属性"], 2, 32),
        "names",
    );
}

#[test]
fn a_sheet_fits_a_page_and_a_report() {
    let figure = average_cams(&Style::default(), &made_up(&NAMES, 2, 224).sheet()).unwrap();
    assert!(figure.svg().len() < 6_000_000, "{} bytes", figure.svg().len());
}

#[test]
fn nothing_to_draw_is_an_error() {
    let style = &Style::default();
    let all = made_up(&NAMES, 2, 8);
    let empty = made_up(&[], 2, 8);
    assert!(matches!(
        error_rates(style, &empty.bars(false)),
        Err(Error::Empty("error_rates"))
    ));
    assert!(matches!(training_curves(style, &[]), Err(Error::Empty(_))));
    assert!(matches!(
        published(style, &empty.beside_the_paper()),
        Err(Error::Empty(_))
    ));
    let mut bars = all.bars(true);
    bars.groups[3].bars.pop();
    assert!(matches!(
        energies(style, &bars),
        Err(Error::Mismatch {
            found: 1,
            expected: 2,
            ..
        })
    ));
    let mut sanity = all.randomised();
    sanity.panels[1].curves[1].pop();
    let mut sheet = all.sheet();
    sheet.rows[0].panels.pop();
    let mut reliance = all.reliance();
    reliance.groups[0].bars.pop();
    for found in [
        bias_reliance(style, &reliance),
        average_cams(style, &sheet),
        sanity_checks(style, &sanity),
    ] {
        assert!(matches!(found, Err(Error::Mismatch { .. })));
    }
    let mut beside = all.beside_the_paper();
    beside.attributes.pop();
    assert!(matches!(
        published(style, &beside),
        Err(Error::Mismatch { expected: 39, .. })
    ));
}
