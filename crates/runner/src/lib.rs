//! The program `biascam`: experiments in YAML, from images to tables, figures and a report.
//!
//! A run resolves one [`experiment::Experiment`] and takes it through the [`stages`], each of which reads and writes
//! files in one results folder ([`pipeline`]). Only this crate reads YAML ([`yaml`]), prints, and exits.

pub mod artefacts;
pub mod citation;
pub mod cli;
pub mod commands;
pub mod context;
pub mod device;
pub mod error;
pub mod experiment;
pub mod generate;
pub mod hub;
pub mod measured;
pub mod output;
pub mod published;
pub mod regions;
pub mod request;
pub mod stages;
pub mod sweep;
pub mod tables;
pub mod tfevents;
pub mod weights;
pub mod yaml;
