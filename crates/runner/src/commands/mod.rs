//! The commands beside the steps of a run.

pub mod audit;
pub mod benchmark_maps;
pub mod check;
pub mod data;
pub mod experiments;
pub mod explain_images;
pub mod fetch;
pub mod inspect;
pub mod measure_scores;
pub mod report;
pub mod schema;
pub mod scored;
pub mod shell;
pub mod sweep;
