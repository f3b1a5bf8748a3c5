//! What the paper measures, on plain slices: error rates per class and the share of a map's energy inside a region.
//!
//! Scores are the logits of binary attributes (positive iff `score >= 0`, so `-0.0` is positive too), labels are `+1`, `-1`, or
//! `0` for "not annotated"; maps are non-negative, row-major and square. An empty group has no mean: it is `None`, never `0`;
//! [`paper_convention`] gives the zero that the paper's table prints there.
//!
//! ```
//! use metrics::{CellBox, Class, Grid, error_rates, localisation};
//!
//! let rates = error_rates(&[2.0_f32, -0.5, -1.0, 0.0], &[1_i8, 1, -1, -1])?;
//! assert_eq!(rates.false_negative_rate(), Some(0.5));
//! assert_eq!(rates.rate(Class::Negative), Some(0.5)); // a score of 0 counts as positive
//!
//! // The left column of a 2 x 2 grid, over a map of 4 x 4 pixels that is active in the top row only.
//! let grid = Grid::new(2, &[CellBox { rows: [0, 2], columns: [0, 1] }], &[])?;
//! let region = grid.region(4);
//! let mut map = [0.0_f32; 16];
//! map[..4].copy_from_slice(&[3.0, 0.0, 1.0, 0.0]);
//! let measured = localisation(&map, &region)?;
//! assert_eq!(measured.energy, Some(0.75));
//! assert_eq!(measured.mask_ratio, Some(0.5));
//! assert_eq!(localisation(&[0.0; 16], &region)?.energy, None); // a map without energy has no share of it
//! # Ok::<(), metrics::Error>(())
//! ```
//!
//! Source of the definitions: Zhang, Bieri, Günther, *Biased Binary Attribute Classifiers Ignore the Majority Classes*, 2024, and
//! the authors' published evaluation code.

mod audit;
mod claims;
mod class;
mod decomposition;
mod error;
mod faithfulness;
mod filter;
mod inference;
mod occlusion;
mod outcome;
mod perturbation;
mod ranking;
mod rates;
mod region;
mod reliance;
mod statistics;

pub use audit::{
    AgainstArea, Grim, OperatingPoint, ThresholdGain, against_area, grim, spearman_over_groups, threshold_gain,
};
pub use claims::{
    AttributeEvidence, Claim, ClassifierEvidence, Described, Finding, Grounds, MIN_SAMPLES, Mean, RULE, described,
    findings,
};
pub use class::{Class, table_order};
pub use decomposition::{Arm, Part};
pub use error::Error;
pub use faithfulness::{
    ARCC_PERCENTILES, ROAD_PERCENTILES, Sensitivity, arcc, attention_iou, coherency, complexity, curve_area,
    patch_correlation, patch_means, pointing_game, relative_change, relevance_order, relevance_order_with,
    removed_pixels, road_combined, sensitivity, structural_similarity,
};
pub use filter::Filter;
pub use inference::{
    AttributeCounts, Cell, Estimate, IntervalMethod, Judged, Judgement, OverSeeds, People, Ratios, Resampled, judge,
    over_seeds, rate_interval,
};
pub use occlusion::Occluded;
pub use outcome::Outcome;
pub use perturbation::{Fill, Hole, IMPUTATION_NOISE, Imputer, blurred, mixed, noisy_linear_imputation};
pub use ranking::{Calibrated, Discrimination, Half, Ranking, d_prime, halves, ideal_error};
pub use rates::{ErrorRates, error_rates, error_rates_by_attribute};
pub use region::{
    Active, CellBox, Footprint, Grid, Localisation, Region, localisation, paper_convention, pixel_auroc,
    proportional_energy, relevance_rank_accuracy, top_k_intersection,
};
pub use reliance::{BiasReliance, Evidence, bias_reliance};
pub use statistics::{
    Bootstrap, CONFIDENCE, Calibration, CalibrationBin, Correlation, Interval, Paired, Statistics, calibration, holm,
    paired_t_test, pareto_front, pearson, quantile, ranks, signed_rank_test, spearman, spearman_with_interval,
    student_interval, wilson,
};
