//! The tables of a run, as text, Markdown, LaTeX, CSV and Parquet.

mod beside_the_paper;
mod bias_reliance;
mod claims;
mod decomposition;
mod faithfulness;
mod files;
mod interventions;
mod locality;
mod occlusion;
mod paper;
mod statistics;
mod subgroups;
mod table;

pub use beside_the_paper::{Agreement, BesideThePaper, PublishedNumber};
pub use bias_reliance::text as bias_reliance;
pub use claims::{caution, verdicts};
pub use decomposition::{sentences, short as decomposition_in_short, text as decomposition};
pub use faithfulness::text as faithfulness;
pub use files::files;
pub use interventions::in_short as interventions_in_short;
pub use locality::{in_short as locality_in_short, note as locality_note};
pub use paper::{means, short as paper, summary};
pub use subgroups::short as subgroups_in_short;
pub(crate) use table::Table;
