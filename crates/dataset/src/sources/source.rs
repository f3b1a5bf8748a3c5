use std::borrow::Cow;
use std::path::PathBuf;

use image::RgbImage;

use crate::{Annotations, AttributeMasks, Error, FaceReference, Framing, Preparation, Result, Similarity};

/// Where images and their annotations come from. The loader and everything after it know no more of a data set.
pub trait Source: Send + Sync {
    /// What is known about the images.
    fn annotations(&self) -> &Annotations;

    /// What is to be said of how it was read, a line each: files under other names, blanks that were left out.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The decoded image `index`.
    ///
    /// # Errors
    /// When it cannot be read or decoded; the message names the file.
    fn image(&self, index: usize) -> Result<RgbImage>;

    /// Width and height of image `index`; cheaper than the image where the file's header tells.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        Ok(self.image(index)?.dimensions())
    }

    /// How the files of its images become the squares of side `size` that a network sees.
    fn preparation(&self, size: usize) -> Preparation {
        let framing = match self.annotations().landmarks {
            Some(_) => Framing::Landmarks(FaceReference::default()),
            None => Framing::Celeba,
        };
        Preparation {
            size,
            framing,
            upright: false,
        }
    }

    /// The transform from the square of side `size` that a network sees to image `index`, which is of `image_size` (width,
    /// height).
    ///
    /// # Errors
    /// When the image's landmarks determine none; the message names the image.
    fn alignment(&self, index: usize, image_size: (u32, u32), size: usize) -> Result<Similarity> {
        let annotations = self.annotations();
        let landmarks = annotations.landmarks.as_ref().map(|all| &all[index]);
        let framing = self.preparation(size).framing;
        framing
            .transform(landmarks, image_size, size)
            .map_err(|error| error.of_image(&annotations.names[index]))
    }

    /// The name of who, or of what else, is in image `index`: equal for two images exactly where their
    /// [identities](Annotations::identities) are; `None` where the data set does not know, or has no such image.
    fn person(&self, index: usize) -> Option<Cow<'_, str>> {
        let identities = self.annotations().identities.as_ref()?;
        identities.get(index).map(|identity| Cow::Owned(identity.to_string()))
    }

    /// Whether the data set knows where its attributes are visible.
    fn has_masks(&self) -> bool {
        false
    }

    /// Where each attribute is visible in image `index`, if the data set knows.
    ///
    /// # Errors
    /// When the data set has masks but not this one, or it cannot be read; the message names the file.
    fn masks(&self, index: usize) -> Result<Option<AttributeMasks>> {
        let _ = index;
        Ok(None)
    }

    /// The bytes that image `index` is decoded from: what its content is told by.
    ///
    /// # Errors
    /// When they cannot be read.
    fn image_bytes(&self, index: usize) -> Result<Vec<u8>> {
        self.image(index).map(RgbImage::into_raw)
    }

    /// Where those bytes are; `None` where they are in no file, or in none that is there.
    fn image_origin(&self, index: usize) -> Option<Origin> {
        let _ = index;
        None
    }

    /// The files that the masks of image `index` are read from, with `None` for those that are not there.
    fn mask_files(&self, index: usize) -> Vec<Option<PathBuf>> {
        let _ = index;
        Vec::new()
    }

    /// Whether image `index` may be transparent, as far as the beginning of its file tells: how it is read changed once, when what was seen
    /// of transparent pixels became white.
    fn may_be_transparent(&self, index: usize) -> bool {
        let _ = index;
        false
    }

    /// The version of the rule by which masks are read from their files: results of an older one are made again.
    fn mask_rule(&self) -> u32 {
        1
    }

    /// A short text that two data sets share only if their annotations are equal: the number of images and a hash.
    fn fingerprint(&self) -> String {
        Fingerprint::of(self.annotations()).to_text(self.annotations().len())
    }

    /// A longer look than the [fingerprint](Self::fingerprint): a text that changes, as far as can be known without reading
    /// them, with every image. For what is kept of the images themselves.
    fn contents(&self) -> String {
        self.fingerprint()
    }
}

/// Where the bytes of an image are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Which of its parts, where it holds many images.
    pub part: Option<String>,
}

impl Origin {
    /// A file of its own.
    pub(crate) fn file(file: PathBuf) -> Self {
        Self { file, part: None }
    }

    /// A part of a file.
    pub(crate) fn part(file: PathBuf, part: String) -> Self {
        Self { file, part: Some(part) }
    }
}

/// A data set held in memory, for tests and small experiments.
#[derive(Clone, Debug)]
pub struct MemorySource {
    annotations: Annotations,
    images: Vec<RgbImage>,
}

impl MemorySource {
    /// A data set of these images, one for each name in `annotations`.
    ///
    /// # Errors
    /// When the lists are not equally long.
    pub fn new(annotations: Annotations, images: Vec<RgbImage>) -> Result<Self> {
        let n = annotations.len();
        let optional = |length: Option<usize>| length.unwrap_or(n);
        for (what, found, expected) in [
            ("images", images.len(), n),
            ("labels", annotations.labels.len(), n * annotations.attributes.len()),
            ("splits", annotations.splits.len(), n),
            ("landmarks", optional(annotations.landmarks.as_ref().map(Vec::len)), n),
            ("identities", optional(annotations.identities.as_ref().map(Vec::len)), n),
        ] {
            if found != expected {
                return Err(Error::Invalid {
                    what: what.to_owned(),
                    found: found.to_string(),
                    expected: format!("{expected} for {n} image names"),
                });
            }
        }
        Ok(Self { annotations, images })
    }
}

impl Source for MemorySource {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        self.images.get(index).cloned().ok_or_else(|| Error::Invalid {
            what: "image index".to_owned(),
            found: index.to_string(),
            expected: format!("less than {}", self.images.len()),
        })
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version of the standard library.
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    pub(crate) fn of(annotations: &Annotations) -> Self {
        let mut hash = Self::new();
        for name in annotations.attributes.names().iter().chain(&annotations.names) {
            hash.add(name.as_bytes());
            hash.add(b"\n");
        }
        for label in &annotations.labels {
            hash.add(&label.to_le_bytes());
        }
        for split in &annotations.splits {
            hash.add(&[split.code()]);
        }
        for face in annotations.landmarks.iter().flatten() {
            for point in [
                face.left_eye,
                face.right_eye,
                face.nose,
                face.left_mouth,
                face.right_mouth,
            ] {
                hash.add(&point[0].to_le_bytes());
                hash.add(&point[1].to_le_bytes());
            }
        }
        for identity in annotations.identities.iter().flatten() {
            hash.add(&identity.to_le_bytes());
        }
        hash
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn to_text(&self, images: usize) -> String {
        format!("{images} images {:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, Split};

    fn annotations() -> Annotations {
        Annotations {
            attributes: Attributes::new(vec!["a".into(), "b".into()]).unwrap(),
            names: vec!["1.jpg".into(), "2.jpg".into()],
            labels: vec![1, -1, 1, 1],
            splits: vec![Split::Train, Split::Test],
            landmarks: None,
            identities: None,
        }
    }

    #[test]
    fn the_fingerprint_sees_every_annotation() {
        let images = || vec![RgbImage::new(2, 2); 2];
        let fingerprint = |annotations| MemorySource::new(annotations, images()).unwrap().fingerprint();
        let plain = fingerprint(annotations());
        assert!(plain.starts_with("2 images "), "{plain}");
        assert_eq!(plain, fingerprint(annotations()));
        let changes: [fn(&mut Annotations); 4] = [
            |a| a.labels[3] = -1,
            |a| a.splits[0] = Split::Validation,
            |a| a.names[1] = "3.jpg".to_owned(),
            |a| a.identities = Some(vec![1, 2]),
        ];
        for change in changes {
            let mut changed = annotations();
            change(&mut changed);
            assert_ne!(fingerprint(changed), plain);
        }
    }

    #[test]
    fn a_person_s_name_is_the_identity() {
        let of = |identities| {
            let annotations = Annotations {
                identities,
                ..annotations()
            };
            let source = MemorySource::new(annotations, vec![RgbImage::new(2, 2); 2]).unwrap();
            [0, 1, 2].map(|index| source.person(index).map(Cow::into_owned))
        };
        assert_eq!(of(None), [None, None, None]);
        assert_eq!(
            of(Some(vec![2880, 7])),
            [Some("2880".to_owned()), Some("7".to_owned()), None]
        );
    }

    #[test]
    fn lists_of_unequal_length_are_refused() {
        let message = MemorySource::new(annotations(), Vec::new()).unwrap_err().to_string();
        assert_eq!(message, "images: 0, expected 2 for 2 image names");
    }
}
