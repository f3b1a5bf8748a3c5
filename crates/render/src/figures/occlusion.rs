//! What scores lose with the attribute's region hidden.

use metrics::Interval;

use super::complete::one_each;
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, of_classifiers};
use crate::drawing::page::Dash;
use crate::drawing::strips::{MARK, Panel, Slot, Strips, band_entry, range};
use crate::drawing::style::{INK, Style};
use crate::error::Result;

/// What the scores of one classifier and attribute lose, in logits, over the images predicted as one class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OcclusionBar {
    /// With the region hidden.
    pub lost: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<Interval>,
    /// With an equal area elsewhere hidden.
    pub control: Option<f64>,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct OcclusionGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// One entry per classifier: of the images predicted as the majority, and as the minority.
    pub bars: Vec<[OcclusionBar; 2]>,
}

/// What scores lose with the region hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct OcclusionFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<OcclusionGroup>,
}

const NAME: &str = "occlusion";
const HEIGHT: f64 = 38.0;

/// Draws what the scores lose with the region hidden (bar, with its interval) and with an equal area elsewhere hidden (line): above of
/// the images predicted as the majority class, below of those predicted as the minority. One scale for both.
///
/// # Errors
/// No attribute or classifier, or an attribute without one entry per classifier.
pub fn occlusion(style: &Style, data: &OcclusionFigure) -> Result<Figure> {
    one_each(
        NAME,
        &data.groups,
        &data.classifiers,
        "entries of an attribute",
        |group| group.bars.len(),
    )?;
    let groups = data.groups.iter();
    let slots: Vec<Slot> = groups
        .map(|group| Slot::of(&group.attribute, group.minority_positive, group.global))
        .collect();
    let bars = || data.groups.iter().flat_map(|group| group.bars.iter().flatten());
    let all = range(bars().flat_map(|bar| {
        let (low, high) = bar.interval.map(|interval| (interval.low, interval.high)).unzip();
        [bar.lost, bar.control, low, high].into_iter().flatten()
    }));
    let panels = ["lost, majority predicted", "lost, minority predicted"].map(|title| Panel {
        height: HEIGHT,
        titles: vec![(title.to_owned(), f64::midpoint(all.start, all.end))],
        range: all.clone(),
        mirrored: false,
    });
    let mut entries = of_classifiers(&data.classifiers, Key::Bar);
    entries.push((Key::Rule(INK, Dash::Solid), "equal area elsewhere".to_owned()));
    if bars().any(|bar| bar.interval.is_some()) {
        entries.push((Key::Interval, "95 % confidence interval".to_owned()));
    }
    if bars().any(|bar| bar.lost.is_none()) {
        entries.push((Key::Cross, "too few images".to_owned()));
    }
    entries.extend(band_entry(&slots));
    let strips = Strips {
        name: NAME,
        slots: &slots,
        entries: &entries,
        panels: &panels,
    };
    let (svg, size) = strips.draw(style, |axes, panel, index, place| {
        let bars = &data.groups[index].bars;
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        for (classifier, sides) in bars.iter().enumerate() {
            let bar = &sides[panel];
            let [left, right] = place.bar(classifier, bars.len());
            let middle = f64::midpoint(left, right);
            let Some(lost) = finite(bar.lost) else {
                let [x, y] = axes.at(middle, 0.0);
                axes.page.cross([x, y - 1.2], 0.4)?;
                continue;
            };
            axes.page.bar(axes.at(left, 0.0), axes.at(right, lost), classifier)?;
            if let Some(control) = finite(bar.control) {
                axes.line(&[[left, control], [right, control]], INK, 0.35, Dash::Solid)?;
            }
            let drawn = bar
                .interval
                .filter(|ends| ends.low.is_finite() && ends.high.is_finite());
            if let Some(Interval { low, high }) = drawn {
                let [x, from] = axes.at(middle, low);
                let [_, to] = axes.at(middle, high);
                let cap = (place.bar_width(bars.len()) * 0.2).min(0.5);
                axes.page.interval(x, from, to, cap)?;
            }
        }
        Ok(())
    })?;
    let caption = "What the score of the predicted class loses, in logits, when the attribute's region is hidden (bar, with its 95 % \
        confidence interval) and when an equal area of the same shape elsewhere is (line; none where there is no room for one): above of the \
        images predicted as the majority class, below of those predicted as the minority. A loss beyond that of the equal area is the \
        region's own. Attributes by size of the minority class.";
    Ok(Figure::new(NAME, format!("{caption} {MARK}"), svg, size))
}
