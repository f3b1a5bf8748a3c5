//! What groups of numbers tell: summaries, intervals, tests, correlations.

mod bootstrap;
mod calibration;
mod correlation;
mod holm;
mod paired;
mod pareto;
mod proportion;
mod quantile;
mod signed_rank;
mod student;
mod summary;

pub use bootstrap::{Bootstrap, CONFIDENCE, Interval};
pub use calibration::{Calibration, CalibrationBin, calibration};
pub use correlation::{Correlation, pearson, ranks, spearman, spearman_with_interval};
pub use holm::holm;
pub use paired::Paired;
pub use pareto::pareto_front;
pub use proportion::wilson;
pub use quantile::quantile;
pub use signed_rank::signed_rank_test;
pub use student::{paired_t_test, student_interval};
pub use summary::Statistics;
