//! The measurement stage: tables and verdicts from predictions and energies.

use metrics::Bootstrap;

use super::DataSet;
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, Figures, Report};
use crate::measured::Measured;
use crate::output::print;
use crate::pipeline::{Key, Manifest};
use crate::published::Published;
use crate::tables::{self, Comparisons};

/// Bumped when tables, figures or report come out otherwise from the same numbers: they alone are made anew, in seconds.
const LOOK_VERSION: u32 = 2;

/// The key part that every stage shares that reads all classifiers' results.
pub fn results_key(experiment: &Experiment, manifest: &Manifest) -> Key {
    let stages: Vec<String> = experiment
        .classifiers
        .keys()
        .flat_map(|name| ["predict", "explain", "occlude", "faithfulness"].map(|stage| format!("{stage}/{name}")))
        .collect();
    // How figures look and what the report shows changes no number.
    let deciding = Experiment {
        figures: Figures::default(),
        report: Report::default(),
        training: experiment.training.deciding(),
        ..experiment.clone()
    };
    Key::default()
        .settings(&LOOK_VERSION)
        .settings(&deciding)
        .text(&manifest.data)
        .stages(manifest, stages.iter().map(String::as_str))
}

/// Runs the stage.
///
/// # Errors
/// Those of writing.
pub fn run(context: &Context, data: &DataSet, measured: &Measured) -> Result<()> {
    let comparison = comparison(context, measured)?;
    let key = results_key(&context.experiment, &context.manifest());
    context.workspace.stage("measure", key, || {
        let files = tables::files(measured, bootstrap(context), comparison.as_ref())
            .map_err(Error::table(&context.results().join("tables")))?;
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
    print(tables::text(measured))?;
    let explained = super::explain::explained_images(data, &context.experiment).len();
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
