//! `biascam sweep`: many runs of one experiment, and their comparison.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::data;
use crate::device::{choose_device, device_argument};
use crate::error::{Error, Result};
use crate::output::print;
use crate::request::RunOptions;
use crate::run::{self as runs, Judge};
use crate::sweep::local::{self, Outcome, Place};
use crate::sweep::state::{State, states};
use crate::sweep::{
    Plan, comparison::Comparison, cost::Experience, draw, joint, outdated, records, slurm, status, tables,
};
use pipeline::{Interrupt, Progress, StepError, describe};
use render::text::counted;

/// What to run, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The sweep: a file, or the name of one of the program's own (`biascam experiments` lists them)
    #[arg(value_name = "SWEEP")]
    pub sweep: PathBuf,
    /// Print the runs and what each will cost, and do nothing
    #[arg(long, conflicts_with_all = ["status", "compare", "slurm"])]
    pub list: bool,
    /// Print how far each run is, here and on a cluster, and do nothing
    #[arg(long, conflicts_with_all = ["compare", "slurm"])]
    pub status: bool,
    /// Make the comparison of what is finished, and run nothing
    #[arg(long, conflicts_with = "slurm")]
    pub compare: bool,
    /// Hand the runs to Slurm as one job array, and the comparison as a job after it
    #[arg(long)]
    pub slurm: bool,
    /// Runs at a time on this machine; processor threads are divided among them. Default: one for each device
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "slurm")]
    pub jobs: Option<u16>,
    /// Where and how the runs are made.
    #[command(flatten)]
    pub options: RunOptions,
}

/// Carries out the command.
///
/// # Errors
/// Those of the sweep's file, of what runs need from outside, and one that names every failed run.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut plan = Plan::load(&arguments.sweep, &arguments.options.settings)?;
    let judge = Judge::new(&arguments.options.data);
    for run in &mut plan.runs {
        judge.scale(&mut run.experiment);
    }
    let sweep = arguments.options.results.join(&plan.name);
    if arguments.list {
        let experience = Experience::collect(&plan, &judge, &arguments.options.results, &sweep);
        return print(status::list(&plan, &experience, &device(arguments)?, |data| {
            judge.sizes(data)
        }));
    }
    if arguments.status {
        return print(status::status(
            &plan,
            &states(&judge, &plan, &sweep),
            &slurm::queued(&sweep)?,
        ));
    }
    if arguments.compare {
        let states = states(&judge, &plan, &sweep);
        return concluded(&plan, &states, &sweep);
    }
    if arguments.slurm {
        return hand_in(arguments, &judge, &plan, &sweep);
    }
    let interrupt = Interrupt::listen()?;
    let devices = devices(arguments, &judge, &plan, &sweep)?;
    prepare(&plan, &arguments.options.data, &interrupt)?;
    here(arguments, &judge, &plan, &sweep, devices, &interrupt)
}

/// Looks for what the runs need from outside, and makes what they share of their data, once.
fn prepare(plan: &Plan, data: &Path, interrupt: &Interrupt) -> Result<()> {
    let mut missing: Vec<String> = Vec::new();
    for run in &plan.runs {
        for what in runs::missing(&run.experiment, data) {
            if !missing.contains(&what) {
                missing.push(what);
            }
        }
    }
    runs::refuse(&missing)?;
    for (position, run) in plan.runs.iter().enumerate() {
        let known = |other: &crate::sweep::PlannedRun| other.experiment.data == run.experiment.data;
        if !plan.runs[..position].iter().any(known) {
            data::prepare(&run.experiment.data, data, &Progress::new(), interrupt)?;
        }
    }
    Ok(())
}

/// The first device that is asked for. It need not be here, unless it is to be chosen.
fn device(arguments: &Arguments) -> Result<String> {
    match arguments.options.device.split(',').next().map(str::trim) {
        Some(name) if name != "auto" => Ok(name.to_owned()),
        _ => Ok(device_argument(&choose_device("auto")?.device)),
    }
}

/// The devices of the runs that go on at a time, one entry each. Each name is tried, and whether it computes in the precisions that runs
/// ask for, that a wrong one is not found out run by run.
fn devices(arguments: &Arguments, judge: &Judge, plan: &Plan, sweep: &Path) -> Result<Vec<String>> {
    let states = states(judge, plan, sweep);
    let to_do = |position: usize| arguments.options.fresh || !states[position].is_finished();
    let names: Vec<&str> = arguments.options.device.split(',').map(str::trim).collect();
    for name in &names {
        let device = choose_device(name)?.device;
        for (_, run) in plan.runs.iter().enumerate().filter(|(position, _)| to_do(*position)) {
            runs::arithmetic(&run.experiment, &device)?;
        }
    }
    let jobs = arguments.jobs.map_or(names.len(), usize::from);
    Ok((0..jobs).map(|job| names[job % names.len()].to_owned()).collect())
}

/// Makes the runs that are not finished, as processes on this machine, and then the comparison.
fn here(
    arguments: &Arguments,
    judge: &Judge,
    plan: &Plan,
    sweep: &Path,
    devices: Vec<String>,
    interrupt: &Interrupt,
) -> Result<()> {
    let progress = Progress::new();
    let before = states(judge, plan, sweep);
    let queued = slurm::queued(sweep)?;
    let elsewhere = |position: usize| queued.iter().any(|queued| queued.run == plan.runs[position].name);
    let to_do: Vec<usize> = (0..plan.runs.len())
        .filter(|&position| arguments.options.fresh || !before[position].is_finished())
        .filter(|&position| !elsewhere(position))
        .collect();
    let jobs = devices.len().min(to_do.len()).max(1);
    let place = Place {
        sweep: sweep.to_owned(),
        data: arguments.options.data.clone(),
        threads: (rayon::current_num_threads() / jobs).max(1),
        devices: devices.into_iter().take(jobs).collect(),
        fresh: arguments.options.fresh,
    };
    progress.say(&format!(
        "{} -> {}: {}, {} finished before{}; {jobs} at a time, {} each",
        plan.path.display(),
        sweep.display(),
        counted(plan.runs.len(), "run"),
        if arguments.options.fresh {
            0
        } else {
            before.iter().filter(|state| state.is_finished()).count()
        },
        match queued.len() {
            0 => String::new(),
            count => format!(", {count} in Slurm's queue"),
        },
        counted(place.threads, "thread"),
    ));
    outdated::remove(plan, &before, sweep, &progress)?;
    let outcomes = local::run(plan, &to_do, &place, judge, interrupt)?;
    if let Err(stopped) = interrupt.check() {
        let of = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| wanted(outcome)).count();
        progress.say(&format!(
            "{} ended, {} stopped with what they have finished kept, {} not begun",
            counted(
                of(|outcome| matches!(outcome, Outcome::Finished | Outcome::Failed(_) | Outcome::Elsewhere)),
                "run"
            ),
            of(|outcome| *outcome == Outcome::Stopped),
            of(|outcome| *outcome == Outcome::Waiting),
        ));
        return Err(stopped.into());
    }
    let after = states(judge, plan, sweep);
    concluded(plan, &after, sweep)
}

/// Compares what is finished, and ends with what is not: where the comparison fails too, both are said.
fn concluded(plan: &Plan, states: &[State], sweep: &Path) -> Result<()> {
    match (compare(plan, states, sweep), incomplete(plan, states, sweep)) {
        (Ok(()), rest) => rest,
        (Err(error), Err(rest)) if !error.is_interruption() => Err(Error::Request(format!(
            "{}; and what is finished cannot be compared: {}",
            describe(&rest),
            describe(&error)
        ))),
        (Err(error), _) => Err(error),
    }
}

/// Hands the runs that are not finished to Slurm.
fn hand_in(arguments: &Arguments, judge: &Judge, plan: &Plan, sweep: &Path) -> Result<()> {
    if arguments.options.fresh {
        return Err(Error::Request(format!(
            "--fresh --slurm: a task that is put back into the queue would begin anew each time; delete {} instead",
            sweep.display()
        )));
    }
    if arguments.options.device.contains(',') {
        return Err(Error::Request(format!(
            "--device {} --slurm: a task has one device, and Slurm chooses which of several it is; name one, such as cuda",
            arguments.options.device
        )));
    }
    let interrupt = Interrupt::listen()?;
    prepare(plan, &arguments.options.data, &interrupt)?;
    let queued = slurm::queued(sweep)?;
    let states = states(judge, plan, sweep);
    let to_do: Vec<usize> = (0..plan.runs.len())
        .filter(|&position| !matches!(states[position], State::Finished(_) | State::Running(_)))
        .filter(|&position| queued.iter().all(|queued| queued.run != plan.runs[position].name))
        .collect();
    if to_do.is_empty() {
        print("nothing to hand in: every run is finished, running or in the queue")?;
        return print(status::status(plan, &states, &queued));
    }
    let request = slurm::Request {
        plan,
        results: &arguments.options.results,
        data: &arguments.options.data,
        device: &arguments.options.device,
        settings: &arguments.options.settings,
        sweep,
    };
    // What is in the queue and not recorded would be handed in twice.
    let held = interrupt.hold();
    let [array, comparison] = request.submit(&to_do)?;
    drop(held);
    print(format_args!(
        "{} runs are Slurm's job array {array}, their comparison is job {comparison}; the same command with --status says how far they are",
        to_do.len()
    ))
}

/// Compares what is finished, and prints it.
fn compare(plan: &Plan, states: &[State], sweep: &Path) -> Result<()> {
    let records = records::read(plan, states, sweep)?;
    outdated::remove(plan, states, sweep, &Progress::new())?;
    let Some(comparison) = Comparison::of(plan, &records) else {
        return Ok(());
    };
    let joint = joint::read(plan, states, sweep)?;
    let found = draw::Found {
        records: &records,
        comparison: &comparison,
        joint: &joint,
    };
    let report = draw::write(plan, &found, states, sweep)?;
    print(tables::text(&comparison))?;
    let together = joint::sentences(&joint);
    if !together.is_empty() {
        print(together.join("\n"))?;
    }
    print(report.display())
}

/// An error that names every run that failed and counts those that nobody makes, unless there are none.
fn incomplete(plan: &Plan, states: &[State], sweep: &Path) -> Result<()> {
    let queued = slurm::queued(sweep)?;
    let mut failed = Vec::new();
    let (mut elsewhere, mut left) = (0, 0);
    for (run, state) in plan.runs.iter().zip(states) {
        match state {
            State::Finished(_) => {}
            State::Failed(reason) => failed.push(format!("- {}: {reason}", run.name)),
            State::Running(_) => elsewhere += 1,
            State::Begun | State::Waiting if queued.iter().any(|queued| queued.run == run.name) => elsewhere += 1,
            State::Begun | State::Waiting => left += 1,
        }
    }
    if failed.is_empty() && left == 0 {
        if elsewhere > 0 {
            let compared = if states.iter().any(State::is_finished) {
                "the comparison is of what is finished"
            } else {
                "nothing is finished that could be compared"
            };
            Progress::new().say(&format!(
                "{compared}: {elsewhere} runs are made elsewhere; --status says how far they are"
            ));
        }
        return Ok(());
    }
    let finished = states.iter().filter(|state| state.is_finished()).count();
    let mut message = format!("{finished} of {} runs are finished", plan.runs.len());
    if elsewhere > 0 {
        message += &format!(", {elsewhere} are made elsewhere");
    }
    if left > 0 {
        message += &format!(", {left} were not carried through");
    }
    if !failed.is_empty() {
        message += &format!(
            ", {} failed; what they said is in {}, and the same command tries them again:\n{}",
            failed.len(),
            sweep.join(crate::sweep::log::FOLDER).display(),
            failed.join("\n")
        );
        if failed.iter().any(|failure| failure.contains("--fresh")) {
            message += "\n`--fresh` makes all runs anew; to make one of them anew, delete its folder";
        }
    }
    Err(Error::Request(message))
}
