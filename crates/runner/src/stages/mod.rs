//! The stages of a run, in order: data, training, prediction, explanation, measurement, drawing.
//!
//! Each stage reads files and writes files; between two stages nothing is kept in memory that is not on disk. For each
//! classifier NAME of the experiment:
//!
//! | stage | writes |
//! |---|---|
//! | `train/NAME` | `NAME/checkpoint.safetensors`, `NAME/training.parquet`; while it runs `NAME/training.jsonl`, `NAME/training.tfevents` |
//! | `predict/NAME` | `NAME/predictions.parquet`, `NAME/reference.safetensors` |
//! | `explain/NAME` | `NAME/energy.parquet`, `NAME/maps.safetensors`, on request `NAME/raw_maps.safetensors` |
//! | `occlude/NAME` | `NAME/occlusion.parquet` |
//! | `faithfulness/NAME` | `NAME/faithfulness.parquet`, `NAME/sanity.parquet` |
//! | `choose` | `chosen.parquet`, `chosen.safetensors` |
//! | `examples` | `examples.json` |
//! | `measure` | `tables/`, `data.json` |
//! | `draw` | `figures/`, `report.html` |

mod bad_images;
mod celeba;
mod chosen;
mod data;
mod draw;
mod evaluate;
mod example_attributes;
mod examples;
mod explain;
mod faces;
mod faithfulness;
mod figure_data;
mod finished;
mod localiser;
mod maps;
mod masks;
mod measure;
mod needs;
mod occlude;
mod open;
mod packed;
mod pictures;
mod place;
mod predict;
mod raw_maps;
mod redraw;
mod reference;
mod removal;
mod report;
mod train;

pub use data::DataSet;
pub use finished::is_finished;
pub use needs::{missing, precision, refuse};
pub use open::prepare;
pub use reference::read_file as read_reference;

use crate::artefacts;
use crate::context::Context;
use crate::device::{Chosen, choose_device, device_name};
use crate::error::{Error, Result};
use crate::experiment;
use crate::measured::Measured;
use crate::output::print;
use crate::pipeline::Interrupt;
use crate::regions::{self, Regions};
use crate::request::{Last, Run};

/// Runs an experiment up to a stage.
///
/// # Errors
/// Those of the experiment's file, the data set and every stage. What was finished before stays.
pub fn run(request: &Run, last: Last) -> Result<()> {
    if last == Last::Draw
        && let Some(again) = redraw::Redraw::of(request)?
    {
        return again.run();
    }
    let mut loaded = experiment::load(&request.experiment, &request.options.settings)?;
    if let Some(name) = &request.name {
        loaded.name.clone_from(name);
    }
    let Chosen { device, why_no_gpu } = choose_device(&request.options.device)?;
    let interrupt = Interrupt::listen()?;
    let context = Context::open(
        loaded,
        &request.options.results,
        &request.options.data,
        device,
        request.options.fresh,
        interrupt,
    )?;
    context.progress().say(&format!(
        "{} -> {} ({}{})",
        request.experiment.display(),
        context.results().path().display(),
        device_name(&context.device),
        why_no_gpu.map_or_else(String::new, |why| format!("; no GPU: {why}"))
    ));

    needs::check(&context)?;
    let data = open::open(&context)?;
    check(&context, &data, last)?;
    context.begin(data.source.fingerprint(), request.command(&context.device))?;
    context.progress().say(&format!(
        "{:24} {} training, {} validation, {} test images ({}), {}",
        "data",
        data.training.len(),
        data.validation.len(),
        data.test.len(),
        data.filtered(&context.experiment.data),
        match data.attributes().len() {
            1 => "1 attribute".to_owned(),
            several => format!("{several} attributes"),
        }
    ));
    bad_images::record(&context, &data)?;

    let names: Vec<String> = context
        .experiment
        .classifiers_in_order()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    train::run(&context, &data, &names)?;
    for name in &names {
        if last >= Last::Predict {
            predict::run(&context, &data, name)?;
        }
        if last >= Last::Explain {
            explain::run(&context, &data, name)?;
            occlude::run(&context, &data, name)?;
            faithfulness::run(&context, &data, name)?;
        }
    }
    if last >= Last::Measure {
        let measured = Measured::read(&context, &data.facts(&context.experiment.data))?;
        measure::run(&context, &data, &measured)?;
        if last >= Last::Draw {
            chosen::run(&context, &data, &measured.classifiers)?;
            examples::run(&context, &data, &measured.classifiers)?;
            draw::run(&context, &data, &measured)?;
        }
        measure::show(&context, &data, &measured)?;
    }
    let end = if last >= Last::Draw {
        context.results().join(artefacts::REPORT)
    } else {
        context.results().path().to_owned()
    };
    print(end.display())?;
    Ok(())
}

/// Finds out before the first minute of work what later stages would refuse.
fn check(context: &Context, data: &DataSet, last: Last) -> Result<()> {
    for (name, classifier) in &context.experiment.classifiers {
        if context.experiment.is_trained(name) {
            train::class_weights(data, name, classifier)?;
            // What was trained on a GPU may be explained without one.
            if let Err(refused) = precision(&context.experiment, &context.device)
                && !train::is_done(context, data, name)?
            {
                return Err(refused);
            }
        }
    }
    if last >= Last::Explain {
        let regions = regions::load(&context.experiment, data.attributes())?;
        if matches!(regions, Regions::Masks) && !data.source.has_masks() {
            let message =
                "measure.regions: masks, but the data set has none; expected celeba, none or a file".to_owned();
            return Err(Error::Request(message));
        }
    }
    if last >= Last::Draw {
        example_attributes::named_attributes(context, data)?;
    }
    Ok(())
}
