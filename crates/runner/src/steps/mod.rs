//! The steps of a run. Each is a value that holds what it reads ([`Step`]), and writes files; between two steps nothing is kept in memory
//! that is not on disk. Classifiers that share features share the passes over images ([`SharedStep`]). For each classifier NAME of the
//! experiment:
//!
//! | step | writes |
//! |---|---|
//! | `train/NAME` | `NAME/checkpoint.safetensors`, `NAME/training.parquet`; while it runs `NAME/training.jsonl`, `NAME/training.tfevents` |
//! | `training_features/NAME`, `validation_features/NAME` | `NAME/training_features.safetensors`, `NAME/validation_features.safetensors` |
//! | `predict/NAME` | `NAME/predictions.parquet`, `NAME/reference.safetensors` |
//! | `explain/NAME` | `NAME/energy.parquet`, `NAME/maps.safetensors`, on request `NAME/raw_maps.safetensors` |
//! | `occlude/NAME` | `NAME/occlusion.parquet` |
//! | `locality/NAME` | `NAME/locality.parquet`, `NAME/locality.safetensors` |
//! | `intervene/NAME` | `NAME/interventions.parquet` |
//! | `faithfulness/NAME` | `NAME/faithfulness.parquet`, `NAME/sanity.parquet` |
//! | `choose` | `chosen.parquet`, `chosen.safetensors` |
//! | `examples` | `examples.json` |
//! | `measure` | `tables/`, `data.json` |
//! | `draw` | `figures/`, `report.html` |

pub mod draw;
pub mod examples;
pub mod explain;
pub mod faithfulness;
pub mod intervene;
pub mod locality;
pub mod measure;
pub mod occlude;
mod pass;
pub mod predict;
mod reference;
mod step;
pub mod train;

pub use reference::read as read_reference;
pub use step::{SharedStep, Step, run, run_together};
