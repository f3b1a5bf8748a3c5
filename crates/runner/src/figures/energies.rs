//! Proportional energies of all attributes, by predicted class.

use super::bars::{Layout, draw};
use super::data::BarFigure;
use super::error::Result;
use super::export::Figure;
use super::strips::MARK;
use super::style::Style;

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
