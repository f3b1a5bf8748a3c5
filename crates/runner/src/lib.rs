//! The program `biascam`: experiments in YAML, from images to tables, figures and a report.
//!
//! A run resolves one [`experiment::Experiment`] and takes it through its [`steps`], each of which reads and writes
//! files in one results folder ([`pipeline`]). Only this crate reads YAML ([`yaml`]), prints, and exits.

pub mod artefacts;
pub mod citation;
pub mod cli;
pub mod command_line;
pub mod commands;
pub mod context;
pub mod data;
pub mod device;
pub mod error;
pub mod experiment;
pub mod file_names;
pub mod hub;
pub mod included;
pub mod inputs;
pub mod letters;
pub mod measured;
pub mod output;
pub mod picture;
pub mod prepared;
pub mod published;
pub mod recorded;
pub mod regions;
pub mod request;
pub mod run;
pub mod steps;
pub mod sweep;
pub mod tables;
pub mod weights;
pub mod yaml;
