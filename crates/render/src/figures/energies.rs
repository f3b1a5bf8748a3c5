//! Proportional energies of all attributes, by predicted class.

use super::bars::BarFigure;
use super::bars::{Layout, draw};
use crate::drawing::export::Figure;
use crate::drawing::strips::MARK;
use crate::drawing::style::Style;
use crate::error::Result;

/// Draws the mean proportional energy of the samples predicted as the minority class (up) and as the majority class
/// (down). A group's `chance` is its region's share of the face.
///
/// # Errors
/// No attribute or classifier, or an attribute without one pair of bars per classifier.
pub fn energies(style: &Style, data: &BarFigure) -> Result<Figure> {
    let layout = Layout {
        name: "energies",
        up: "minority energy",
        down: "majority energy",
        chance: "area of the region",
        mark_global: true,
    };
    let (svg, size) = draw(style, data, &layout)?;
    let caption = "Mean proportional energy inside the attribute's region, of the samples predicted as the minority class \
        (up) and as the majority class (down). Error bars: 95 % confidence intervals of the mean (bootstrap). A map that knows \
        nothing reaches the area of the region.";
    Ok(Figure::new(layout.name, format!("{caption} {MARK}"), svg, size))
}
