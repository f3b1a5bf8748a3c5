//! Carrying out a run: its steps in their order.

use std::cell::OnceCell;

use pipeline::Interrupt;

use super::declarations::planned;
use super::finished::Judge;
use super::{forecast, needs, redraw, replace};
use crate::artefacts;
use crate::context::Context;
use crate::data::{Content, DataSet, Reading, bad_images, check_visible, open};
use crate::device::{ChosenDevice, choose_device, device_name};
use crate::error::{Error, Result, describe};
use crate::experiment::{self, Experiment, OnBadImage};
use crate::included;
use crate::inputs::{Inputs, LookedAt};
use crate::measured::Measured;
use crate::output::print;
use crate::request::{Last, Run};
use crate::steps::examples::{self, Browse, Choose};
use crate::steps::explain;
use crate::steps::faithfulness::Try;
use crate::steps::intervene::Intervene;
use crate::steps::locality::Locate;
use crate::steps::measure::{self, Results};
use crate::steps::occlude::Occlude;
use crate::steps::predict::Predict;
use crate::steps::{self, draw, train};
use render::text::counted;

/// Runs an experiment up to a stage.
///
/// # Errors
/// Those of the experiment's file, the data set and every step. What was finished before stays.
pub fn execute(request: &Run, last: Last) -> Result<()> {
    execute_among(request, last, None)
}

/// As [`execute`]; with an interrupt it is one run of several, which that one stops and which leave it to others to print numbers.
///
/// # Errors
/// As [`execute`].
pub fn execute_among(request: &Run, last: Last, interrupt: Option<&Interrupt>) -> Result<()> {
    if request.dry_run {
        return forecast::show(request, last);
    }
    if last == Last::Draw
        && let Some(again) = redraw::Redraw::of(request)?
    {
        return again.run();
    }
    if let Some(out) = &request.out {
        return Err(Error::Request(format!(
            "--out {}: nothing is drawn there, for the results of {} are not finished, or are of other settings; expected a finished results folder, \
             or the experiment of one: `biascam draw results/NAME --out {}`",
            out.display(),
            request.experiment.display(),
            out.display()
        )));
    }
    let mut loaded = experiment::load(&request.experiment, &request.options.settings)?;
    if let Some(name) = &request.name {
        loaded.name.clone_from(name);
    }
    let scaled = Judge::new(&request.options.data).scale(&mut loaded.experiment);
    let ChosenDevice { device, why_no_gpu } = choose_device(&request.options.device)?;
    let is_alone = interrupt.is_none();
    let interrupt = match interrupt {
        Some(interrupt) => interrupt.clone(),
        None => Interrupt::listen()?,
    };
    let experiment = included::shown(&loaded.path);
    let context = Context::open(
        loaded,
        &request.options.results,
        &request.options.data,
        device,
        request.again(),
        interrupt,
    )?;
    context.progress().say(&format!(
        "{experiment} -> {}, data sets in {} ({}{})",
        context.results().path().display(),
        context.data_root.display(),
        device_name(&context.device),
        why_no_gpu.map_or_else(String::new, |why| format!("; no GPU: {why}"))
    ));
    let coarse = context.experiment.coarse_maps().filter(|_| last >= Last::Explain);
    for line in scaled.into_iter().chain(coarse) {
        context.progress().say(&line);
    }

    needs::check(&context)?;
    let data = open(&context)?;
    let facts = data.facts(&context.experiment.data);
    let content = Content::of(&data, &facts, Reading::of(&context))?;
    let looked_at = LookedAt {
        data: &data,
        content: &content,
    };
    let contents = context.workspace.contents();
    let inputs = Inputs::of(&context.experiment, looked_at, &context.data_root, contents)?;
    keep_hashes(&context);
    check(&context, &inputs, &data, last)?;
    refuse_unreadable(&context, &content, &data)?;
    check_visible_before_training(&context, &inputs, &data, last)?;
    replace::refuse_unasked(&context, &inputs, request, last)?;
    context.begin(data.source.fingerprint(), request.command(&context.device))?;
    context.progress().say(&format!(
        "{:24} {} training, {} validation, {} test images ({}){}, {}",
        "data",
        data.training.len(),
        data.validation.len(),
        data.test.len(),
        data.filtered(&context.experiment.data),
        data.of_whom(&context.experiment.data),
        counted(data.attributes().len(), "attribute")
    ));
    context.workspace.keep_only(&planned(&inputs)?)?;
    bad_images::record(&context, &data)?;

    let names = context.experiment.classifier_names();
    train::run(&context, &inputs, &names)?;
    for family in &context.experiment.families() {
        if last >= Last::Predict {
            let predict: Vec<_> = family.iter().map(|name| Predict::new(&inputs, name)).collect();
            steps::run_together(&context, &predict)?;
        }
        if last >= Last::Explain {
            explain::run(&context, &inputs, family)?;
            let occlude: Vec<_> = family.iter().filter_map(|name| Occlude::new(&inputs, name)).collect();
            steps::run_together(&context, &occlude)?;
            for trial in family.iter().filter_map(|name| Try::new(&inputs, name)) {
                steps::run(&context, &trial)?;
            }
            for locate in family.iter().filter_map(|name| Locate::new(&inputs, name)) {
                steps::run(&context, &locate)?;
            }
        }
    }
    if last >= Last::Explain {
        // All classifiers at once: to draw the images costs more than to score them.
        let interventions: Vec<_> = names.iter().filter_map(|name| Intervene::new(&inputs, name)).collect();
        steps::run_together(&context, &interventions)?;
    }
    if last >= Last::Measure {
        let workspace = &context.workspace;
        // For whichever of the steps runs first.
        let measured = OnceCell::new();
        let measured = || -> Result<&Measured> {
            if let Some(known) = measured.get() {
                return Ok(known);
            }
            let found = Measured::read(&context.recorded(&context.manifest()), &facts, context.progress())?;
            Ok(measured.get_or_init(|| found))
        };
        let Experiment { explain, seed, .. } = &context.experiment;
        workspace.step(&measure::declaration(&inputs)?, |folder| {
            let explained = explain::explained_images(&data.test, explain.images, *seed).len();
            Results::new(&context.experiment, &facts, measured()?)?.write(folder, explained)
        })?;
        if last >= Last::Draw {
            steps::run(&context, &Choose::new(&inputs))?;
            steps::run(&context, &Browse::new(&inputs))?;
            let regions = inputs.regions();
            let declaration = draw::declaration(&context.experiment, data.attributes(), regions.declared())?;
            workspace.step(&declaration, |folder| {
                let (manifest, measured) = (context.manifest(), measured()?);
                let sources = draw::Sources::new(context.recorded(&manifest), &facts, measured, measured);
                draw::work(folder, &sources)
            })?;
        }
        if is_alone {
            let summary = context.results().join(artefacts::SUMMARY);
            print(std::fs::read_to_string(&summary).map_err(Error::io(&summary, "reading"))?)?;
        }
    }
    let end = if last >= Last::Draw {
        context.results().join(artefacts::REPORT)
    } else {
        context.results().path().to_owned()
    };
    context.workspace.settle();
    keep_hashes(&context);
    if is_alone { print(end.display()) } else { Ok(()) }
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

/// Refuses images of which the file is not there, where they are not left out: hours of training would come before some of them are
/// missed. Test images are looked for in a training too, which they will follow.
fn refuse_unreadable(context: &Context, content: &Content, data: &DataSet) -> Result<()> {
    let settings = &context.experiment.data;
    let trains = context
        .experiment
        .classifiers
        .keys()
        .any(|name| context.experiment.is_trained(name));
    let followed = [&content.training, &content.validation].into_iter().filter(|_| trains);
    let unreadable = followed.chain([&content.test]).flat_map(|split| &split.unreadable);
    let unreadable: Vec<usize> = unreadable.copied().collect();
    let first = unreadable.first().map(|&index| data.source.image_bytes(index));
    match first {
        Some(Err(error)) if settings.on_bad_image == OnBadImage::Fail => {
            Err(bad_images::left_out_by_skip(&error, unreadable.len()))
        }
        _ => Ok(()),
    }
}

/// Finds boxes and masks that cannot be used before a training, not hours later when they are used.
fn check_visible_before_training(context: &Context, inputs: &Inputs<'_>, data: &DataSet, last: Last) -> Result<()> {
    let Experiment { explain, seed, .. } = &context.experiment;
    if last < Last::Explain || inputs.regions().own().is_none() {
        return Ok(());
    }
    for name in context.experiment.classifiers.keys() {
        if context.workspace.why(&train::declaration(inputs, name)?)?.is_some() {
            let images = explain::explained_images(&data.test, explain.images, *seed);
            return check_visible(data, &context.experiment.data, &images);
        }
    }
    Ok(())
}

/// Finds out before the first minute of work what later steps would refuse.
fn check(context: &Context, inputs: &Inputs<'_>, data: &DataSet, last: Last) -> Result<()> {
    for (name, classifier) in &context.experiment.classifiers {
        if context.experiment.is_trained(name) {
            train::class_weights(name, classifier.weighting(), &data.class_counts(), data.attributes())?;
        }
        if context.workspace.why(&train::declaration(inputs, name)?)?.is_some() {
            // What was trained on a GPU may be explained without one.
            if context.experiment.is_trained(name) {
                needs::arithmetic(&context.experiment, &context.device)?;
            }
            train::check(inputs, name)?;
        }
        if let Some(occlude) = Occlude::new(inputs, name).filter(|_| last >= Last::Explain) {
            occlude.check()?;
        }
    }
    if last >= Last::Explain && inputs.regions().own().is_some_and(|masks| !masks.exist()) {
        let message = "measure.regions: masks, but the data set has none; expected celeba, none or a file".to_owned();
        return Err(Error::Request(message));
    }
    if last >= Last::Draw {
        let named = context.experiment.figures.example_attributes.as_deref();
        examples::positions(named.unwrap_or_default(), data.attributes())?;
    }
    Ok(())
}
