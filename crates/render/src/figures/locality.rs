//! Where in the image the influence on each cell of a map lies, beside the square that the cell stands for.

use image::RgbImage;

use crate::colour::ColourMap;
use crate::drawing::export::Figure;
use crate::drawing::outline::Outline;
use crate::drawing::picture_panel::{colour_scale_of, panel};
use crate::drawing::raster::overlay;
use crate::drawing::style::{Column, GREY, INK, Style, capital, fit, line_height};
use crate::drawing::svg::{Anchor, Svg};
use crate::error::{Error, Result};
use crate::text::readable;

/// One cell.
#[derive(Debug, Clone)]
pub struct LocalityCell {
    /// Influence on it, row-major and square, of any side, in [0, 1]; `None` where nothing has an influence.
    pub map: Option<Vec<f32>>,
    /// The square of the image that it stands for.
    pub square: Outline,
}

/// The cells of one classifier.
#[derive(Debug, Clone)]
pub struct LocalityPanel {
    /// Its name.
    pub classifier: String,
    /// What is said of it in a line.
    pub words: String,
    /// Cells of a row of the layer.
    pub columns: usize,
    /// Row by row.
    pub cells: Vec<LocalityCell>,
}

/// The cells of some classifiers over one image.
#[derive(Debug, Clone)]
pub struct LocalityFigure {
    /// The image, square.
    pub image: RgbImage,
    /// What the influence is, in words.
    pub influence: String,
    /// The classifiers.
    pub panels: Vec<LocalityPanel>,
}

const NAME: &str = "locality";
const MARGIN: f64 = 1.0;
/// Between cells, and between classifiers.
const CELL_GAP: f64 = 0.4;
const GAP: f64 = 4.0;
/// Classifiers beside each other.
const BESIDE: usize = 2;

/// Draws a grid of pictures for each classifier, one for each cell, in the cells' places.
///
/// # Errors
/// No classifier, or one without cells in whole rows.
pub fn locality(style: &Style, data: &LocalityFigure) -> Result<Figure> {
    if data.panels.is_empty() {
        return Err(Error::Empty(NAME));
    }
    for one in &data.panels {
        if one.columns == 0 || one.cells.is_empty() || one.cells.len() % one.columns != 0 {
            return Err(Error::Mismatch {
                figure: NAME,
                what: "cells",
                found: one.cells.len(),
                expected: one.columns,
            });
        }
    }
    let width = style.width(Column::Double);
    let (label, tick) = (style.label(), style.tick());
    let beside = data.panels.len().min(BESIDE);
    let room = (width - 2.0 * MARGIN - (beside - 1) as f64 * GAP) / beside as f64;
    let side = |one: &LocalityPanel| (room - (one.columns - 1) as f64 * CELL_GAP) / one.columns as f64;
    let tall = |one: &LocalityPanel| {
        let rows = (one.cells.len() / one.columns) as f64;
        rows * side(one) + (rows - 1.0) * CELL_GAP
    };
    let scale = line_height(tick) + 1.5;
    let head = line_height(label) + line_height(tick) + 0.6;
    let stacked: Vec<f64> = data
        .panels
        .chunks(beside)
        .map(|row| row.iter().map(&tall).fold(0.0_f64, f64::max))
        .collect();
    let height =
        2.0 * MARGIN + scale + stacked.iter().map(|tall| head + tall).sum::<f64>() + GAP * (stacked.len() - 1) as f64;
    let size = [width, height];
    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    colour_scale_of(
        "influence",
        &mut svg,
        style,
        [width - MARGIN, MARGIN + line_height(tick) / 2.0],
        ColourMap::default(),
    );
    svg.text(
        [MARGIN, MARGIN + capital(tick) + 0.4],
        &data.influence,
        tick,
        GREY,
        Anchor::Start,
    );
    let mut top = MARGIN + scale;
    for (row, tall) in data.panels.chunks(beside).zip(&stacked) {
        for (column, one) in row.iter().enumerate() {
            let left = MARGIN + column as f64 * (room + GAP);
            let name = fit(&readable(&one.classifier), label, room);
            svg.text([left, top + capital(label)], &name, label, INK, Anchor::Start);
            let words = fit(&one.words, tick, room);
            svg.text(
                [left, top + line_height(label) + capital(tick)],
                &words,
                tick,
                GREY,
                Anchor::Start,
            );
            let step = side(one) + CELL_GAP;
            for (number, cell) in one.cells.iter().enumerate() {
                let place = [
                    left + (number % one.columns) as f64 * step,
                    top + head + (number / one.columns) as f64 * step,
                ];
                let zeros;
                let map = match &cell.map {
                    Some(map) => map,
                    None => {
                        zeros = vec![0.0; cell.square.inside.len()];
                        &zeros
                    }
                };
                let picture = overlay(&data.image, map);
                panel(&mut svg, style, place, side(one), Some(&picture), Some(&cell.square))?;
            }
        }
        top += head + tall + GAP;
    }
    let caption = "Where in the image the influence on each cell of the last layer lies: a picture for each cell, in the cell's place. Outlined is \
        the square that a class activation map paints when it shows the cell. The picture below is one test image; on a cell without colour no \
        pixel has an influence. Where the influence lies elsewhere, a place on a map says little about \
        the pixels there.";
    Ok(Figure::new(NAME, caption.to_owned(), svg.finish(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_in_whole_rows() {
        let cell = LocalityCell {
            map: None,
            square: Outline {
                side: 2,
                inside: vec![true, false, false, false],
            },
        };
        let figure = |cells: usize, columns: usize| {
            let one = LocalityPanel {
                classifier: "balanced".to_owned(),
                words: String::new(),
                columns,
                cells: vec![cell.clone(); cells],
            };
            let data = LocalityFigure {
                image: RgbImage::new(8, 8),
                influence: "gradient".to_owned(),
                panels: vec![one],
            };
            locality(&Style::default(), &data)
        };
        assert!(figure(4, 2).is_ok());
        assert!(matches!(figure(3, 2), Err(Error::Mismatch { found: 3, .. })));
        assert!(matches!(figure(0, 2), Err(Error::Mismatch { .. })));
    }
}
