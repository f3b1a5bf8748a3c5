//! Whether the parts of a figure's data belong together.

use crate::error::{Error, Result};

/// Checks that there are items and classifiers, and of every item as many `what` as there are classifiers.
pub(super) fn one_each<T>(
    figure: &'static str,
    items: &[T],
    classifiers: &[String],
    what: &'static str,
    parts: impl Fn(&T) -> usize,
) -> Result<()> {
    if items.is_empty() || classifiers.is_empty() {
        return Err(Error::Empty(figure));
    }
    let expected = classifiers.len();
    match items.iter().map(parts).find(|&found| found != expected) {
        Some(found) => Err(Error::Mismatch {
            figure,
            what,
            found,
            expected,
        }),
        None => Ok(()),
    }
}
