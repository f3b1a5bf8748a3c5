//! Many small pictures with maps on one page, in reading order.

use crate::colour::ColourMap;
use crate::drawing::export::Figure;
use crate::drawing::picture_panel::{colour_scale, panel};
use crate::drawing::style::{Column, GREY, INK, Style, fit, points_to_fit, text_width};
use crate::drawing::svg::{Anchor, Svg};
use crate::error::{Error, Result};
use image::RgbImage;

/// One picture of a contact sheet.
#[derive(Debug, Clone)]
pub struct SheetCell {
    /// What stands above it.
    pub title: String,
    /// What stands below it.
    pub note: String,
    /// The picture, square, with its map.
    pub picture: RgbImage,
}

/// Many small pictures on one page.
#[derive(Debug, Clone)]
pub struct ContactSheet {
    /// What all pictures are of.
    pub title: String,
    /// How the maps were made.
    pub subtitle: String,
    /// The colours of activation, shown as a bar.
    pub colours: ColourMap,
    /// The pictures, in reading order.
    pub cells: Vec<SheetCell>,
}

const NAME: &str = "contact_sheet";
const MARGIN: f64 = 2.0;
const GAP: f64 = 1.4;
const HEAD: f64 = 6.5;
const TITLE: f64 = 3.4;
const NUMBERS: f64 = 4.0;
/// Cells of a full row; a sheet of few cells is narrower.
const COLUMNS: usize = 8;
/// A title that is longer than its panel is set smaller, down to this size, and then shortened.
const SMALLEST: f64 = 4.5;
/// Room for title and colour bar, however few cells there are.
const NARROWEST: f64 = 100.0;

/// Draws the sheet, with the colour bar of its maps.
///
/// # Errors
/// No cell, or a picture that cannot be encoded.
pub fn contact_sheet(style: &Style, data: &ContactSheet) -> Result<Figure> {
    if data.cells.is_empty() {
        return Err(Error::Empty(NAME));
    }
    let side = (style.width(Column::Double) - 2.0 * MARGIN - (COLUMNS - 1) as f64 * GAP) / COLUMNS as f64;
    let columns = data.cells.len().min(COLUMNS);
    let rows = data.cells.len().div_ceil(columns);
    let row_height = TITLE + side + NUMBERS;
    let needed = 2.0 * MARGIN + columns as f64 * (side + GAP) - GAP;
    let width = needed.max(NARROWEST);
    let size = [width, MARGIN + HEAD + rows as f64 * row_height];

    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    let scale = colour_scale(&mut svg, style, [width - MARGIN, MARGIN + 2.0], data.colours);
    let room = width - 2.0 * MARGIN - scale - 2.0;
    let title = fit(&data.title, style.label(), room * 0.6);
    svg.text([MARGIN, MARGIN + 3.0], &title, style.label(), INK, Anchor::Start);
    let used = text_width(&title, style.label()) + 2.0;
    let subtitle = fit(&data.subtitle, style.tick(), room - used);
    svg.text(
        [MARGIN + used, MARGIN + 3.0],
        &subtitle,
        style.tick(),
        GREY,
        Anchor::Start,
    );
    for (index, cell) in data.cells.iter().enumerate() {
        let left = MARGIN + (index % columns) as f64 * (side + GAP);
        let top = MARGIN + HEAD + (index / columns) as f64 * row_height;
        // A little less than the panel, so that neighbours stay apart and rounding does not shorten what fits.
        let points = points_to_fit(&cell.title, SMALLEST..style.tick(), 0.96 * side);
        let title = fit(&cell.title, points, side);
        svg.text([left, top + 2.6], &title, points, INK, Anchor::Start);
        panel(&mut svg, style, [left, top + TITLE], side, Some(&cell.picture), None)?;
        let below = top + TITLE + side + 2.4;
        let points = points_to_fit(&cell.note, SMALLEST..style.tick(), 0.96 * side);
        svg.text(
            [left, below],
            &fit(&cell.note, points, side),
            points,
            GREY,
            Anchor::Start,
        );
    }
    let caption = "Maps over pictures. The pictures are grey: all colour is activation, from 0 to each map's own largest value, 1. \
        z: the score; at least 0 predicts positive.";
    Ok(Figure::new(NAME, caption.to_owned(), svg.finish(), size))
}
