//! `--dry-run`: what a run would do, why, and what it would cost.

use std::time::Duration;

use pipeline::{Forecast, Interrupt, Manifest, Progress, duration, forecast};

use super::declarations::{declarations, planned};
use super::finished::Judge;
use super::needs;
use crate::artefacts;
use crate::context::contents;
use crate::data::{Content, Place, Reading, bad_images, folder as data_folder, look};
use crate::error::Result;
use crate::experiment::{OnBadImage, load};
use crate::inputs::{Inputs, LookedAt};
use crate::output::print;
use crate::recorded::Recorded;
use crate::request::{Last, Run};

/// Says what a run up to a stage would do. Nothing is written but hashes of files.
///
/// # Errors
/// Those of the experiment's file, of what it needs from outside, and of the data set.
pub fn show(request: &Run, last: Last) -> Result<()> {
    let mut loaded = load(&request.experiment, &request.options.settings)?;
    if let Some(line) = Judge::new(&request.options.data).scale(&mut loaded.experiment) {
        print(line)?;
    }
    let experiment = &loaded.experiment;
    let folder = request
        .options
        .results
        .join(request.name.as_ref().unwrap_or(&loaded.name));
    let root = request.options.data.as_path();
    needs::refuse(&needs::missing(experiment, root))?;
    let mut manifest = match Manifest::read(&folder) {
        Err(_) if request.options.fresh => Manifest::default(),
        manifest => manifest?,
    };
    if request.options.fresh {
        manifest.forget_all();
    }
    let (contents, progress, interrupt) = (contents(root, request.verify), Progress::new(), Interrupt::listen()?);
    let place = Place {
        root,
        progress: &progress,
        interrupt: &interrupt,
    };
    let Some(mut data) = look(&experiment.data, &place)? else {
        return print(format_args!(
            "{:24} drawn first: {} is not there; what would run on it is known then",
            "data",
            data_folder(&experiment.data, root).display()
        ));
    };
    let reading = Reading {
        contents: &contents,
        progress: &progress,
        interrupt: &interrupt,
    };
    if experiment.data.on_bad_image == OnBadImage::Skip {
        let recorded = Recorded {
            experiment,
            manifest: &manifest,
            folder: &folder,
        };
        match bad_images::known(&recorded, &data, reading)? {
            Some(bad) => data.leave_out(bad)?,
            None => print(format_args!(
                "{:24} every image would be read; what is left out is not known yet",
                bad_images::STEP
            ))?,
        }
    }
    let content = Content::of(&data, &data.facts(&experiment.data), reading)?;
    let looked_at = LookedAt {
        data: &data,
        content: &content,
    };
    let inputs = Inputs::of(experiment, looked_at, root, &contents)?;
    let forecasts = forecast(&manifest, &folder, &contents, &declarations(&inputs, last)?)?;
    let planned = planned(&inputs)?;
    for step in manifest.stages.keys().filter(|step| !planned.contains(*step)) {
        print(format_args!(
            "{step:24} of an earlier plan: its files would be put aside"
        ))?;
    }
    for one in &forecasts {
        print(line(one))?;
    }
    for name in experiment.classifiers.keys() {
        if folder.join(artefacts::unfinished(name)).is_file() {
            print(format_args!(
                "{name}: an unfinished training is there; it would be gone on with if it is the same, and else replaced"
            ))?;
        }
    }
    print(sum(&forecasts))
}

fn line(forecast: &Forecast) -> String {
    let Forecast { step, reason, seconds } = forecast;
    match reason {
        None => format!("{step:24} unchanged"),
        Some(reason) => format!("{step:24} {reason}; {}", cost(*seconds)),
    }
}

fn cost(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("took {}", duration(Duration::from_secs_f64(seconds.max(0.0)))),
        None => "time not known".to_owned(),
    }
}

fn sum(forecasts: &[Forecast]) -> String {
    let runs: Vec<&Forecast> = forecasts.iter().filter(|one| one.reason.is_some()).collect();
    let known: f64 = runs.iter().filter_map(|one| one.seconds).sum();
    let unknown = runs.iter().filter(|one| one.seconds.is_none()).count();
    let cost = match (runs.len(), unknown) {
        (0, _) => String::new(),
        (_, 0) => format!(", which {} the last time", cost(Some(known))),
        (all, unknown) if all == unknown => ", time not known".to_owned(),
        _ => format!(
            ", of which {unknown} never ran and the others {} the last time",
            cost(Some(known))
        ),
    };
    format!("{} of {} steps would run{cost}", runs.len(), forecasts.len())
}

#[cfg(test)]
mod tests {
    use pipeline::{Change, Reason};

    use super::*;

    #[test]
    fn the_cost_is_that_of_the_last_time() {
        let forecast = |runs: bool, seconds: Option<f64>| Forecast {
            step: "train/a".to_owned(),
            reason: Reason::with(None, if runs { vec![Change::FirstRun] } else { Vec::new() }),
            seconds,
        };
        let (idle, known, unknown) = (
            forecast(false, Some(9.0)),
            forecast(true, Some(3.0)),
            forecast(true, None),
        );
        assert_eq!(line(&idle), "train/a                  unchanged");
        assert_eq!(line(&known), "train/a                  first run; took 3.0 s");
        assert_eq!(line(&unknown), "train/a                  first run; time not known");
        assert_eq!(sum(std::slice::from_ref(&idle)), "0 of 1 steps would run");
        assert_eq!(
            sum(&[idle, known.clone(), known.clone()]),
            "2 of 3 steps would run, which took 6.0 s the last time"
        );
        assert_eq!(
            sum(std::slice::from_ref(&unknown)),
            "1 of 1 steps would run, time not known"
        );
        assert_eq!(
            sum(&[unknown, known]),
            "2 of 2 steps would run, of which 1 never ran and the others took 3.0 s the last time"
        );
    }
}
