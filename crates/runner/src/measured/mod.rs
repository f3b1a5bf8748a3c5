//! Everything measured of an experiment, read from its files and summed up: what tables, figures and verdicts are made of.
//!
//! | file | |
//! |---|---|
//! | `all.rs` | all that is known of all classifiers and attributes, read from a run |
//! | `measures.rs` | what is measured of one attribute, and of each classifier on it |
//! | `judged.rs` | what is said of a run over the people tested |
//! | `sample.rs` | the means as sums over people, from which intervals come |
//! | `ranked.rs` | how well scores tell the classes apart, whatever the threshold |
//! | `estimates.rs` | the means of one classifier and attribute with their intervals |
//! | `subgroups.rs` | an attribute within another one's classes |
//! | `decomposition.rs` | the difference of the two classifiers, shared out among threshold, head and features |
//! | `differences.rs` | what sets groups of predictions and classifiers apart |
//! | `reliance.rs`, `occlusion.rs`, `faithfulness.rs` | what one kind of analysis has found, group by group |
//! | `locality.rs` | how local the cells of the layers are |
//! | `interventions.rs` | what toggling an attribute in an image does to the scores |
//! | `cross_effects.rs` | of every attribute on the score of every other one |
//! | `measuring.rs` | how far it is |
//! | `predictions.rs`, `columns.rs`, `facts.rs` | what the files of the steps hold |

mod all;
mod columns;
mod cross_effects;
mod decomposition;
mod differences;
mod estimates;
mod facts;
mod faithfulness;
mod interventions;
mod judged;
mod locality;
mod measures;
mod measuring;
mod occlusion;
mod predictions;
mod ranked;
mod reliance;
mod sample;
mod subgroups;

pub use all::{Available, Measured};
pub use columns::write_columns;
pub use cross_effects::CrossEffects;
pub use decomposition::{Decomposed, DecomposedQuantity, Decomposition, PartOfDifference, arms};
pub use differences::{Difference, RelianceQuantity};
pub use estimates::{Estimates, of_class};
pub use facts::DataFacts;
pub use faithfulness::{CENTRE, Faithfulness, MEAN, MethodScores, RANDOM, SCORES, Score, Summary, method_title};
pub use interventions::toggled_score;
pub use locality::{LayerLocality, of_last_layer, of_maps};
pub use measures::{AttributeMeasures, ClassifierMeasures, Group, Measure};
pub use measuring::Measuring;
pub use occlusion::{AllBiases, Losses, Occlusion};
pub use predictions::Predictions;
pub use ranked::Ranked;
pub use reliance::Reliance;
pub use subgroups::Subgroup;
