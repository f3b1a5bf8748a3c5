//! Single faces with the maps of some attributes.

use super::data::{ExampleCell, Examples};
use super::error::{FigureError, Result};
use super::export::Figure;
use super::raster::overlay;
use super::sheet::{colour_scale, panel};
use super::style::{DOUBLE_COLUMN, GREY, INK, LABEL, NOTE, TICK, colour, fit, points_to_fit, readable};
use super::svg::{Anchor, Svg};

use plotters::style::RGBColor;

const NAME: &str = "examples";
const MARGIN: f64 = 1.0;
const GAP: f64 = 0.6;
const ATTRIBUTE_GAP: f64 = 2.2;
const TITLE_LINE: f64 = 4.5;
const HEAD: f64 = 8.4;
const NUMBERS: f64 = 8.6;
const LARGEST_PANEL: f64 = 24.0;
/// Vermillion, for wrong predictions; they also carry a cross.
const WRONG: RGBColor = RGBColor(0xC4, 0x45, 0x00);

/// Draws one row per face: the face, then per attribute its map for every classifier, with label, score and energy.
///
/// # Errors
/// No face, attribute or classifier, or a face without one cell per attribute and one panel per classifier.
pub fn examples(data: &Examples) -> Result<Figure> {
    let (attributes, classifiers) = (data.attributes.len(), data.classifiers.len());
    if data.faces.is_empty() || attributes == 0 || classifiers == 0 {
        return Err(FigureError::Empty(NAME));
    }
    for face in &data.faces {
        let mismatch = |what, found, expected| {
            Err(FigureError::Mismatch {
                figure: NAME,
                what,
                found,
                expected,
            })
        };
        if face.cells.len() != attributes {
            return mismatch("attributes of a face", face.cells.len(), attributes);
        }
        if let Some(cell) = face.cells.iter().find(|cell| cell.panels.len() != classifiers) {
            return mismatch("panels of an attribute", cell.panels.len(), classifiers);
        }
    }
    let gaps = attributes as f64 * (ATTRIBUTE_GAP + (classifiers - 1) as f64 * GAP);
    let panels = (1 + attributes * classifiers) as f64;
    let side = ((DOUBLE_COLUMN - 2.0 * MARGIN - gaps) / panels).clamp(4.0, LARGEST_PANEL);
    let width = (2.0 * MARGIN + gaps + panels * side).max(62.0);
    let row_height = side + NUMBERS;
    let size = [width, MARGIN + TITLE_LINE + HEAD + data.faces.len() as f64 * row_height];
    let block = classifiers as f64 * side + (classifiers - 1) as f64 * GAP;
    let block_left = |attribute: usize| MARGIN + side + ATTRIBUTE_GAP + attribute as f64 * (block + ATTRIBUTE_GAP);

    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    colour_scale(&mut svg, [width - MARGIN, MARGIN + TITLE_LINE / 2.0]);
    let top = MARGIN + TITLE_LINE;
    let sizes = data
        .classifiers
        .iter()
        .map(|name| points_to_fit(&readable(name), NOTE..TICK, side));
    let classifier_size = sizes.fold(TICK, f64::min);
    for (attribute, (name, _)) in data.attributes.iter().enumerate() {
        let left = block_left(attribute);
        let points = points_to_fit(&readable(name), NOTE..LABEL, block);
        let name = fit(&readable(name), points, block);
        svg.text([left + block / 2.0, top + 2.8], &name, points, INK, Anchor::Middle);
        for (index, classifier) in data.classifiers.iter().enumerate() {
            let left = left + index as f64 * (side + GAP);
            let name = fit(&readable(classifier), classifier_size, side);
            svg.text(
                [left + side / 2.0, top + 6.1],
                &name,
                classifier_size,
                INK,
                Anchor::Middle,
            );
            svg.line([left, top + 7.2], [left + side, top + 7.2], colour(index), 0.5);
        }
    }
    for (row, face) in data.faces.iter().enumerate() {
        let top = top + HEAD + row as f64 * row_height;
        panel(&mut svg, [MARGIN, top], side, Some(&face.image), None)?;
        let name = fit(&face.name, NOTE, side);
        svg.text(
            [MARGIN + side / 2.0, top + side + 2.4],
            &name,
            NOTE,
            GREY,
            Anchor::Middle,
        );
        for (attribute, (cell, (_, outline))) in face.cells.iter().zip(&data.attributes).enumerate() {
            for (index, content) in cell.panels.iter().enumerate() {
                let place = [block_left(attribute) + index as f64 * (side + GAP), top];
                panel(
                    &mut svg,
                    place,
                    side,
                    Some(&overlay(&face.image, &content.map)),
                    outline.as_ref(),
                )?;
                let (label, ink) = verdict(cell, content.score);
                let energy = content
                    .energy
                    .map_or_else(|| "–".to_owned(), |energy| format!("{energy:.2}"));
                let lines = [(label, ink), (signed(content.score), INK), (energy, GREY)];
                for ((line, ink), below) in lines.into_iter().zip([2.4, 4.6, 6.8]) {
                    let middle = [place[0] + side / 2.0, top + side + below];
                    svg.text(middle, &line, NOTE, ink, Anchor::Middle);
                }
            }
        }
    }
    let caption = "Single faces. Below each map: label y with ✓ where the score agrees and ✗ where not, score z, and the \
        proportional energy inside the outlined region.";
    Ok(Figure::new(NAME, caption.to_owned(), svg.finish(), size))
}

/// The label, and whether the score agrees with it: `y +1 ✗`.
fn verdict(cell: &ExampleCell, score: f32) -> (String, RGBColor) {
    let label = match cell.label {
        0 => return ("y ?".to_owned(), INK),
        label if label > 0 => "y +1",
        _ => "y −1",
    };
    let right = (cell.label > 0) == (score >= 0.0);
    let (mark, ink) = if right { ("✓", INK) } else { ("✗", WRONG) };
    (format!("{label} {mark}"), ink)
}

/// The score with its sign; the sign is that of the prediction, even where rounding leaves no other digit.
fn signed(score: f32) -> String {
    format!("z {}{:.2}", if score >= 0.0 { "+" } else { "−" }, score.abs())
}
