//! The steps of a run, with what each reads.

use pipeline::Declaration;

use super::{Inputs, chosen, draw, examples, explain, faithfulness, measure, occlude, predict, train};
use crate::error::Result;
use crate::request::Last;

/// The declarations of all steps up to a stage, in the order in which they run.
///
/// # Errors
/// Those of the regions file.
pub fn declarations(inputs: &Inputs<'_>, last: Last) -> Result<Vec<Declaration>> {
    let names = inputs.experiment.classifier_names();
    let mut all: Vec<Declaration> = names.iter().map(|name| train::declaration(inputs, name)).collect();
    for name in &names {
        if last >= Last::Predict {
            all.push(predict::declaration(inputs, name));
        }
        if last >= Last::Explain {
            all.push(explain::declaration(inputs, name));
            all.extend(occlude::declaration(inputs, name));
            all.extend(faithfulness::declaration(inputs, name));
        }
    }
    if last >= Last::Measure {
        all.push(measure::declaration(inputs)?);
    }
    if last >= Last::Draw {
        all.push(chosen::declaration(inputs));
        all.push(examples::declaration(inputs));
        all.push(draw::declaration(inputs.experiment, inputs.attribute_names())?);
    }
    Ok(all)
}
