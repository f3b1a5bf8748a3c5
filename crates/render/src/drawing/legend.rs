//! Legends: samples of what is drawn, with words.

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::page::{Dash, Page, Point};
use super::palette::Marker;
use super::style::{BAND, GREY, INK, Style, fit, text_width};
use crate::error::Result;
use crate::text::readable;

/// The sample before an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    /// A classifier's bar: colour and hatch.
    Bar(usize),
    /// A classifier's point: colour and shape.
    Point(usize),
    /// A classifier's line with its points.
    Line(usize),
    /// A line that is not a classifier's.
    Rule(RGBColor, Dash),
    /// A point that is not a classifier's.
    Mark(Marker, RGBColor),
    /// A point with a hollow inside.
    Hollow(Marker, RGBColor),
    /// The band behind what is different.
    Band,
    /// The cross of an absent value.
    Cross,
    /// An upright stroke: a value beside another.
    Upright,
    /// A thin upright stroke with ends: an interval.
    Interval,
    /// Words alone.
    Words,
}

/// Width in mm of a key, the space after it, and the space after an entry.
const KEY: f64 = 3.4;
const KEY_GAP: f64 = 0.9;
const GAP: f64 = 2.6;

/// One entry for each classifier.
pub(crate) fn of_classifiers(names: &[String], key: impl Fn(usize) -> Key) -> Vec<(Key, String)> {
    names
        .iter()
        .enumerate()
        .map(|(index, name)| (key(index), readable(name)))
        .collect()
}

fn line(style: &Style) -> f64 {
    super::style::line_height(style.label()) * 1.15
}

fn indent(key: Key) -> f64 {
    if matches!(key, Key::Words) { 0.0 } else { KEY + KEY_GAP }
}

/// Distributes entries over lines of the given width. Returns each entry's `[x, line]` and the number of lines.
fn flow(style: &Style, entries: &[(Key, String)], width: f64) -> (Vec<[f64; 2]>, usize) {
    let (mut x, mut line) = (0.0, 0);
    let places = entries
        .iter()
        .map(|(key, label)| {
            let needed = (indent(*key) + text_width(label, style.label())).min(width);
            if x > 0.0 && x + needed > width {
                (x, line) = (0.0, line + 1);
            }
            let place = [x, f64::from(line)];
            x += needed + GAP;
            place
        })
        .collect();
    (places, if entries.is_empty() { 0 } else { line as usize + 1 })
}

/// Height that a legend takes in the given width; a little more than its text, so that what follows stands off.
pub(crate) fn legend_height(style: &Style, entries: &[(Key, String)], width: f64) -> f64 {
    match flow(style, entries, width).1 {
        0 => 0.0,
        lines => lines as f64 * line(style) + 1.2,
    }
}

/// A legend in reading order, its upper left corner at `origin`.
pub(crate) fn legend(page: &Page<'_>, origin: Point, width: f64, entries: &[(Key, String)]) -> Result<()> {
    let style = page.style;
    for ((key, label), [x, index]) in entries.iter().zip(flow(&style, entries, width).0) {
        let (left, middle) = (origin[0] + x, origin[1] + (index + 0.5) * line(&style));
        let (right, centre, half) = (left + KEY, left + KEY / 2.0, 1.0);
        match *key {
            Key::Bar(classifier) => page.bar([left, middle - half], [right, middle + half], classifier)?,
            Key::Band => page.rectangle([left, middle - half], [right, middle + half], BAND)?,
            Key::Point(classifier) => {
                page.marker(
                    [centre, middle],
                    Marker::of(classifier),
                    0.8,
                    style.colour(classifier),
                    false,
                )?;
            }
            Key::Line(classifier) => {
                let colour = style.colour(classifier);
                page.line(&[[left, middle], [right, middle]], colour, 0.4, Dash::Solid)?;
                page.marker([centre, middle], Marker::of(classifier), 0.65, colour, false)?;
            }
            Key::Rule(colour, dash) => page.line(&[[left, middle], [right, middle]], colour, 0.3, dash)?,
            Key::Mark(marker, colour) => page.marker([centre, middle], marker, 0.65, colour, false)?,
            Key::Hollow(marker, colour) => page.marker([centre, middle], marker, 0.65, colour, true)?,
            Key::Cross => page.cross([centre, middle], 0.7)?,
            Key::Interval => page.interval(centre, middle - 1.15, middle + 1.15, 0.5)?,
            Key::Upright => {
                let ends = [[centre, middle - 1.15], [centre, middle + 1.15]];
                page.line(&ends, INK, 0.3, Dash::Solid)?;
            }
            Key::Words => {}
        }
        let at = [left + indent(*key), middle];
        let colour = if matches!(key, Key::Words) { GREY } else { INK };
        let label = fit(label, style.label(), width - indent(*key));
        page.text(&label, at, style.label(), colour, (HPos::Left, VPos::Center))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legends_wrap() {
        let style = Style::default();
        let entries: Vec<_> = (0..5).map(|_| (Key::Cross, "some entry".to_owned())).collect();
        let [one, five] = [1000.0, 1.0].map(|width| legend_height(&style, &entries, width) - 1.2);
        assert!((five - 5.0 * one).abs() < 1e-9);
        assert_eq!(legend_height(&style, &[], 10.0), 0.0);
    }
}
