//! The paper's layout of bars: attributes along x, the minority class upwards, the majority class downwards, the
//! classifiers side by side.

use metrics::Interval;

use super::complete::one_each;
use crate::drawing::legend::{Key, of_classifiers};
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::strips::{Panel, Slot, Strips, band_entry, both_ways};
use crate::drawing::style::{INK, Style};
use crate::error::Result;

/// One bar of a bar figure.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bar {
    /// Its height in `[0, 1]`; `None` where there was no sample.
    pub value: Option<f64>,
    /// Confidence interval, drawn as an error bar.
    pub interval: Option<Interval>,
    /// The published value, drawn as a marker.
    pub published: Option<f64>,
}

/// The bars of one classifier for one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BarPair {
    /// Upward: the minority class.
    pub minority: Bar,
    /// Downward: the majority class.
    pub majority: Bar,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct BarGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class. Others are marked, since their minority lacks the attribute.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// What a map that knows nothing would reach, drawn as a tick in both directions.
    pub chance: Option<f64>,
    /// One pair per classifier.
    pub bars: Vec<BarPair>,
}

/// A bar figure: attributes along x, in the order given, minority up and majority down.
#[derive(Debug, Clone, PartialEq)]
pub struct BarFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<BarGroup>,
}

/// What distinguishes one bar figure from another.
pub(super) struct Layout<'a> {
    pub name: &'static str,
    /// Titles of the upper and the lower half of the y axis.
    pub up: &'a str,
    pub down: &'a str,
    /// What the ticks of chance level are called in the legend.
    pub chance: &'a str,
    /// Whether attributes without a place of their own are marked.
    pub mark_global: bool,
}

const HEIGHT: f64 = 56.0;

/// Draws the figure; returns the SVG and its size in mm.
pub(super) fn draw(style: &Style, data: &BarFigure, layout: &Layout<'_>) -> Result<(String, [f64; 2])> {
    one_each(
        layout.name,
        &data.groups,
        &data.classifiers,
        "bars of an attribute",
        |group| group.bars.len(),
    )?;
    let groups = data.groups.iter();
    let slots: Vec<Slot> = groups
        .map(|group| {
            let band = layout.mark_global && group.global;
            Slot::of(&group.attribute, group.minority_positive, band)
        })
        .collect();
    let [up, down] = both_ways(style, reach(data), [layout.up, layout.down], HEIGHT);
    let panel = Panel {
        height: HEIGHT,
        range: -down..up,
        titles: vec![(layout.up.to_owned(), up / 2.0), (layout.down.to_owned(), -down / 2.0)],
        mirrored: true,
    };
    let strips = Strips {
        name: layout.name,
        slots: &slots,
        entries: &entries(data, layout, &slots),
        panels: &[panel],
    };
    strips.draw(style, |axes, _, index, place| {
        let group = &data.groups[index];
        let count = group.bars.len();
        // Marks stay readable with one attribute and do not touch each other with forty.
        let radius = (place.bar_width(count) * 0.3).clamp(0.3, 0.7);
        for (classifier, pair) in group.bars.iter().enumerate() {
            let [left, right] = place.bar(classifier, count);
            let middle = (left + right) / 2.0;
            for (bar, sign) in [(&pair.minority, 1.0), (&pair.majority, -1.0)] {
                match bar.value.filter(|value| value.is_finite()) {
                    Some(value) => {
                        let [from, to] = [axes.at(left, 0.0), axes.at(right, sign * value)];
                        axes.page.bar(from, to, classifier)?;
                    }
                    None => {
                        let [x, y] = axes.at(middle, 0.0);
                        axes.page.cross([x, y - sign * 1.3], radius.min(0.5))?;
                    }
                }
                if let Some(Interval { low, high }) = bar.interval {
                    let [x, from] = axes.at(middle, sign * low);
                    let [_, to] = axes.at(middle, sign * high);
                    axes.page.interval(x, from, to, radius * 0.7)?;
                }
                if let Some(published) = bar.published {
                    axes.marker([middle, sign * published], Marker::Diamond, radius, INK, true)?;
                }
            }
        }
        if let Some(chance) = group.chance {
            let [left, right] = [place.bar(0, count)[0], place.bar(count - 1, count)[1]];
            for level in [chance, -chance] {
                // White below, so that it is seen on any bar.
                let line = [[left, level], [right, level]];
                axes.line(&line, plotters::style::WHITE, 0.45, Dash::Solid)?;
                axes.line(&line, INK, 0.28, Dash::Dotted)?;
            }
        }
        Ok(())
    })
}

/// How far the bars and what is on them reach up and down: at least a tenth, at most 1.
fn reach(data: &BarFigure) -> [f64; 2] {
    let highest = |bar: fn(&BarPair) -> &Bar| {
        let bars = data.groups.iter().flat_map(|group| &group.bars).map(bar);
        let values = bars.flat_map(|bar| [bar.value, bar.published, bar.interval.map(|interval| interval.high)]);
        let chances = data.groups.iter().map(|group| group.chance);
        let all = values.chain(chances).flatten().filter(|value| value.is_finite());
        (all.fold(0.1, f64::max) * 1.02).min(1.0)
    };
    [highest(|pair| &pair.minority), highest(|pair| &pair.majority)]
}

fn bars(data: &BarFigure) -> impl Iterator<Item = &Bar> {
    data.groups
        .iter()
        .flat_map(|group| &group.bars)
        .flat_map(|pair| [&pair.minority, &pair.majority])
}

/// The legend explains what is in this figure and nothing else.
fn entries(data: &BarFigure, layout: &Layout<'_>, slots: &[Slot]) -> Vec<(Key, String)> {
    let mut entries = of_classifiers(&data.classifiers, Key::Bar);
    if bars(data).any(|bar| bar.published.is_some()) {
        entries.push((Key::Hollow(Marker::Diamond, INK), "published".to_owned()));
    }
    if bars(data).any(|bar| bar.interval.is_some()) {
        entries.push((Key::Interval, "95 % confidence interval".to_owned()));
    }
    if data.groups.iter().any(|group| group.chance.is_some()) {
        entries.push((Key::Rule(INK, Dash::Dotted), layout.chance.to_owned()));
    }
    if bars(data).any(|bar| bar.value.is_none()) {
        entries.push((Key::Cross, "no sample".to_owned()));
    }
    entries.extend(band_entry(slots));
    entries
}
