//! Gaps between the classes against how rare the minority is.

use std::ops::Range;

use metrics::{Correlation, Interval};

use crate::drawing::export::Figure;
use crate::drawing::legend::Key;
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::panels::{Axis, Panel, Panels};
use crate::drawing::style::{Column, INK, Style};
use crate::error::{Error, Result};
use crate::text::{readable, signed};

/// One attribute of the imbalance figure.
#[derive(Debug, Clone, PartialEq)]
pub struct ImbalancePoint {
    /// Name of the attribute.
    pub attribute: String,
    /// Part of the training images that is of the minority class, in `(0, 0.5]`.
    pub minority_share: f64,
    /// Minority error less majority error, one per classifier.
    pub error_gaps: Vec<Option<f64>>,
    /// Minority energy less majority energy, one per classifier.
    pub energy_gaps: Vec<Option<f64>>,
}

/// Gaps between the classes against how rare the minority is.
#[derive(Debug, Clone, PartialEq)]
pub struct Imbalance {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub points: Vec<ImbalancePoint>,
    /// For each classifier Spearman's correlation of the gap in error with the imbalance (-1 times the share).
    pub error_correlations: Vec<Option<Correlation>>,
    /// The same of the gap in energy.
    pub energy_correlations: Vec<Option<Correlation>>,
}

const NAME: &str = "imbalance";
const HEIGHT: f64 = 52.0;
const RADIUS: f64 = 0.75;

/// What a panel shows: its title, its values and their rank correlations.
type Side<'a> = (
    &'static str,
    fn(&ImbalancePoint) -> &[Option<f64>],
    &'a [Option<Correlation>],
);

/// Draws the gap in error and the gap in energy (minority less majority) of each attribute over the minority's share of the
/// training images, which is on a logarithmic axis.
///
/// # Errors
/// No attribute or classifier, or an attribute without one value per classifier.
pub fn imbalance(style: &Style, data: &Imbalance) -> Result<Figure> {
    let usable = |point: &&ImbalancePoint| point.minority_share > 0.0;
    if data.classifiers.is_empty() || !data.points.iter().any(|point| usable(&point)) {
        return Err(Error::Empty(NAME));
    }
    let count = data.classifiers.len();
    for point in &data.points {
        for found in [point.error_gaps.len(), point.energy_gaps.len()] {
            if found != count {
                return Err(Error::Mismatch {
                    figure: NAME,
                    what: "gaps of an attribute",
                    found,
                    expected: count,
                });
            }
        }
    }
    let sides: [Side<'_>; 2] = [
        ("gap in error", |point| &point.error_gaps, &data.error_correlations),
        ("gap in energy", |point| &point.energy_gaps, &data.energy_correlations),
    ];
    let shares = shares(data.points.iter().filter(usable));
    let panels = sides.each_ref().map(|(title, values, correlations)| {
        let all = data.points.iter().flat_map(values).flatten();
        Panel {
            x: shares.clone(),
            y: Axis::of(title, gaps(all.copied()), 8),
            entries: entries(data, correlations),
        }
    });
    let layout = Panels {
        panels: &panels,
        column: Column::Double,
        height: |_| HEIGHT,
    };
    let drawn = layout.draw(style, |axes, side| {
        let x = &shares.range;
        axes.line(&[[x.start, 0.0], [x.end, 0.0]], INK, 0.2, Dash::Solid)?;
        let (_, values, _) = sides[side];
        for point in data.points.iter().filter(usable) {
            for (classifier, gap) in values(point).iter().enumerate() {
                if let Some(gap) = gap.filter(|gap| gap.is_finite()) {
                    let at = [point.minority_share.log10(), gap];
                    axes.marker(at, Marker::of(classifier), RADIUS, style.colour(classifier), false)?;
                }
            }
        }
        Ok(())
    })?;
    let place = if drawn.beside {
        ["left", "right"]
    } else {
        ["above", "below"]
    };
    let caption = format!(
        "Error of the minority class less that of the majority class ({}), and energy of the samples predicted as the minority less \
         that of those predicted as the majority ({}), over the minority's share. ρ: Spearman's rank correlation with the \
         imbalance, which grows to the left, with its 95 % confidence interval. Energies are of \
         attributes with a place of their own in the image.",
        place[0], place[1]
    );
    Ok(Figure::new(NAME, caption, drawn.svg, drawn.size))
}

/// The axis of the minority's share: logarithmic, to a little beyond the rarest, and at least down to a tenth.
fn shares<'d>(points: impl Iterator<Item = &'d ImbalancePoint>) -> Axis {
    let lowest = points.map(|point| point.minority_share).fold(0.5, f64::min);
    let range = (lowest * 0.8).min(0.1).log10()..0.55_f64.log10();
    let ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        .map(|share: f64| (share.log10(), percent(share)))
        .into_iter()
        .filter(|(tick, _)| range.contains(tick));
    Axis {
        title: "minority's share of the training images".to_owned(),
        ticks: ticks.collect(),
        range,
    }
}

/// A range around 0 that holds all gaps.
fn gaps(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((0.0_f64, 0.1_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let room = (high - low) * 0.06;
    low - room..high + room
}

/// A share as a percentage without needless digits.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value < 0.95 {
        format!("{value:.1} %")
    } else {
        format!("{value:.0} %")
    }
}

/// Each classifier with its correlation, and what the brackets are.
fn entries(data: &Imbalance, correlations: &[Option<Correlation>]) -> Vec<(Key, String)> {
    let brackets = correlations.iter().flatten().any(|found| found.interval.is_some());
    let explained = brackets.then(|| (Key::Words, "ρ: rank correlation [95 % confidence interval]".to_owned()));
    data.classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let found = correlations.get(index).copied().flatten();
            let words = found.map_or_else(String::new, |found| {
                let interval = found.interval.map_or_else(String::new, |Interval { low, high }| {
                    format!(" [{}, {}]", signed(low, 2), signed(high, 2))
                });
                format!(", ρ = {}{interval}", signed(found.value, 2))
            });
            (Key::Point(index), readable(name) + &words)
        })
        .chain(explained)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_no_needless_digits() {
        assert_eq!([0.002, 0.01, 0.05, 0.5].map(percent), ["0.2 %", "1 %", "5 %", "50 %"]);
    }
}
