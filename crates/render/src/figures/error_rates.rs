//! Error rates of all attributes: minority errors upwards, majority errors downwards.

use super::bars::BarFigure;
use super::bars::{Layout, draw};
use crate::drawing::export::Figure;
use crate::drawing::strips::MARK;
use crate::drawing::style::Style;
use crate::error::Result;

/// Draws the error rates of the minority class (up) and the majority class (down) of every attribute.
///
/// # Errors
/// No attribute or classifier, or an attribute without one pair of bars per classifier.
pub fn error_rates(style: &Style, data: &BarFigure) -> Result<Figure> {
    let layout = Layout {
        name: "error_rates",
        up: "minority error",
        down: "majority error",
        chance: "chance",
        mark_global: false,
    };
    let (svg, size) = draw(style, data, &layout)?;
    let caption = "Error rates among the samples of the minority class (up) and of the majority class (down), attributes \
        sorted by the size of their minority. Error bars: Wilson's 95 % confidence intervals.";
    Ok(Figure::new(layout.name, format!("{caption} {MARK}"), svg, size))
}
