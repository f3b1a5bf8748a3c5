//! What can go wrong.

/// Why something cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// Pixels, or values for pixels, in another number than a picture of its side has.
    #[error("{what}: shape [{found}], expected {expected} values")]
    Pixels {
        /// Of what.
        what: &'static str,
        /// Their number.
        found: usize,
        /// The number there should be.
        expected: usize,
    },
    /// No colour map has this name.
    #[error("`{name}` is not a colour map; known: {known}")]
    UnknownColourMap {
        /// The name.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// A table could not be written as a file.
    #[error("writing a table: {0}")]
    Sheet(#[from] disk::TableError),
}

/// What everything here returns that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl<E: std::error::Error + Send + Sync> From<plotters::drawing::DrawingAreaErrorKind<E>> for Error {
    fn from(error: plotters::drawing::DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}
