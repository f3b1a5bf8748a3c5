//! The data set of a run.

use crate::data::{Content, DataSet};

/// A data set, and what its files hold.
#[derive(Clone, Copy)]
pub struct LookedAt<'a> {
    /// The data set.
    pub data: &'a DataSet,
    /// What its files hold.
    pub content: &'a Content,
}
