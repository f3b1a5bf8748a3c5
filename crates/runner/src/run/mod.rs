//! A run: the steps of an experiment in their order, or what they would do, or whether they have been done.
//!
//! | file | |
//! |---|---|
//! | `needs.rs` | what it needs from outside |
//! | `declarations.rs` | what all of its steps read |
//! | `execute.rs` | carrying it out |
//! | `redraw.rs` | drawing a results folder again, from its files alone |
//! | `replace.rs` | asks before finished results are replaced because a `--set` is another |
//! | `forecast.rs` | `--dry-run` |
//! | `sources.rs` | whether results are of the same data set and weights, where those cannot be looked at |
//! | `finished.rs` | whether a results folder already holds its results, for sweeps |

mod declarations;
mod execute;
mod finished;
mod forecast;
mod needs;
mod redraw;
mod replace;
mod sources;

pub use execute::{execute, execute_among};
pub use finished::Judge;
pub use needs::{arithmetic, missing, missing_data, refuse};
