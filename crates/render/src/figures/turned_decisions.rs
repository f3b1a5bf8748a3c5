//! Decisions that turn when the attribute is toggled in the image.

use super::bars::BarFigure;
use super::bars::{Layout, draw};
use crate::drawing::export::Figure;
use crate::drawing::strips::MARK;
use crate::drawing::style::Style;
use crate::error::Result;

/// Draws the share of the images of the minority class (up) and of the majority class (down) whose decision turns to the other class when the
/// attribute is toggled.
///
/// # Errors
/// No attribute or classifier, or an attribute without one pair of bars per classifier.
pub fn turned_decisions(style: &Style, data: &BarFigure) -> Result<Figure> {
    let layout = Layout {
        name: "turned_decisions",
        up: "turned from minority",
        down: "turned from majority",
        chance: "chance",
        mark_global: false,
    };
    let (svg, size) = draw(style, data, &layout)?;
    let caption = "What toggling the attribute does, all else in the image being the same: the share of the images of the minority class (up) \
        and of the majority class (down) in which the decision goes over to the class that the image is given. A classifier that ignores the \
        attribute stays at 0; a decision that was wrong before does not turn. Beside the trained classifiers stands the unbalanced one with its threshold \
        moved to where it answers to the balanced one's class weights, where there is one. Attributes sorted by the size of their minority. Error bars: 95 % confidence intervals.";
    Ok(Figure::new(layout.name, format!("{caption} {MARK}"), svg, size))
}
