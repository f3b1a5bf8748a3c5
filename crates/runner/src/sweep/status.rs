//! What `--list` and `--status` print.

use std::time::Duration;

use super::Plan;
use super::cost::{Cost, Experience};
use super::slurm::Queued;
use super::state::State;
use crate::experiment::{DataSettings, DataSource};
use pipeline::duration;
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::counted;

/// The runs and what each will cost on a device.
pub fn list(
    plan: &Plan,
    experience: &[Experience],
    device: &str,
    sizes: impl Fn(&DataSettings) -> Option<[usize; 2]>,
) -> String {
    let mut counted_sets: Vec<(&DataSettings, Option<[usize; 2]>)> = Vec::new();
    let mut whole = Some(Duration::ZERO);
    let mut steps = Some(0);
    let count = |count: Option<usize>| count.map_or(Cell::Absent, Cell::count);
    let rows: Vec<Vec<Cell>> = plan
        .runs
        .iter()
        .map(|run| {
            let data = &run.experiment.data;
            let known = counted_sets
                .iter()
                .find(|(known, _)| *known == data)
                .map(|(_, sizes)| *sizes);
            let size = known.unwrap_or_else(|| {
                // Of other sources the settings say it.
                let size = (data.source == DataSource::Table).then(|| sizes(data)).flatten();
                counted_sets.push((data, size));
                size
            });
            let cost = Cost::on(&run.experiment, size);
            let time = Experience::time(experience, run, device);
            whole = whole.zip(time).map(|(sum, time)| sum + time);
            steps = steps.zip(cost.steps).map(|(sum, steps)| sum + steps);
            vec![
                Cell::from(run.name.as_str()),
                count(cost.images),
                Cell::count(cost.epochs),
                count(cost.steps),
                time.map_or(Cell::Absent, |time| Cell::from(duration(time))),
            ]
        })
        .collect();
    let steps = steps.map_or_else(String::new, |steps| format!(", {}", counted(steps, "step")));
    let time = match whole {
        Some(time) => format!(
            "about {} one after the other, after how long finished runs took",
            duration(time)
        ),
        None => "no time can be estimated before a run like them is finished".to_owned(),
    };
    let shared = if plan.points.len() > plan.runs.len() {
        format!(
            "\n{} points of the sweep: {} share a run with another, being the same training.",
            plan.points.len(),
            plan.points.len() - plan.runs.len()
        )
    } else {
        String::new()
    };
    let sheet = Sheet {
        columns: vec![
            Column::new("run", Unit::Text),
            Column::new("images", Unit::Count),
            Column::new("epochs", Unit::Count),
            Column::new("steps", Unit::Count),
            Column::new("estimated time", Unit::Text),
        ],
        rows,
        ..Sheet::default()
    };
    format!(
        "{}\n{}{steps}; {time}.{shared}",
        sheet.terminal(),
        counted(plan.runs.len(), "run")
    )
}

/// How far each run is.
pub fn status(plan: &Plan, states: &[State], queued: &[Queued]) -> String {
    let mut counts = [0_usize; 4];
    let width = plan.runs.iter().map(|run| run.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (run, state) in plan.runs.iter().zip(states) {
        let job = queued.iter().find(|queued| queued.run == run.name);
        let (kind, word) = match (state, job) {
            (State::Finished(time), _) => (0, format!("finished, {}", duration(*time))),
            (State::Running(holder), None) => (1, format!("running, {}", process_of(holder))),
            (_, Some(job)) => (1, format!("Slurm {}: {}", job.job, job.state)),
            (State::Failed(reason), None) => (2, format!("failed: {}", first_line(reason))),
            (State::Begun, None) => (3, "begun, goes on from where it is".to_owned()),
            (State::Waiting, None) => (3, "not begun".to_owned()),
        };
        counts[kind] += 1;
        lines.push(format!("{:width$}  {word}", run.name));
    }
    let [finished, going, failed, left] = counts;
    lines.push(format!(
        "{}: {finished} finished, {going} running or in the queue, {failed} failed, {left} to do.",
        counted(plan.runs.len(), "run")
    ));
    lines.join("\n")
}

/// `process 12: biascam measure ...` without the command, which the row's name already says.
fn process_of(holder: &str) -> &str {
    holder
        .split(':')
        .next()
        .filter(|word| !word.is_empty())
        .unwrap_or("by an unknown process")
}

/// As much of a reason as fits a table.
pub fn first_line(reason: &str) -> String {
    const LONGEST: usize = 120;
    let line = reason.lines().next().unwrap_or_default();
    if line.chars().count() > LONGEST {
        line.chars().take(LONGEST).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}
