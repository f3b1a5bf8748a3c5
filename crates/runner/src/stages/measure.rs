//! The measurement stage: tables and verdicts from predictions and energies.

use metrics::Bootstrap;

use super::inputs::regions_of;
use super::{DataSet, Inputs, explain, faithfulness, occlude, predict};
use crate::artefacts;
use crate::context::Context;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::measured::Measured;
use crate::output::print;
use crate::published::Published;
use crate::tables::{self, Comparisons};
use pipeline::Declaration;

/// Bumped when tables come out otherwise from the same numbers: they alone are made anew, in seconds.
const VERSION: u32 = 1;

/// The stage.
pub const STAGE: &str = "measure";

/// What the stage reads: every classifier's scores and energies, and what else was measured of it.
///
/// # Errors
/// Those of the regions file.
pub fn declaration(inputs: &Inputs<'_>) -> Result<Declaration> {
    let declaration = inputs.facts(inputs.declaration(STAGE, VERSION));
    results(declaration, inputs.experiment, inputs.attribute_names())
}

/// What is read by everything that is made of all results.
///
/// # Errors
/// Those of the regions file.
pub fn results(declaration: Declaration, experiment: &Experiment, attributes: &[String]) -> Result<Declaration> {
    let measure = &experiment.measure;
    let declaration = regions_of(declaration, experiment, attributes)?
        .settings("attributes", attributes)
        .settings("classifiers", &experiment.classifier_names())
        .settings(
            "classifiers.roles",
            &experiment.classifiers.values().map(|one| one.role).collect::<Vec<_>>(),
        )
        .settings("measure.resamples", &measure.resamples)
        .settings("measure.published", &Published::of(experiment)?.is_some())
        .settings("seed", &experiment.seed);
    Ok(experiment
        .classifier_names()
        .iter()
        .fold(declaration, |declaration, name| {
            let mut declaration = declaration
                .artefact(&predict::stage(name), &artefacts::predictions(name))
                .artefact(&explain::stage(name), &artefacts::energy(name));
            if measure.wants_occlusion() {
                declaration = declaration.artefact(&occlude::stage(name), &artefacts::occlusion(name));
            }
            if measure.faithfulness.images > 0 {
                for file in artefacts::faithfulness(name) {
                    declaration = declaration.artefact(&faithfulness::stage(name), &file);
                }
            }
            declaration
        }))
}

/// Runs the stage.
///
/// # Errors
/// Those of writing.
pub fn run(context: &Context, inputs: &Inputs<'_>, data: &DataSet, measured: &Measured) -> Result<()> {
    let comparison = comparison(context, measured)?;
    context.workspace.step(&declaration(inputs)?, || {
        let files = tables::files(measured, bootstrap(context), comparison.as_ref())?;
        let mut written = Vec::new();
        for (name, bytes) in files {
            let path = format!("tables/{name}");
            context.results().write(&path, &bytes)?;
            written.push(path);
        }
        context
            .results()
            .write(artefacts::FACTS, &data.facts(&context.experiment.data).to_bytes())?;
        written.push(artefacts::FACTS.to_owned());
        Ok(written)
    })
}

/// How the experiment's intervals are drawn.
fn bootstrap(context: &Context) -> Bootstrap {
    Bootstrap {
        resamples: context.experiment.measure.resamples,
        seed: context.experiment.seed,
    }
}

/// The paper's numbers beside ours, where they are asked for.
///
/// # Errors
/// None: the numbers are part of the program.
pub(super) fn comparison(context: &Context, measured: &Measured) -> Result<Option<Comparisons>> {
    let published = Published::of(&context.experiment)?;
    Ok(published.map(|published| Comparisons::new(measured, &published, bootstrap(context))))
}

/// Prints the results: the paper's table, means, and verdicts.
///
/// # Errors
/// When standard output cannot be written.
pub fn show(context: &Context, data: &DataSet, measured: &Measured) -> Result<()> {
    print(tables::paper(measured).terminal())?;
    let explained = explain::explained_images(data, &context.experiment).len();
    let energies = if explained < data.test.len() {
        format!(", energies of {explained} of them")
    } else {
        String::new()
    };
    print(format_args!(
        "* the majority class; energies are means over the images predicted + and -; {} test images{energies}\n",
        data.test.len()
    ))?;
    print(format_args!("{}\n", tables::summary(measured)))?;
    print(format_args!(
        "{}\n",
        tables::bias_reliance(measured, bootstrap(context))
    ))?;
    let faithfulness = tables::faithfulness(measured);
    if !faithfulness.is_empty() {
        print(faithfulness)?;
    }
    if let Some(comparison) = comparison(context, measured)? {
        print(format_args!("{}\n", comparison.text()))?;
    }
    print(format_args!("{}\n", tables::verdicts(measured)))
}
