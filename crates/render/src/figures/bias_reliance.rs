//! How much of the scores for the majority class is the same for every image.

use super::complete::one_each;
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, of_classifiers};
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::strips::{MARK, Panel, Slot, Strips, band_entry, range};
use crate::drawing::style::{INK, Style};
use crate::error::Result;

/// What of one classifier's scores for one attribute is a bias, in logits of the predicted class. The first three are means over
/// the images predicted as the majority class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BiasBar {
    /// The score, |z|.
    pub score: Option<f64>,
    /// Its constant part.
    pub constant: Option<f64>,
    /// The head's bias.
    pub bias: Option<f64>,
    /// What the region adds to the constant part when the majority class is predicted.
    pub region: Option<f64>,
    /// The same when the minority class is predicted.
    pub region_minority: Option<f64>,
}

/// The bars of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasGroup {
    /// Name of the attribute.
    pub attribute: String,
    /// Whether the minority is the positive class.
    pub minority_positive: bool,
    /// Whether the attribute has no place of its own in the face.
    pub global: bool,
    /// One entry per classifier.
    pub bars: Vec<BiasBar>,
}

/// How much of the scores is a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasFigure {
    /// Names of the classifiers, in the order of their bars.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub groups: Vec<BiasGroup>,
}

const NAME: &str = "bias_reliance";
/// Heights of the two panels.
const SCORES: f64 = 40.0;
const REGION: f64 = 34.0;

/// Draws, above, the constant part (bar), the head's bias (line) and the mean (point) of the scores of the images predicted as the
/// majority class; below, what the attribute's region adds to the constant part when the majority (bar) and the minority (point)
/// is predicted.
///
/// # Errors
/// No attribute or classifier, or an attribute without one entry per classifier.
pub fn bias_reliance(style: &Style, data: &BiasFigure) -> Result<Figure> {
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
    let bars = || data.groups.iter().flat_map(|group| &group.bars);
    let panel = |height: f64, title: &str, values: fn(&BiasBar) -> [Option<f64>; 3]| {
        let range = range(bars().flat_map(values).flatten());
        Panel {
            height,
            titles: vec![(title.to_owned(), (range.start + range.end) / 2.0)],
            range,
            mirrored: false,
        }
    };
    let panels = [
        panel(SCORES, "score for the majority", |bar| {
            [bar.constant, bar.bias, bar.score]
        }),
        panel(REGION, "added by the region", |bar| {
            [bar.region, bar.region_minority, None]
        }),
    ];
    let mut entries = of_classifiers(&data.classifiers, Key::Bar);
    entries.extend([
        (
            Key::Mark(Marker::Circle, INK),
            "above: mean score; below: minority predicted".to_owned(),
        ),
        (Key::Rule(INK, Dash::Solid), "head's bias".to_owned()),
    ]);
    if bars().any(|bar| bar.constant.is_none()) {
        entries.push((Key::Cross, "no sample".to_owned()));
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
        for (classifier, bar) in bars.iter().enumerate() {
            let [left, right] = place.bar(classifier, bars.len());
            let middle = (left + right) / 2.0;
            let (value, point) = match panel {
                0 => (bar.constant, bar.score),
                _ => (bar.region, bar.region_minority),
            };
            match finite(value) {
                Some(value) => axes.page.bar(axes.at(left, 0.0), axes.at(right, value), classifier)?,
                None => {
                    let [x, y] = axes.at(middle, 0.0);
                    axes.page.cross([x, y - 1.2], 0.4)?;
                }
            }
            if let Some(point) = finite(point) {
                axes.marker([middle, point], Marker::Circle, 0.45, INK, false)?;
            }
            if let Some(bias) = finite(bar.bias).filter(|_| panel == 0) {
                axes.line(&[[left, bias], [right, bias]], INK, 0.3, Dash::Solid)?;
            }
        }
        Ok(())
    })?;
    let caption = "Above: mean score of the images predicted as the majority class (point), its constant part, which is the same \
        for every image (bar), and the head's bias (line); the point beyond the bar is what the image itself adds. Below: what the \
        attribute's region adds to the constant part, for images predicted as the majority (bar) and as the minority class \
        (point). All in logits of the predicted class, with attributes by size of the minority class.";
    Ok(Figure::new(NAME, format!("{caption} {MARK}"), svg, size))
}
