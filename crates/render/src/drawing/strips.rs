//! Attributes along x: one or more panels above each other with one slot for each attribute, wrapped into several rows where
//! one row's width is not enough for all of them.

use std::ops::Range;

use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, TICK_GAP, decimals, half_line, left_of, ticks};
use super::legend::{Key, legend, legend_height};
use super::page::{Dash, Page};
use super::style::{BAND, Column, INK, Style, fit, line_height, text_width, widest};
use crate::error::{Error, Result};
use crate::text::{number, readable};

/// What stands below a slot.
pub(crate) struct Slot {
    /// The attribute's name as it is to be read.
    pub name: String,
    /// Whether a light band lies behind it.
    pub band: bool,
}

impl Slot {
    /// An attribute's: a minority that lacks the attribute is marked.
    pub(crate) fn of(attribute: &str, minority_positive: bool, band: bool) -> Self {
        let mark = if minority_positive { "" } else { " (−)" };
        Self {
            name: readable(attribute) + mark,
            band,
        }
    }
}

/// What [`Slot::of`]'s mark means, for captions.
pub(crate) const MARK: &str = "(−): the minority lacks the attribute.";

/// What the bands are, if there are any.
pub(crate) fn band_entry(slots: &[Slot]) -> Option<(Key, String)> {
    let any = slots.iter().any(|slot| slot.band);
    any.then(|| (Key::Band, "no place of its own".to_owned()))
}

/// One panel of each row.
pub(crate) struct Panel {
    /// Height in mm.
    pub height: f64,
    /// What its y axis covers.
    pub range: Range<f64>,
    /// Titles of the y axis: text, and the middle of what it names.
    pub titles: Vec<(String, f64)>,
    /// Whether values count in both directions from 0, so that labels have no sign.
    pub mirrored: bool,
}

impl Panel {
    fn ticks(&self) -> Vec<f64> {
        // One label for each 5 mm or so.
        ticks(self.range.clone(), (self.height / 5.0).round().max(2.0) as usize)
    }

    fn labels(&self) -> Vec<String> {
        let ticks = self.ticks();
        let places = decimals(&ticks);
        let value = |tick: f64| if self.mirrored { tick.abs() } else { tick };
        ticks.into_iter().map(|tick| number(value(tick), places)).collect()
    }
}

/// A figure of attributes along x.
pub(crate) struct Strips<'s> {
    pub name: &'static str,
    pub slots: &'s [Slot],
    pub entries: &'s [(Key, String)],
    pub panels: &'s [Panel],
}

/// Where one attribute is drawn: x runs in mm from the left end of the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Middle of the slot.
    pub middle: f64,
    /// Width of the slot.
    pub width: f64,
}

impl Place {
    /// Left and right end of the i-th of n bars side by side, with a little air between them.
    pub(crate) fn bar(&self, index: usize, count: usize) -> [f64; 2] {
        let width = self.bar_width(count);
        let left = self.middle - width * count as f64 / 2.0 + width * index as f64;
        [left + 0.04 * width, left + 0.96 * width]
    }

    /// Width of one of n bars side by side.
    pub(crate) fn bar_width(&self, count: usize) -> f64 {
        (FILLED * self.width / count as f64).min(WIDEST_BAR)
    }
}

const MARGIN: f64 = 1.0;
/// Narrower slots would let names touch: attributes go into more rows instead.
const NARROWEST: f64 = 3.1;
/// So many attributes fit one column without crowding.
const FEW: usize = 16;
/// Wider bars would be walls.
const WIDEST_BAR: f64 = 7.0;
/// Part of a slot that its bars take.
const FILLED: f64 = 0.8;
/// Names longer than this are shortened.
const LONGEST_NAME: f64 = 45.0;
const BETWEEN_PANELS: f64 = 3.5;
const BETWEEN_ROWS: f64 = 3.0;

impl Strips<'_> {
    /// Draws the figure; `draw` gets a panel's axes, the panel, the slot, and the slot's place. Returns the SVG and its size.
    pub(crate) fn draw(
        &self,
        style: &Style,
        mut draw: impl FnMut(&Axes<'_, '_>, usize, usize, Place) -> Result<()>,
    ) -> Result<(String, [f64; 2])> {
        if self.slots.is_empty() || self.panels.is_empty() {
            return Err(Error::Empty(self.name));
        }
        let column = if self.slots.len() <= FEW {
            Column::Single
        } else {
            Column::Double
        };
        let width = style.width(column);
        let left = MARGIN + left_of(style, self.panels.iter().flat_map(Panel::labels));
        let plot = width - left - MARGIN;
        let count = self.slots.len();
        let narrowest = NARROWEST.max(line_height(style.tick()) * 1.02);
        let rows = count.div_ceil(((plot / narrowest) as usize).max(1));
        let per_row = count.div_ceil(rows);
        let slot = plot / per_row as f64;

        // Names lie level where they have room.
        let names = || self.slots.iter().map(|slot| slot.name.as_str());
        let level = widest(names(), style.tick()) <= slot - 1.5;
        let names: Vec<String> = names().map(|name| fit(name, style.tick(), LONGEST_NAME)).collect();
        let name_room = if level {
            line_height(style.tick())
        } else {
            widest(&names, style.tick())
        } + TICK_GAP;

        let top = MARGIN + legend_height(style, self.entries, plot).max(half_line(style.tick()));
        let panels: f64 = self.panels.iter().map(|panel| panel.height).sum();
        let panels = panels + BETWEEN_PANELS * (self.panels.len() - 1) as f64;
        let row_height = panels + name_room;
        let size = [
            width,
            top + rows as f64 * row_height + (rows - 1) as f64 * BETWEEN_ROWS + MARGIN,
        ];

        let mut svg = String::new();
        let page = Page::new(&mut svg, style, size)?;
        legend(&page, [left, MARGIN], plot, self.entries)?;
        for row in 0..rows {
            let slots = row * per_row..((row + 1) * per_row).min(count);
            let used = slots.len() as f64 * slot;
            let mut y = top + row as f64 * (row_height + BETWEEN_ROWS);
            for (index, panel) in self.panels.iter().enumerate() {
                let axes = Axes::new(&page, [left, y], [used, panel.height], 0.0..used, panel.range.clone());
                for (position, _) in slots.clone().enumerate().filter(|(_, i)| self.slots[*i].band) {
                    let from = position as f64 * slot;
                    axes.rectangle([from, panel.range.start], [from + slot, panel.range.end], BAND)?;
                }
                let labels = panel.labels();
                let marks = panel.ticks();
                let label = |tick: f64| {
                    let index = marks.iter().position(|&mark| mark == tick).unwrap_or_default();
                    labels[index].clone()
                };
                axes.y_ticks(&marks, label)?;
                for (title, middle) in &panel.titles {
                    let room = panel.height + BETWEEN_PANELS / 2.0;
                    axes.y_title(&fit(title, style.label(), room), *middle, left - MARGIN)?;
                }
                for (position, i) in slots.clone().enumerate() {
                    let place = Place {
                        middle: (position as f64 + 0.5) * slot,
                        width: slot,
                    };
                    draw(&axes, index, i, place)?;
                }
                if panel.range.contains(&0.0) {
                    axes.line(&[[0.0, 0.0], [used, 0.0]], INK, 0.2, Dash::Solid)?;
                }
                y += panel.height + BETWEEN_PANELS;
            }
            y += TICK_GAP - BETWEEN_PANELS;
            for (position, i) in slots.enumerate() {
                let x = left + (position as f64 + 0.5) * slot;
                if level {
                    page.text(&names[i], [x, y], style.tick(), INK, (HPos::Center, VPos::Top))?;
                } else {
                    page.upward(&names[i], [x, y], style.tick(), INK, (HPos::Right, VPos::Center))?;
                }
            }
        }
        page.finish()?;
        Ok((svg, size))
    }
}

/// How far an axis with titles above and below 0 runs each way: as far as the data need, and far enough for the titles.
pub(crate) fn both_ways(style: &Style, [up, down]: [f64; 2], [above, under]: [&str; 2], height: f64) -> [f64; 2] {
    let least = |title: &str| ((text_width(title, style.label()) + 1.5) / height).min(0.48);
    let (above, under) = (least(above), least(under));
    // Of the whole a title's half is at least its share.
    let up_needed = down * above / (1.0 - above);
    let down_needed = up * under / (1.0 - under);
    let round = |value: f64| (value * 20.0 - 1e-9).ceil() / 20.0;
    [round(up.max(up_needed)), round(down.max(down_needed))]
}

/// A range that holds 0 and all values with a little room.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((0.0_f64, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let room = ((high - low) * 0.06).max(0.05);
    (if low < 0.0 { low - room } else { 0.0 })..high + room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_titles_have_room() {
        let style = Style::default();
        let [up, down] = both_ways(&style, [1.0, 0.05], ["minority error", "majority error"], 60.0);
        assert_eq!(up, 1.0);
        let room = down / (up + down) * 60.0;
        assert!(room >= text_width("majority error", style.label()), "{room}");
        assert_eq!(both_ways(&style, [1.0, 1.0], ["a", "b"], 60.0), [1.0, 1.0]);
    }

    #[test]
    fn bars_stand_in_their_slot() {
        let place = Place {
            middle: 10.0,
            width: 4.0,
        };
        let [left, _] = place.bar(0, 2);
        let [_, right] = place.bar(1, 2);
        assert!(left >= 8.0 && right <= 12.0 && (left + right - 20.0).abs() < 1e-9);
        let wide = Place {
            middle: 40.0,
            width: 80.0,
        };
        assert!(wide.bar(1, 2)[1] - wide.bar(0, 2)[0] <= 2.0 * WIDEST_BAR);
    }
}
