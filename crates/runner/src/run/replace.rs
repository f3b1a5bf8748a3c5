//! Results that a changed setting would replace: said, and left to whoever asked for the run.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stdin};
use std::time::Duration;

use pipeline::{Declaration, changed, duration, to_stderr};

use super::declarations::declarations;
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, RegionSource, load};
use crate::inputs::Inputs;
use crate::request::{Last, Run};
use crate::steps::{draw, examples};

/// What is made again from results in seconds is none that could be lost.
const OF_DRAWING: [&str; 3] = [examples::CHOOSE, examples::BROWSE, draw::STEP];
/// Settings that decide how results look, not what they are.
const OF_LOOKS: [&str; 3] = ["figures.", "report.", "measure.published"];
/// Settings and steps that are named; of more it is said how many.
const NAMED: usize = 4;

/// Refuses a run that would replace finished results because a `--set` is another than when they were made, unless `--replace` or
/// `--fresh` says so, or somebody at a terminal does. An edited experiment is no such case, and neither is a newer program.
///
/// # Errors
/// Names what would be replaced, and the ways out.
pub fn refuse_unasked(context: &Context, inputs: &Inputs<'_>, request: &Run, last: Last) -> Result<()> {
    let manifest = context.manifest();
    let by_setting = !request.options.settings.is_empty() || manifest.command.iter().any(|word| word == "--set");
    if request.replace || request.options.fresh || !by_setting {
        return Ok(());
    }
    let Ok(mut before) = load(&context.results().join(artefacts::EXPERIMENT), &[]) else {
        return Ok(());
    };
    // A results folder keeps the file that it used: what is in it is compared by the steps.
    let regions = (&before.experiment.measure.regions, &context.experiment.measure.regions);
    if let (Some(RegionSource::File(_)), Some(RegionSource::File(_))) = regions {
        before
            .experiment
            .measure
            .regions
            .clone_from(&context.experiment.measure.regions);
    }
    let differences = differences(&before.experiment, &context.experiment);
    if differences.is_empty() {
        return Ok(());
    }
    let mut steps = Vec::new();
    let mut seconds = 0.0;
    for declaration in declarations(inputs, last)? {
        let step = declaration.step();
        let finished = manifest.stages.get(step).filter(|record| record.version > 0);
        let (Some(record), false) = (finished, OF_DRAWING.contains(&step)) else {
            continue;
        };
        if changed(&manifest, &declaration).is_some_and(|reason| reason.is_of_another_plan()) {
            seconds += record.seconds;
            steps.push(step.to_owned());
        }
    }
    if steps.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} holds finished results of other settings ({}). This run would replace those of {}, which took {}, and what is made of them",
        context.results().path().display(),
        listed(&differences),
        listed(&steps),
        duration(Duration::from_secs_f64(seconds.max(0.0))),
    );
    if stdin().is_terminal() && std::io::stderr().is_terminal() {
        to_stderr(format_args!("{message}. Replace them? [y/N]"));
        let mut answer = String::new();
        // What cannot be read is no yes.
        stdin().read_line(&mut answer).ok();
        if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            return Ok(());
        }
    }
    Err(Error::Request(format!(
        "{message}. `--name NAME` puts the new results into a folder of their own beside it; `--replace` replaces; `--dry-run` says what would run, \
         step by step"
    )))
}

/// What is set otherwise, but for how results look: `training.epochs 8 -> 2`.
fn differences(before: &Experiment, now: &Experiment) -> Vec<String> {
    let settings = |experiment: &Experiment| {
        let declaration = Declaration::of("all", 1).settings("", experiment);
        declaration.reads(&BTreeMap::new()).settings
    };
    let (before, now) = (settings(before), settings(now));
    let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .filter(|key| !OF_LOOKS.iter().any(|start| key.starts_with(start)))
        .map(|key| {
            let value =
                |settings: &BTreeMap<String, String>| settings.get(key).map_or("nothing", |value| value).to_owned();
            let key = key.trim_start_matches('.');
            format!("{key} {} -> {}", value(&before), value(&now))
        })
        .collect()
}

fn listed(all: &[String]) -> String {
    let named = all
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_decides_results_is_a_difference() {
        let before: Experiment = serde_json::from_str(r#"{"data": {"source": "procedural"}}"#).expect("an experiment");
        let mut now = before.clone();
        now.figures.resolution = 100;
        now.measure.published = Some(true);
        assert!(differences(&before, &now).is_empty());
        now.training.epochs = before.training.epochs + 1;
        let said = differences(&before, &now);
        assert_eq!(
            said,
            [format!(
                "training.epochs {} -> {}",
                before.training.epochs, now.training.epochs
            )]
        );
    }

    #[test]
    fn many_are_counted() {
        let all: Vec<String> = (0..6).map(|number| number.to_string()).collect();
        assert_eq!(listed(&all), "0, 1, 2, 3 and 2 more");
        assert_eq!(listed(&all[..2]), "0, 1");
    }
}
