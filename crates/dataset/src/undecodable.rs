//! Why the bytes of a file are no picture.

use image::ImageError;

/// The most pixels of a picture that is read: beyond any camera, and 0.75 GB.
pub(crate) const MOST_PIXELS: u64 = 250_000_000;

/// Why bytes are no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Undecodable {
    /// There are none.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// Of a format that is not read.
    #[error("it is {what}, {}", FORMATS)]
    Format {
        /// What the bytes are, with its article.
        what: &'static str,
    },
    /// A text.
    #[error("it is no picture but {what}")]
    Text {
        /// What the bytes are, with its article.
        what: &'static str,
    },
    /// Of no known format.
    #[error("its first bytes are those of no known format; {}", FORMATS)]
    Unknown,
    /// More pixels than are read.
    #[error(
        "it has {width} x {height} pixels ({} megapixels), at most {} megapixels are read; scale it down",
        (u64::from(*width) * u64::from(*height)).div_ceil(1_000_000),
        MOST_PIXELS / 1_000_000
    )]
    TooLarge {
        /// Of the picture.
        width: u32,
        /// Of the picture.
        height: u32,
    },
    /// More pixels than the file can hold.
    #[error(
        "its header declares {width} x {height} pixels, which a file of {bytes} bytes cannot hold: it is damaged or cut off"
    )]
    NotHeld {
        /// Of the picture, by the header.
        width: u32,
        /// Of the picture, by the header.
        height: u32,
        /// Of the file.
        bytes: usize,
    },
    /// The rest is missing.
    #[error("the file ends before the picture does: was the download or the copy cut off?")]
    CutOff,
    /// Not as the format demands.
    #[error("the file is damaged, or of a rare kind; opening it in a picture editor and saving it as PNG may help")]
    Damaged {
        /// The decoder's reason.
        source: ImageError,
    },
}

const FORMATS: &str =
    "expected JPEG, PNG, WebP, GIF or BMP; picture editors and ImageMagick (`magick FILE FILE.png`) convert to PNG";

impl From<ImageError> for Undecodable {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::CutOff,
            source => Self::Damaged { source },
        }
    }
}
