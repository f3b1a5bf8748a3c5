//! What can go wrong while drawing.

use thiserror::Error;

/// A figure that cannot be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// There is nothing to draw.
    #[error("figure `{0}`: there is nothing to draw")]
    Empty(&'static str),
    /// Parts of the data that belong together differ in number.
    #[error("figure `{figure}`: {found} {what}, expected {expected}")]
    Mismatch {
        /// Name of the figure.
        figure: &'static str,
        /// What was counted.
        what: &'static str,
        /// Its number.
        found: usize,
        /// The number it should have.
        expected: usize,
    },
    /// The drawing library failed.
    #[error("drawing: {0}")]
    Draw(String),
    /// An image inside a figure could not be encoded.
    #[error("image in a figure: {0}")]
    Image(#[from] image::ImageError),
    /// The SVG could not be read back for conversion.
    #[error("converting a figure: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// The figure could not be rendered to this format.
    #[error("figure `{figure}` as {format}: {reason}")]
    Convert {
        /// Name of the figure.
        figure: &'static str,
        /// `PDF` or `PNG`.
        format: &'static str,
        /// What the converter said.
        reason: String,
    },
}

/// The result of drawing.
pub(super) type Result<T, E = FigureError> = std::result::Result<T, E>;

impl<E: std::error::Error + Send + Sync> From<plotters::drawing::DrawingAreaErrorKind<E>> for FigureError {
    fn from(error: plotters::drawing::DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}

/// Checks that there are items and classifiers, and of every item as many `what` as there are classifiers.
pub(super) fn one_each<T>(
    figure: &'static str,
    items: &[T],
    classifiers: &[String],
    what: &'static str,
    parts: impl Fn(&T) -> usize,
) -> Result<()> {
    if items.is_empty() || classifiers.is_empty() {
        return Err(FigureError::Empty(figure));
    }
    let expected = classifiers.len();
    match items.iter().map(parts).find(|&found| found != expected) {
        Some(found) => Err(FigureError::Mismatch {
            figure,
            what,
            found,
            expected,
        }),
        None => Ok(()),
    }
}
