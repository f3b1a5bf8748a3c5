//! Single faces with the maps of an attribute: those where the maps are best and worst, and some drawn at random.

use crate::colour::ColourMap;
use plotters::style::RGBColor;

use crate::drawing::export::Figure;
use crate::drawing::outline::Outline;
use crate::drawing::picture_panel::{colour_scale, panel};
use crate::drawing::raster::overlay;
use crate::drawing::style::{Column, GREY, GRID, INK, Style, capital, fit, line_height, text_width, widest, wrapped};
use crate::drawing::svg::{Anchor, Svg};
use crate::error::{Error, Result};
use crate::text::{readable, signed};
use image::RgbImage;

/// What one classifier says about an attribute of a face.
#[derive(Debug, Clone)]
pub struct ExamplePanel {
    /// The score (logit); at least 0 predicts positive.
    pub score: f32,
    /// The final map, row-major and square, in `[0, 1]`.
    pub map: Vec<f32>,
    /// Its proportional energy.
    pub energy: Option<f64>,
}

/// One face, chosen for an attribute.
#[derive(Debug, Clone)]
pub struct ExampleCell {
    /// How it was chosen: `best`, `worst` or `random`.
    pub chosen: &'static str,
    /// Name of the image.
    pub name: String,
    /// The aligned face, square.
    pub image: RgbImage,
    /// Where the attribute is expected in it.
    pub outline: Option<Outline>,
    /// The label: `1`, `-1`, or `0` if not annotated.
    pub label: i8,
    /// One panel per classifier.
    pub panels: Vec<ExamplePanel>,
}

/// The faces of one attribute.
#[derive(Debug, Clone)]
pub struct ExampleRow {
    /// Name of the attribute.
    pub attribute: String,
    /// The faces; `None` where none fits the description.
    pub cells: Vec<Option<ExampleCell>>,
}

/// Single faces with the maps of some attributes.
#[derive(Debug, Clone)]
pub struct ExamplesFigure {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes, all with as many faces, chosen in the same order.
    pub rows: Vec<ExampleRow>,
}

const NAME: &str = "examples";
const MARGIN: f64 = 1.0;
/// Space between the panels of a face, between faces, and between rows.
const GAP: f64 = 0.5;
const FACE_GAP: f64 = 3.0;
const ROW_GAP: f64 = 1.6;
const LARGEST_PANEL: f64 = 21.0;
/// Vermillion, for wrong predictions; they also carry a cross.
const WRONG: RGBColor = RGBColor(0xB0, 0x3A, 0x00);

/// Draws one row for each attribute: its faces, each followed by its map for every classifier, with label, score and energy.
///
/// # Errors
/// No attribute or classifier, attributes of different numbers of faces, or a face without one panel per classifier.
pub fn examples(style: &Style, data: &ExamplesFigure) -> Result<Figure> {
    let classifiers = data.classifiers.len();
    let faces = data.rows.first().map_or(0, |row| row.cells.len());
    if faces == 0 || classifiers == 0 {
        return Err(Error::Empty(NAME));
    }
    for row in &data.rows {
        let mismatch = |what, found, expected| {
            Err(Error::Mismatch {
                figure: NAME,
                what,
                found,
                expected,
            })
        };
        if row.cells.len() != faces {
            return mismatch("images of an attribute", row.cells.len(), faces);
        }
        if let Some(cell) = row.cells.iter().flatten().find(|cell| cell.panels.len() != classifiers) {
            return mismatch("panels of an image", cell.panels.len(), classifiers);
        }
    }
    let (label, tick) = (style.label(), style.tick());
    let width = style.width(Column::Double);
    let panels = (1 + classifiers) as f64;
    // As many faces beside each other as leave their numbers room; the others go below.
    let names = data.classifiers.iter().map(|name| readable(name));
    let words = names.map(|name| widest(name.split(' '), tick)).fold(0.0, f64::max);
    let narrowest = text_width("z −0.00 ✗", tick).max(words.min(LARGEST_PANEL));
    let side_of = |abreast: usize| {
        let room = width - 2.0 * MARGIN - (abreast - 1) as f64 * FACE_GAP;
        (room / abreast as f64 - (panels - 1.0) * GAP) / panels
    };
    let mut abreast = faces;
    while abreast > 1 && side_of(abreast) < narrowest {
        abreast -= 1;
    }
    let side = side_of(abreast).clamp(3.0, LARGEST_PANEL);
    let block = panels * side + (panels - 1.0) * GAP;
    let lines = faces.div_ceil(abreast);

    let scale_line = line_height(tick) + 1.5;
    let swatch = 1.1;
    let names: Vec<Vec<String>> = data
        .classifiers
        .iter()
        .map(|name| wrapped(&readable(name), tick, side))
        .collect();
    let name_lines = names.iter().map(Vec::len).max().unwrap_or(1);
    let head = line_height(label) + name_lines as f64 * line_height(tick) + swatch + 1.4;
    let name_line = line_height(tick) + 0.8;
    let line_of_faces = side + 2.0 * line_height(tick) + ROW_GAP;
    let row_height = name_line + lines as f64 * line_of_faces;
    let size = [
        width,
        MARGIN + scale_line + head + data.rows.len() as f64 * row_height - ROW_GAP + MARGIN + 0.5,
    ];

    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    let middle = [width - MARGIN, MARGIN + line_height(tick) / 2.0];
    colour_scale(&mut svg, style, middle, ColourMap::default());
    let left_of = |face: usize| MARGIN + (face % abreast) as f64 * (block + FACE_GAP);
    let top = MARGIN + scale_line;
    for face in 0..abreast {
        let left = left_of(face);
        // A column has one title where all of its faces were chosen the same way.
        let title = data
            .rows
            .iter()
            .find_map(|row| row.cells[face].as_ref())
            .map_or("", |cell| cell.chosen);
        if lines == 1 {
            svg.text([left, top + capital(label) + 0.3], title, label, INK, Anchor::Start);
        }
        for (index, lines) in names.iter().enumerate() {
            let left = left + (index + 1) as f64 * (side + GAP);
            // Names of one line stand right above their bars, too.
            let last = top + line_height(label) + (name_lines - 1) as f64 * line_height(tick) + capital(tick) + 0.3;
            for (line, name) in lines.iter().rev().enumerate() {
                let baseline = last - line as f64 * line_height(tick);
                svg.text([left + side / 2.0, baseline], name, tick, INK, Anchor::Middle);
            }
            svg.bar([left, last + 0.9], [side, swatch], style, index);
        }
    }
    for (position, row) in data.rows.iter().enumerate() {
        let top = top + head + position as f64 * row_height;
        svg.line([MARGIN, top], [width - MARGIN, top], GRID, 0.15);
        let name = fit(&readable(&row.attribute), tick, width - 2.0 * MARGIN);
        svg.text([MARGIN, top + capital(tick) + 0.7], &name, tick, INK, Anchor::Start);
        for (face, cell) in row.cells.iter().enumerate() {
            let left = left_of(face);
            let top = top + name_line + (face / abreast) as f64 * line_of_faces;
            let first = top + side + capital(tick) + 0.6;
            let second = first + line_height(tick);
            let Some(cell) = cell else {
                panel(&mut svg, style, [left, top], side, None, None)?;
                continue;
            };
            panel(&mut svg, style, [left, top], side, Some(&cell.image), None)?;
            let label = match cell.label {
                0 => "y ?",
                label if label > 0 => "y +1",
                _ => "y −1",
            };
            let middle = left + side / 2.0;
            svg.text([middle, first], label, tick, INK, Anchor::Middle);
            let stem = cell.name.rsplit_once('.').map_or(cell.name.as_str(), |(stem, _)| stem);
            let below = if lines == 1 { stem } else { cell.chosen };
            svg.text([middle, second], &fit(below, tick, side), tick, GREY, Anchor::Middle);
            for (index, content) in cell.panels.iter().enumerate() {
                let left = left + (index + 1) as f64 * (side + GAP);
                let picture = overlay(&cell.image, &content.map);
                panel(
                    &mut svg,
                    style,
                    [left, top],
                    side,
                    Some(&picture),
                    cell.outline.as_ref(),
                )?;
                let middle = left + side / 2.0;
                let (score, ink) = verdict(cell, content.score);
                svg.text([middle, first], &score, tick, ink, Anchor::Middle);
                let energy = content
                    .energy
                    .map_or_else(|| "–".to_owned(), |energy| format!("{energy:.2}"));
                svg.text([middle, second], &energy, tick, INK, Anchor::Middle);
            }
        }
    }
    Ok(Figure::new(NAME, caption(&data.rows), svg.finish(), size))
}

/// What is seen: without regions no image is the best or the worst, and no map has an energy.
fn caption(rows: &[ExampleRow]) -> String {
    let mut cells = rows.iter().flat_map(|row| row.cells.iter().flatten());
    let below = "Below an image its label y; below a map the score z, ✓ where it agrees with the label and ✗ where not";
    if cells.all(|cell| cell.panels.iter().all(|panel| panel.energy.is_none())) {
        return format!(
            "Single images with their maps, drawn from all test images with the experiment's seed. {below}."
        );
    }
    format!(
        "Single images with their maps. Best: of the images that all classifiers get right the one with the most energy inside the \
         outlined region, mean over classifiers; worst: of those that any gets wrong the one with the least; random: drawn from all test \
         images with the experiment's seed. {below}, and the proportional energy."
    )
}

/// The score, and whether it agrees with the label: `z −0.31 ✗`.
fn verdict(cell: &ExampleCell, score: f32) -> (String, RGBColor) {
    let score_text = signed_score(score);
    if cell.label == 0 {
        return (format!("z {score_text}"), INK);
    }
    let right = (cell.label > 0) == (score >= 0.0);
    let (mark, ink) = if right { ("✓", INK) } else { ("✗", WRONG) };
    (format!("z {score_text} {mark}"), ink)
}

/// The score with the sign of the prediction, even where rounding leaves no other digit.
fn signed_score(score: f32) -> String {
    let text = signed(f64::from(score), 2);
    match text.strip_prefix(['+', '−']) {
        Some(_) => text,
        None if score >= 0.0 => format!("+{text}"),
        None => format!("−{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_energies_nothing_is_said_of_regions() {
        let row = |energy| ExampleRow {
            attribute: "A".to_owned(),
            cells: vec![Some(ExampleCell {
                chosen: "random",
                name: "1.png".to_owned(),
                image: RgbImage::new(2, 2),
                outline: None,
                label: 1,
                panels: vec![ExamplePanel {
                    score: 1.0,
                    map: vec![0.0],
                    energy,
                }],
            })],
        };
        assert!(!caption(&[row(None)]).contains("outlined"));
        assert!(caption(&[row(None), row(Some(0.5))]).contains("outlined region"));
    }

    #[test]
    fn the_sign_is_the_prediction_s() {
        assert_eq!(
            [0.0, -0.001, 0.514, -1.25].map(signed_score),
            ["+0.00", "−0.00", "+0.51", "−1.25"]
        );
    }
}
