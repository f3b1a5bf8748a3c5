//! Where the scores of each class lie, attribute by attribute.

use super::complete::one_each;
use crate::drawing::export::Figure;
use crate::drawing::legend::Key;
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::strips::{MARK, Panel, Slot, Strips};
use crate::drawing::style::{GREY, INK, Style};
use crate::error::Result;
use crate::text::readable;

/// Where the scores of some samples lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The 5th percentile.
    pub low: f64,
    /// First quartile, median, third quartile.
    pub quartiles: [f64; 3],
    /// The 95th percentile.
    pub high: f64,
}

/// The scores of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// For each classifier the samples of the minority and of the majority class; `None` without samples.
    pub spreads: Vec<[Option<Spread>; 2]>,
}

/// Scores of all attributes, counted towards their minority class.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDistributions {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<ScoreGroup>,
}

const NAME: &str = "score_distributions";
const HEIGHT: f64 = 36.0;
const WIDEST: f64 = 2.4;

/// Draws, one panel for each classifier, quartiles and 90 % range of the scores of each class; scores count towards the minority
/// class, so that at least 0 predicts it.
///
/// # Errors
/// No attribute or classifier, or an attribute without one pair of spreads per classifier.
pub fn score_distributions(style: &Style, data: &ScoreDistributions) -> Result<Figure> {
    one_each(
        NAME,
        &data.groups,
        &data.classifiers,
        "pairs of spreads of an attribute",
        |group| group.spreads.len(),
    )?;
    let groups = data.groups.iter();
    let slots: Vec<Slot> = groups
        .map(|group| Slot::of(&group.attribute, group.minority_positive, false))
        .collect();
    // All panels have the same axis: they are there to be compared.
    let ends = data.groups.iter().flat_map(|group| group.spreads.iter().flatten());
    let (low, high) = ends.flatten().fold((-0.1_f64, 0.1_f64), |(low, high), spread| {
        (low.min(spread.low), high.max(spread.high))
    });
    let room = (high - low) * 0.04;
    let range = low - room..high + room;
    let panels: Vec<Panel> = data
        .classifiers
        .iter()
        .map(|name| Panel {
            height: HEIGHT,
            range: range.clone(),
            titles: vec![(format!("score, {}", readable(name)), (range.start + range.end) / 2.0)],
            mirrored: false,
        })
        .collect();
    let entries = [
        (Key::Mark(Marker::Square, GREY), "minority class".to_owned()),
        (Key::Hollow(Marker::Square, GREY), "majority class".to_owned()),
        (Key::Words, "box: quartiles, line: 5 to 95 %".to_owned()),
        (Key::Words, "at least 0 predicts the minority".to_owned()),
    ];
    let strips = Strips {
        name: NAME,
        slots: &slots,
        entries: &entries,
        panels: &panels,
    };
    let (svg, size) = strips.draw(style, |axes, classifier, index, place| {
        let step = (place.width * 0.4).min(WIDEST * 1.4);
        let half = (place.width * 0.15).min(WIDEST / 2.0);
        for (class, spread) in data.groups[index].spreads[classifier].iter().enumerate() {
            let x = place.middle + (class as f64 - 0.5) * step;
            match spread {
                Some(spread) => draw_spread(axes, spread, [x, half], classifier, class == 1)?,
                None => axes.page.cross(axes.at(x, 0.0), 0.4)?,
            }
        }
        Ok(())
    })?;
    let caption = "Scores of the test images by class, counted towards the minority class: at least 0 predicts it. Filled \
        boxes: samples of the minority class; hollow: of the majority. Boxes are quartiles with the median, lines run from the 5th to \
        the 95th percentile; a cross stands where a class has no sample.";
    Ok(Figure::new(NAME, format!("{caption} {MARK}"), svg, size))
}

/// A box and its line at `[x, half its width]`, in mm along the row.
fn draw_spread(
    axes: &crate::drawing::axes::Axes<'_, '_>,
    spread: &Spread,
    [x, half]: [f64; 2],
    classifier: usize,
    hollow: bool,
) -> Result<()> {
    let colour = axes.page.style.colour(classifier);
    axes.line(&[[x, spread.low], [x, spread.high]], colour, 0.22, Dash::Solid)?;
    axes.rectangle([x - half, spread.quartiles[0]], [x + half, spread.quartiles[2]], colour)?;
    if hollow {
        let [left, top] = axes.at(x - half, spread.quartiles[2]);
        let [right, bottom] = axes.at(x + half, spread.quartiles[0]);
        const RIM: f64 = 0.22;
        if bottom - top > 2.0 * RIM {
            axes.page.rectangle(
                [left + RIM, top + RIM],
                [right - RIM, bottom - RIM],
                plotters::style::WHITE,
            )?;
        }
    }
    let median = spread.quartiles[1];
    axes.line(&[[x - half, median], [x + half, median]], INK, 0.25, Dash::Solid)
}
