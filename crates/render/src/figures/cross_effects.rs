//! What toggling each attribute does to the score of every attribute: a matrix for each classifier.

use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{RGBColor, WHITE};

use crate::drawing::axes::TICK_GAP;
use crate::drawing::export::Figure;
use crate::drawing::page::{Dash, Page, Point};
use crate::drawing::style::{Column, GREY, GRID, INK, Style, fit, line_height, widest};
use crate::error::{Error, Result};
use crate::text::readable;

/// One entry of a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CrossEffect {
    /// The effect on the score as a share of what toggling the scored attribute itself does.
    Share(f64),
    /// Toggling the one hides or bares the cue of the other.
    Hidden,
    /// Too few images, or no clear effect to be a share of.
    Absent,
}

/// The matrix of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEffectPanel {
    /// Its name.
    pub classifier: String,
    /// By toggled attribute and by the attribute whose score it is.
    pub effects: Vec<Vec<CrossEffect>>,
}

/// Matrices of the same attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEffectFigure {
    /// The attributes, in the order of rows and columns.
    pub attributes: Vec<String>,
    /// The classifiers.
    pub panels: Vec<CrossEffectPanel>,
}

const NAME: &str = "cross_effects";
/// What stands under the columns' numbers.
const SCORED: &str = "score of attribute";
const MARGIN: f64 = 1.0;
const GAP: f64 = 3.0;
/// Panels beside each other.
const BESIDE: usize = 2;
/// Columns are numbered, every so many of them.
const EVERY: usize = 5;
/// Most of the width that the names of attributes take.
const NAMES: f64 = 0.25;
/// Largest side of a cell, and height and width of the colour bar, mm.
const CELL: f64 = 6.0;
const BAR: [f64; 2] = [26.0, 2.0];
/// Colours of an effect as large as the own one, against it and with it (ColorBrewer's RdBu, which is safe for the colour-blind).
const AGAINST: RGBColor = RGBColor(0xB2, 0x18, 0x2B);
const WITH: RGBColor = RGBColor(0x21, 0x66, 0xAC);

/// Draws a matrix for each classifier: rows are toggled attributes, columns scores.
///
/// # Errors
/// No attribute or classifier, or a matrix of another size.
pub fn cross_effects(style: &Style, data: &CrossEffectFigure) -> Result<Figure> {
    let count = data.attributes.len();
    if count == 0 || data.panels.is_empty() {
        return Err(Error::Empty(NAME));
    }
    for panel in &data.panels {
        let wrong = panel.effects.iter().map(Vec::len).find(|&found| found != count);
        if let Some(found) = wrong.or(Some(panel.effects.len()).filter(|&found| found != count)) {
            return Err(Error::Mismatch {
                figure: NAME,
                what: "effects of an attribute",
                found,
                expected: count,
            });
        }
    }
    let width = style.width(Column::Double);
    let names: Vec<String> = (0..count)
        .map(|row| format!("{} {}", readable(&data.attributes[row]), row + 1))
        .collect();
    let line = line_height(style.tick());
    let left = (widest(&names, style.tick()) + TICK_GAP).min(width * NAMES);
    let beside = data.panels.len().min(BESIDE);
    let room = (width - 2.0 * MARGIN - left - (beside - 1) as f64 * GAP) / beside as f64;
    let cell = [(room / count as f64).min(CELL), line.min(CELL)];
    let [wide, tall] = cell.map(|side| side * count as f64);
    // A matrix of few attributes is narrower than its words.
    let titles: Vec<String> = data.panels.iter().map(|panel| readable(&panel.classifier)).collect();
    let words = widest(&titles, style.label()).max(widest(&[SCORED.to_owned()], style.tick()));
    let pitch = wide.max(words.min(room)) + GAP;
    let key = BAR[1] + TICK_GAP + line + GAP / 2.0;
    let head = line_height(style.label());
    let below = 2.2 * line;
    let stacked = data.panels.len().div_ceil(beside);
    let height = 2.0 * MARGIN + key + stacked as f64 * (head + tall + below) + (stacked - 1) as f64 * GAP;
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, [width, height])?;
    colour_bar(&page, [MARGIN + left, MARGIN], width - MARGIN)?;
    for (place, (panel, title)) in data.panels.iter().zip(&titles).enumerate() {
        let (column, row) = (place % beside, place / beside);
        let origin = [
            MARGIN + left + column as f64 * pitch,
            MARGIN + key + head + row as f64 * (head + tall + below + GAP),
        ];
        let title = fit(title, style.label(), pitch - GAP);
        page.text(
            &title,
            [origin[0], origin[1] - head / 2.0],
            style.label(),
            INK,
            (HPos::Left, VPos::Center),
        )?;
        if column == 0 {
            for (row, name) in names.iter().enumerate() {
                let name = fit(name, style.tick(), left - TICK_GAP);
                let at = [origin[0] - TICK_GAP, origin[1] + (row as f64 + 0.5) * cell[1]];
                page.text(&name, at, style.tick(), INK, (HPos::Right, VPos::Center))?;
            }
        }
        matrix(&page, origin, cell, panel)?;
        for number in (1..=count).filter(|number| number % EVERY == 0 || count < 2 * EVERY) {
            let at = [origin[0] + (number as f64 - 0.5) * cell[0], origin[1] + tall + TICK_GAP];
            page.text(&number.to_string(), at, style.tick(), INK, (HPos::Center, VPos::Top))?;
        }
        let from_left = wide < words;
        let at = [
            origin[0] + if from_left { 0.0 } else { wide / 2.0 },
            origin[1] + tall + TICK_GAP + line,
        ];
        let side = if from_left { HPos::Left } else { HPos::Center };
        page.text(SCORED, at, style.tick(), INK, (side, VPos::Top))?;
    }
    page.finish()?;
    let caption = "What toggling one attribute (row) does to the score of another (column), as a share of what toggling that one itself does to its \
        score: the diagonal is 1. Blue: the score moves as with its own attribute; red: it moves the other way. All else in the images is the same, so \
        what stands beside the diagonal is read off another attribute's cue. Grey: toggling the one hides or bares the cue of the other, so that its \
        score has to change; crosses: fewer than five images, or a score whose own attribute has no clear effect. Shares beyond 1 have the colour of 1.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, [width, height]))
}

fn matrix(page: &Page<'_>, origin: Point, cell: [f64; 2], panel: &CrossEffectPanel) -> Result<()> {
    let at = |row: usize, column: usize| [origin[0] + column as f64 * cell[0], origin[1] + row as f64 * cell[1]];
    let count = panel.effects.len();
    for (row, effects) in panel.effects.iter().enumerate() {
        for (column, effect) in effects.iter().enumerate() {
            let (from, to) = (at(row, column), at(row + 1, column + 1));
            match effect {
                CrossEffect::Share(share) => page.rectangle(from, to, colour(*share))?,
                CrossEffect::Hidden => page.rectangle(from, to, GREY)?,
                CrossEffect::Absent => {
                    let middle = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0];
                    page.cross(middle, cell[0].min(cell[1]) * 0.25)?;
                }
            }
        }
    }
    for mark in (0..=count).filter(|mark| mark % EVERY == 0 || *mark == count) {
        page.line(&[at(mark, 0), at(mark, count)], GRID, 0.1, Dash::Solid)?;
        page.line(&[at(0, mark), at(count, mark)], GRID, 0.1, Dash::Solid)?;
    }
    Ok(())
}

/// White at 0, and the more coloured the larger the share, up to 1.
fn colour(share: f64) -> RGBColor {
    let end = if share < 0.0 { AGAINST } else { WITH };
    // Small shares are many and matter: the root keeps them visible.
    let part = if share.is_finite() {
        share.abs().min(1.0).sqrt()
    } else {
        0.0
    };
    let mixed = |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mixed(WHITE.0, end.0), mixed(WHITE.1, end.1), mixed(WHITE.2, end.2))
}

fn colour_bar(page: &Page<'_>, origin: Point, right: f64) -> Result<()> {
    const STEPS: usize = 41;
    let style = page.style;
    for step in 0..STEPS {
        let share = 2.0 * step as f64 / (STEPS - 1) as f64 - 1.0;
        let edge = |step: usize| origin[0] + BAR[0] * step as f64 / STEPS as f64;
        page.rectangle(
            [edge(step), origin[1]],
            [edge(step + 1), origin[1] + BAR[1]],
            colour(share),
        )?;
    }
    for (share, label) in [(0.0, "−1"), (0.5, "0"), (1.0, "1")] {
        let at = [origin[0] + BAR[0] * share, origin[1] + BAR[1] + TICK_GAP];
        page.text(label, at, style.tick(), INK, (HPos::Center, VPos::Top))?;
    }
    let at = [origin[0] + BAR[0] + 2.0 * TICK_GAP, origin[1] + BAR[1] / 2.0];
    let words = fit(
        "effect of toggling the row's attribute, as a share of the column's own",
        style.tick(),
        right - at[0],
    );
    page.text(&words, at, style.tick(), INK, (HPos::Left, VPos::Center))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_more_coloured_the_larger() {
        assert_eq!(colour(0.0), WHITE);
        assert_eq!((colour(1.0), colour(-1.0), colour(7.0)), (WITH, AGAINST, WITH));
        assert!(colour(0.25).0 < 255 && colour(0.25).0 > WITH.0);
        assert_eq!(colour(f64::NAN), WHITE);
    }

    #[test]
    fn matrices_have_a_row_and_a_column_for_each_attribute() {
        let panel = |effects| CrossEffectPanel {
            classifier: "balanced".to_owned(),
            effects,
        };
        let figure = |panels| {
            let attributes = ["Bald", "Smiling"].map(str::to_owned).to_vec();
            cross_effects(&Style::default(), &CrossEffectFigure { attributes, panels })
        };
        let row = vec![CrossEffect::Share(1.0), CrossEffect::Hidden];
        assert!(figure(vec![panel(vec![row.clone(), row.clone()])]).is_ok());
        assert!(matches!(
            figure(vec![panel(vec![row.clone()])]),
            Err(Error::Mismatch { found: 1, .. })
        ));
        let short = vec![CrossEffect::Absent];
        assert!(matches!(
            figure(vec![panel(vec![row, short])]),
            Err(Error::Mismatch { found: 1, .. })
        ));
        assert!(matches!(figure(Vec::new()), Err(Error::Empty(NAME))));
    }
}
