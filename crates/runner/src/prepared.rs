//! How a classifier's images were made: in its checkpoint, and in words.

use std::fmt;

use dataset::{Fit, Framing, Preparation};
use model::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The checkpoint's entry that holds [`Recorded`] as JSON.
const KEY: &str = "images";
/// The entry of checkpoints that know no more than the images' size.
const SIZE_ONLY: &str = "image_size";
/// Version of [`Recorded`]'s form.
const VERSION: u32 = 1;

/// A [`Preparation`] as a checkpoint holds it.
#[derive(Serialize, Deserialize)]
struct Recorded {
    version: u32,
    size: usize,
    framing: Framing,
    upright: bool,
}

/// What a checkpoint says of its images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// All of it.
    All(Preparation),
    /// No more than the size, as checkpoints of earlier versions.
    Size(usize),
    /// Nothing.
    Nothing,
}

impl Known {
    /// The side of the images in pixels.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::All(preparation) => Some(preparation.size),
            Self::Size(size) => Some(*size),
            Self::Nothing => None,
        }
    }

    /// All that is known.
    pub fn preparation(&self) -> Option<Preparation> {
        match self {
            Self::All(preparation) => Some(*preparation),
            Self::Size(_) | Self::Nothing => None,
        }
    }
}

/// Writes down how a classifier's images are made.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn record(checkpoint: &mut Checkpoint, preparation: &Preparation) -> Result<()> {
    let Preparation { size, framing, upright } = *preparation;
    let recorded = Recorded {
        version: VERSION,
        size,
        framing,
        upright,
    };
    let text = serde_json::to_string(&recorded)
        .map_err(|error| Error::Request(format!("how images are made cannot be written down: {error}")))?;
    checkpoint.metadata.remove(SIZE_ONLY);
    checkpoint.metadata.insert(KEY.to_owned(), text);
    Ok(())
}

/// What a checkpoint says of its images.
///
/// # Errors
/// When it says it in a form that this program does not know, or says what cannot be.
pub fn recorded(checkpoint: &Checkpoint) -> std::result::Result<Known, String> {
    let Some(text) = checkpoint.metadata.get(KEY) else {
        let size = checkpoint.metadata.get(SIZE_ONLY).and_then(|size| size.parse().ok());
        return Ok(size.filter(|&size| size > 0).map_or(Known::Nothing, Known::Size));
    };
    let fault =
        |why: String| format!("what it says of its images cannot be used: {why}; train it again with this version");
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let version = serde_json::from_str(text).map(|Versioned { version }| version);
    match version.map_err(|error| fault(error.to_string()))? {
        VERSION => (),
        other => {
            return Err(fault(format!(
                "it is of version {other}, and this program reads version {VERSION}"
            )));
        }
    }
    let recorded: Recorded = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
    if recorded.size == 0 {
        return Err(fault("images of 0 pixels".to_owned()));
    }
    Ok(Known::All(Preparation {
        size: recorded.size,
        framing: recorded.framing,
        upright: recorded.upright,
    }))
}

/// Whether an entry of a checkpoint's metadata is one of those that [`recorded`] reads.
pub fn is_entry(key: &str) -> bool {
    [KEY, SIZE_ONLY].contains(&key)
}

/// A [`Framing`] in words that follow "images are ".
pub struct InWords(pub Framing);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Framing::Landmarks(reference) => {
                let [x, y] = reference.eye_middle;
                write!(
                    f,
                    "aligned by the landmarks of the face (eyes at {x}, {y} of the square, its side {} times the way from eyes to mouth)",
                    reference.side
                )
            }
            Framing::Celeba => f.write_str(
                "cut as CelebA's are, which are 178 x 218 pixels (others are cropped to their middle square)",
            ),
            Framing::Fit(Fit::Crop) => f.write_str("cropped to their middle square"),
            Framing::Fit(Fit::Pad) => f.write_str("padded to a square"),
            Framing::Fit(Fit::Stretch) => f.write_str("stretched to a square"),
        }
    }
}

/// All of a [`Preparation`] in words.
pub fn in_words(preparation: &Preparation) -> String {
    let Preparation { size, framing, upright } = preparation;
    let turned = if *upright {
        ""
    } else {
        ", and not turned by what EXIF says of their orientation"
    };
    format!("{size} x {size} pixels, {}{turned}", InWords(*framing))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use dataset::FaceReference;
    use model::{Architecture, Network};

    use super::*;

    fn checkpoint() -> Checkpoint {
        let mut architecture = Architecture::preset("resnet18").expect("a preset").with_width(2);
        architecture.stages.truncate(1);
        let network = Network::new(&architecture, 1, 1, &Device::Cpu).expect("a network");
        Checkpoint::of(&network, &["a".to_owned()]).expect("a checkpoint")
    }

    #[test]
    fn what_is_recorded_is_read() {
        for framing in [
            Framing::Landmarks(FaceReference::default()),
            Framing::Celeba,
            Framing::Fit(Fit::Pad),
            Framing::Fit(Fit::Stretch),
        ] {
            let preparation = Preparation {
                size: 64,
                framing,
                upright: framing != Framing::Celeba,
            };
            let mut checkpoint = checkpoint();
            record(&mut checkpoint, &preparation).expect("recorded");
            let bytes = checkpoint.to_bytes().expect("bytes");
            let read = Checkpoint::from_bytes(&bytes).expect("ours");
            assert_eq!(recorded(&read), Ok(Known::All(preparation)));
        }
    }

    #[test]
    fn older_and_newer_checkpoints_are_told_apart() {
        let mut old = checkpoint();
        assert_eq!(recorded(&old), Ok(Known::Nothing));
        old.metadata.insert(SIZE_ONLY.to_owned(), "112".to_owned());
        assert_eq!(recorded(&old), Ok(Known::Size(112)));
        for (text, expected) in [
            (r#"{"version": 2, "side": 64}"#, "version 2"),
            (
                r#"{"version": 1, "size": 64, "framing": "tilted", "upright": true}"#,
                "tilted",
            ),
            (
                r#"{"version": 1, "size": 0, "framing": "celeba", "upright": true}"#,
                "0 pixels",
            ),
            ("64", "cannot be used"),
        ] {
            old.metadata.insert(KEY.to_owned(), text.to_owned());
            let message = recorded(&old).expect_err(text);
            assert!(message.contains(expected), "{message}");
        }
    }
}
