//! The steps of a run, with what each reads.

use std::collections::BTreeSet;

use pipeline::Declaration;

use crate::data::bad_images;
use crate::error::Result;
use crate::experiment::OnBadImage;
use crate::inputs::{Inputs, Split};
use crate::request::Last;
use crate::steps::examples::{Browse, Choose};
use crate::steps::explain::Explain;
use crate::steps::faithfulness::Try;
use crate::steps::intervene::Intervene;
use crate::steps::locality::Locate;
use crate::steps::occlude::Occlude;
use crate::steps::predict::Predict;
use crate::steps::{SharedStep, Step, draw, measure, train};

/// The declarations of all steps up to a stage, in the order in which they run.
///
/// # Errors
/// None that a checked experiment can cause.
pub fn declarations(inputs: &Inputs<'_>, last: Last) -> Result<Vec<Declaration>> {
    let names = inputs.experiment.classifier_names();
    let (derived, learnt): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| inputs.experiment.is_derived(name));
    let made = |names: Vec<&String>| -> Result<Vec<Declaration>> {
        names.into_iter().map(|name| train::declaration(inputs, name)).collect()
    };
    let mut all = made(learnt)?;
    for split in [Split::Training, Split::Validation] {
        all.extend(train::Features::all(inputs, split).iter().map(SharedStep::declaration));
    }
    all.extend(made(derived)?);
    for name in &names {
        if last >= Last::Predict {
            all.push(Predict::new(inputs, name).declaration());
        }
        if last >= Last::Explain {
            all.push(Explain::new(inputs, name).declaration());
            all.extend(Occlude::new(inputs, name).map(|step| step.declaration()));
            all.extend(Try::new(inputs, name).map(|step| step.declaration()));
            all.extend(Locate::new(inputs, name).map(|step| step.declaration()));
        }
    }
    if last >= Last::Explain {
        let interventions = names.iter().filter_map(|name| Intervene::new(inputs, name));
        all.extend(interventions.map(|step| step.declaration()));
    }
    if last >= Last::Measure {
        all.push(measure::declaration(inputs)?);
    }
    if last >= Last::Draw {
        all.push(Choose::new(inputs).declaration());
        all.push(Browse::new(inputs).declaration());
        let (attributes, regions) = (inputs.attributes(), inputs.regions());
        all.push(draw::declaration(
            inputs.experiment,
            attributes.names(),
            regions.declared(),
        )?);
    }
    Ok(match inputs.are_believed() {
        true => all.into_iter().map(Declaration::believing_files).collect(),
        false => all,
    })
}

/// The names of all steps of the experiment, however far a run goes.
///
/// # Errors
/// As [`declarations`].
pub fn planned(inputs: &Inputs<'_>) -> Result<BTreeSet<String>> {
    let all = declarations(inputs, Last::Report)?;
    let mut names: BTreeSet<String> = all.iter().map(|declaration| declaration.step().to_owned()).collect();
    if inputs.experiment.data.on_bad_image == OnBadImage::Skip {
        names.insert(bad_images::STEP.to_owned());
    }
    Ok(names)
}
