//! Which attributes examples are shown of.

use metrics::table_order;

use super::DataSet;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::regions;

/// Attributes shown with the example faces when the experiment names none.
const EXAMPLE_ATTRIBUTES: usize = 4;

/// The attributes that the experiment names for the examples: positions in the data set's order.
///
/// # Errors
/// When one is unknown.
pub fn named_attributes(context: &Context, data: &DataSet) -> Result<Option<Vec<usize>>> {
    let Some(names) = &context.experiment.figures.example_attributes else {
        return Ok(None);
    };
    let known = &data.annotations().attributes;
    let position = |name: &String| {
        known.index(name).ok_or_else(|| Error::Experiment {
            place: "figures.example_attributes".to_owned(),
            message: format!("`{name}` is unknown; known: {}", known.names().join(", ")),
        })
    };
    names.iter().map(position).collect::<Result<_>>().map(Some)
}

/// Which attributes examples are chosen for: those named, or else a few with a local region, from common to rare.
///
/// # Errors
/// When one is unknown, and those of the regions file.
pub fn example_attributes(context: &Context, data: &DataSet) -> Result<Vec<usize>> {
    if let Some(named) = named_attributes(context, data)? {
        return Ok(named);
    }
    let regions = regions::load(&context.experiment, data.attributes())?;
    let order = table_order(data.attributes(), &data.class_counts());
    let local: Vec<usize> = order
        .iter()
        .copied()
        .filter(|&index| regions.may_be_local(index))
        .collect();
    let from = if local.is_empty() { order } else { local };
    let count = EXAMPLE_ATTRIBUTES.min(from.len());
    Ok((0..count).map(|i| from[i * from.len() / count]).collect())
}
