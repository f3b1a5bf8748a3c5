//! How pictures become the squares that the network sees: as those did that it was trained on, unless an option says otherwise.

use std::path::Path;

use dataset::{FaceReference, Fit, Framing, Landmarks, Preparation};

use super::arguments::Arguments;
use super::network::Loaded;
use crate::error::{Error, Result};
use crate::prepared::{InWords, Known};

/// Side of pictures whose network does not say at which size it was trained: ImageNet's.
const DEFAULT_SIZE: usize = 224;

/// Beyond it a batch of features fills a computer's memory.
const LARGEST_SIZE: usize = 4096;

/// What is done to pictures, and what is to be said of it.
///
/// # Errors
/// When an option has a value that is none.
pub fn of(arguments: &Arguments, loaded: &Loaded) -> Result<(Preparation, Vec<String>)> {
    let asked = arguments.fit.as_deref().map(framing).transpose()?;
    if let Some(size) = arguments.size.filter(|size| !(1..=LARGEST_SIZE).contains(size)) {
        return Err(Error::Request(format!(
            "--size: {size}, expected 1 to {LARGEST_SIZE} pixels"
        )));
    }
    Ok(choose(
        arguments.size,
        asked,
        arguments.landmarks.is_some(),
        loaded.images,
        loaded.is_ours,
    ))
}

fn framing(name: &str) -> Result<Framing> {
    match name {
        "crop" => Ok(Framing::Fit(Fit::Crop)),
        "pad" => Ok(Framing::Fit(Fit::Pad)),
        "stretch" => Ok(Framing::Fit(Fit::Stretch)),
        "celeba" => Ok(Framing::Celeba),
        _ => Err(Error::Request(format!(
            "--fit: `{name}` is unknown; known: crop, pad, stretch, celeba"
        ))),
    }
}

fn choose(
    size: Option<usize>,
    asked: Option<Framing>,
    has_landmarks: bool,
    known: Known,
    is_ours: bool,
) -> (Preparation, Vec<String>) {
    let mut said = Vec::new();
    let own = known.preparation();
    if let (Some(asked), Some(own)) = (size, known.size())
        && asked != own
    {
        said.push(format!(
            "--size {asked}: the network was trained on images of {own} x {own} pixels"
        ));
    }
    let known_size = size.or(known.size());
    let size = known_size.unwrap_or(DEFAULT_SIZE);
    let reference = match own.map(|own| own.framing) {
        Some(Framing::Landmarks(reference)) => reference,
        _ => FaceReference::default(),
    };
    let asked = match has_landmarks {
        true => Some(Framing::Landmarks(reference)),
        false => asked,
    };
    let framing = match (asked, own.map(|own| own.framing)) {
        (Some(asked), Some(own)) => {
            if asked != own {
                said.push(format!(
                    "pictures are {}, as asked for: those that the network was trained on are {}",
                    InWords(asked),
                    InWords(own)
                ));
            }
            asked
        }
        (Some(asked), None) => asked,
        (None, Some(Framing::Landmarks(_))) => {
            said.push(format!(
                "the network was trained on faces aligned by their landmarks; without --landmarks pictures are {}, and its scores are \
                 other ones",
                InWords(Framing::Celeba)
            ));
            Framing::Celeba
        }
        (None, Some(own)) => own,
        (None, None) => {
            let who = match is_ours {
                true => "the checkpoint, of an earlier version, does not say how its images became squares",
                false => "the weights do not say how their images became squares",
            };
            let at = match known_size {
                Some(_) => "",
                None => " --size their side, and",
            };
            said.push(format!(
                "{who}: pictures are {} here, at {size} x {size} pixels;{at} --fit crop, pad or stretch says otherwise",
                InWords(Framing::Celeba)
            ));
            Framing::Celeba
        }
    };
    let upright = own.is_none_or(|own| own.upright);
    let preparation = Preparation { size, framing, upright };
    (preparation, said)
}

/// The square `[size, size, 3]` of a picture's file.
///
/// # Errors
/// When it cannot be read or decoded, or its landmarks do not determine where the face is.
pub fn read(path: &Path, preparation: &Preparation, landmarks: Option<&Landmarks>) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the picture"))?;
    Ok(preparation.apply(&bytes, path, landmarks)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_win_and_what_differs_is_said() {
        let own = Preparation {
            size: 64,
            framing: Framing::Fit(Fit::Pad),
            upright: true,
        };
        let known = Known::All(own);
        assert_eq!(choose(None, None, false, known, true), (own, Vec::new()));
        assert_eq!(
            choose(Some(64), Some(own.framing), false, known, true),
            (own, Vec::new())
        );
        let (other, said) = choose(Some(32), Some(Framing::Fit(Fit::Crop)), false, known, true);
        assert_eq!((other.size, other.framing), (32, Framing::Fit(Fit::Crop)));
        let said = said.join("; ");
        for part in ["--size 32", "64 x 64", "cropped", "padded"] {
            assert!(said.contains(part), "{said}");
        }

        let reference = FaceReference {
            side: 4.0,
            ..FaceReference::default()
        };
        let faces = Preparation {
            framing: Framing::Landmarks(reference),
            ..own
        };
        assert_eq!(choose(None, None, true, Known::All(faces), true), (faces, Vec::new()));
        let (without, said) = choose(None, None, false, Known::All(faces), true);
        assert_eq!(without.framing, Framing::Celeba);
        assert!(said[0].contains("without --landmarks"), "{said:?}");
        let (with, said) = choose(None, None, true, known, true);
        assert_eq!(with.framing, Framing::Landmarks(FaceReference::default()));
        assert!(said[0].contains("padded"), "{said:?}");

        let (old, said) = choose(None, None, false, Known::Size(112), true);
        assert_eq!((old.size, old.framing), (112, Framing::Celeba));
        assert!(said[0].contains("earlier version"), "{said:?}");
        let (foreign, said) = choose(None, None, false, Known::Nothing, false);
        assert_eq!(foreign.size, DEFAULT_SIZE);
        assert!(said[0].contains("--size") && said[0].contains("--fit"), "{said:?}");
    }
}
