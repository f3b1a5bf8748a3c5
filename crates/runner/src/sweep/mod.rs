//! Sweeps: one experiment under many settings and seeds, and one comparison of the results.
//!
//! A sweep file names an experiment and what of it varies ([`mod@file`]). It is expanded into points and checked whole
//! ([`Plan`]) before anything starts. Each point is made by one run, an ordinary run of the program in
//! `results/SWEEP/RUN/`, either as a child process here ([`local`]) or as a task of a Slurm job array ([`slurm`]). What is done is
//! read from the results folders alone ([`state`]), so that a sweep may be begun in one place and ended in another. From the
//! tables of the finished runs comes the comparison ([`records`], [`comparison`], [`tables`], [`draw`]), and what the seeds of a setting say
//! together ([`joint`]).

pub mod comparison;
pub mod cost;
pub mod draw;
mod equivalence;
pub mod file;
pub mod joint;
pub mod local;
pub mod log;
mod names;
mod ordered;
pub mod outdated;
mod plan;
mod points;
pub mod records;
mod screen;
pub mod slurm;
pub mod state;
pub mod status;
pub mod tables;

pub use file::{is_sweep, schema};
pub use plan::{Plan, PlannedPoint, PlannedRun};
pub use points::Choice;

/// The folder of the comparison, in a sweep's results folder. No run has its name: those have a `-`.
pub const COMPARISON: &str = "comparison";
/// Its page.
const REPORT: &str = "report.html";
