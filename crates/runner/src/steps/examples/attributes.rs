//! Which attributes examples are shown of.

use metrics::table_order;

use crate::error::{Error, Result};
use crate::inputs::{AttributeRegions, Attributes, Facts};

/// Attributes shown with the example faces when the experiment names none.
const EXAMPLE_ATTRIBUTES: usize = 4;

/// The positions of the attributes that an experiment names for the examples (`figures.example_attributes`).
///
/// # Errors
/// When one is unknown.
pub fn positions(named: &[String], attributes: &[String]) -> Result<Vec<usize>> {
    let position = |name: &String| {
        let unknown = || format!("`{name}` is unknown; known: {}", attributes.join(", "));
        let found = attributes.iter().position(|known| known == name);
        found.ok_or_else(|| Error::experiment("figures.example_attributes", unknown()))
    };
    named.iter().map(position).collect()
}

/// Which attributes examples are chosen for: those named, or else a few with a local region, from common to rare.
///
/// # Errors
/// When one is unknown.
pub fn example_attributes(
    named: Option<&[String]>,
    attributes: Attributes<'_>,
    regions: &AttributeRegions<'_>,
    facts: Facts<'_>,
) -> Result<Vec<usize>> {
    if let Some(named) = named {
        return positions(named, attributes.names());
    }
    let order = table_order(attributes.names(), &facts.class_counts());
    let local: Vec<usize> = order
        .iter()
        .copied()
        .filter(|&index| regions.may_be_local(index))
        .collect();
    let from = if local.is_empty() { order } else { local };
    let count = EXAMPLE_ATTRIBUTES.min(from.len());
    Ok((0..count).map(|i| from[i * from.len() / count]).collect())
}
