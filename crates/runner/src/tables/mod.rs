//! The tables of a run, as text, Markdown, LaTeX, CSV and Parquet.

mod bias_reliance;
mod claims;
mod comparison;
mod faithfulness;
mod files;
mod occlusion;
mod paper;
mod statistics;
mod table;

pub use bias_reliance::text as bias_reliance;
pub use claims::verdicts;
pub use comparison::{Agreement, Comparison, Comparisons};
pub use faithfulness::text as faithfulness;
pub use files::files;
pub use paper::{means, short as paper, summary};
pub(crate) use table::Table;
