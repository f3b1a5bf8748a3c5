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
mod forecast;
mod inputs;
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
mod recorded;
mod redraw;
mod reference;
mod removal;
mod report;
mod steps;
mod train;

pub use data::DataSet;
pub use finished::Judge;
pub use inputs::Inputs;
pub use needs::{missing, precision, refuse};
pub use open::prepare;
pub use recorded::Recorded;
pub use reference::read_file as read_reference;

use std::collections::BTreeSet;

use self::inputs::{Content, Reading};
use crate::artefacts;
use crate::context::Context;
use crate::device::{Chosen, choose_device, device_name};
use crate::error::{Error, Result, describe};
use crate::experiment::{self, OnBadImage};
use crate::measured::Measured;
use crate::output::print;
use crate::regions::{self, Regions};
use crate::request::{Last, Run};
use pipeline::Interrupt;

/// Runs an experiment up to a stage.
///
/// # Errors
/// Those of the experiment's file, the data set and every stage. What was finished before stays.
pub fn run(request: &Run, last: Last) -> Result<()> {
    if request.dry_run {
        return forecast::show(request, last);
    }
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
        request.again(),
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
    let content = Content::of(&data, &data.facts(&context.experiment.data), Reading::of(&context))?;
    let contents = context.workspace.contents();
    let inputs = Inputs::of(
        &context.experiment,
        data.attributes(),
        &content,
        &context.data_root,
        contents,
    )?;
    keep_hashes(&context);
    check(&context, &inputs, &data, last)?;
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
    context.workspace.keep_only(&plan(&inputs)?)?;
    bad_images::record(&context, &data)?;

    let names = context.experiment.classifier_names();
    train::run(&context, &inputs, &data, &names)?;
    for name in &names {
        if last >= Last::Predict {
            predict::run(&context, &inputs, &data, name)?;
        }
        if last >= Last::Explain {
            explain::run(&context, &inputs, &data, name)?;
            occlude::run(&context, &inputs, &data, name)?;
            faithfulness::run(&context, &inputs, &data, name)?;
        }
    }
    if last >= Last::Measure {
        let measured = Measured::read(&context, &data.facts(&context.experiment.data))?;
        measure::run(&context, &inputs, &data, &measured)?;
        if last >= Last::Draw {
            chosen::run(&context, &inputs, &data, &measured.classifiers)?;
            examples::run(&context, &inputs, &data, &measured.classifiers)?;
            draw::run(&context, &data, &measured)?;
        }
        measure::show(&context, &data, &measured)?;
    }
    let end = if last >= Last::Draw {
        context.results().join(artefacts::REPORT)
    } else {
        context.results().path().to_owned()
    };
    keep_hashes(&context);
    print(end.display())
}

/// Every step of the experiment, however far this run goes.
fn plan(inputs: &Inputs<'_>) -> Result<BTreeSet<String>> {
    let all = steps::declarations(inputs, Last::Report)?;
    let mut names: BTreeSet<String> = all.iter().map(|declaration| declaration.step().to_owned()).collect();
    if inputs.experiment.data.on_bad_image == OnBadImage::Skip {
        names.insert(bad_images::STAGE.to_owned());
    }
    Ok(names)
}

/// Keeps the hashes of files for the next run, which else has to read them again.
fn keep_hashes(context: &Context) {
    if let Err(error) = context.workspace.contents().keep() {
        let why = describe(&error);
        context.progress().say(&format!(
            "hashes of files cannot be kept, so the next run reads all files again: {why}"
        ));
    }
}

/// Finds out before the first minute of work what later stages would refuse.
fn check(context: &Context, inputs: &Inputs<'_>, data: &DataSet, last: Last) -> Result<()> {
    for (name, classifier) in &context.experiment.classifiers {
        if context.experiment.is_trained(name) {
            train::class_weights(data, name, classifier)?;
            // What was trained on a GPU may be explained without one.
            if let Err(refused) = precision(&context.experiment, &context.device)
                && context.workspace.why(&train::declaration(inputs, name))?.is_some()
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
