use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use image::{ImageReader, RgbImage};

use crate::files::{first_of, read};
use crate::source::Fingerprint;
use crate::{
    Annotations, AttributeMasks, Error, Result, Source, parse_identities, parse_labels, parse_landmarks,
    parse_partition,
};

const LABELS: &str = "list_attr_celeba.txt";
const PARTITION: &str = "list_eval_partition.txt";
const LANDMARKS: &str = "list_landmarks_align_celeba.txt";
const IDENTITIES: &str = "identity_CelebA.txt";
const IMAGE_FOLDERS: [&str; 2] = ["img_align_celeba", "img_align_celeba_png"];
const MASKS: &str = "masks";

/// How many images lend their file size to the fingerprint.
const SAMPLED_SIZES: usize = 64;

/// CelebA's official layout on disk.
///
/// | file | needed | where |
/// |---|---|---|
/// | `list_attr_celeba.txt` | yes | `Anno/` or the folder itself |
/// | `list_eval_partition.txt` | yes | `Eval/` or the folder itself |
/// | `img_align_celeba/` (JPEG or PNG) or `img_align_celeba_png/` | yes | `Img/` or the folder itself |
/// | `list_landmarks_align_celeba.txt` | no | `Anno/` or the folder itself |
/// | `identity_CelebA.txt` | no | `Anno/` or the folder itself |
/// | `masks/`: a PNG per image ([`AttributeMasks`]) | no; CelebA has none | the folder itself |
///
/// An image may have another extension than its name in the label file: `000001.jpg` is also found as `000001.png`.
#[derive(Debug)]
pub struct CelebaFolder {
    annotations: Annotations,
    images: PathBuf,
    masks: Option<PathBuf>,
}

impl CelebaFolder {
    /// Reads the annotations in `folder`; images are read when asked for.
    ///
    /// # Errors
    /// When a needed file is missing (the message says where it was looked for), a file breaks its format, or two files
    /// disagree about the images there are.
    pub fn open(folder: &Path) -> Result<Self> {
        let look = |subfolder: &str, name: &str| first_of([folder.join(subfolder).join(name), folder.join(name)]);
        let needed = |subfolder: &str, name: &str| {
            look(subfolder, name).map_err(|looked_for| Error::Missing {
                what: name.to_owned(),
                looked_for,
            })
        };
        let text = |path: &Path| Ok::<_, Error>((path.display().to_string(), read(path)?));

        if !folder.is_dir() {
            return Err(Error::Missing {
                what: "the data folder".to_owned(),
                looked_for: vec![folder.to_owned()],
            });
        }
        let (labels, bytes) = text(&needed("Anno", LABELS)?)?;
        let table = parse_labels(&labels, &bytes)?;
        let (file, bytes) = text(&needed("Eval", PARTITION)?)?;
        let splits = parse_partition(&file, &bytes)?.ordered_by(&table.names, &labels)?;
        let landmarks = match look("Anno", LANDMARKS) {
            Ok(path) => {
                let (file, bytes) = text(&path)?;
                Some(parse_landmarks(&file, &bytes)?.ordered_by(&table.names, &labels)?)
            }
            Err(_) => None,
        };
        let identities = match look("Anno", IDENTITIES) {
            Ok(path) => {
                let (file, bytes) = text(&path)?;
                Some(parse_identities(&file, &bytes)?.ordered_by(&table.names, &labels)?)
            }
            Err(_) => None,
        };
        let places = IMAGE_FOLDERS
            .iter()
            .flat_map(|name| [folder.join("Img").join(name), folder.join(name)]);
        let images = first_of(places).map_err(|looked_for| Error::Missing {
            what: "the folder of aligned images".to_owned(),
            looked_for,
        })?;
        let masks = Some(folder.join(MASKS)).filter(|path| path.is_dir());
        let annotations = Annotations {
            attributes: table.attributes,
            names: table.names,
            labels: table.labels,
            splits,
            landmarks,
            identities,
        };
        Ok(Self {
            annotations,
            images,
            masks,
        })
    }

    fn name(&self, index: usize) -> Result<&str> {
        let names = &self.annotations.names;
        names.get(index).map(String::as_str).ok_or_else(|| Error::Invalid {
            what: "image index".to_owned(),
            found: index.to_string(),
            expected: format!("less than {}", names.len()),
        })
    }

    /// The bytes and the path of an image's file.
    fn file(&self, index: usize) -> Result<(Vec<u8>, PathBuf)> {
        let name = self.name(index)?;
        for path in self.places(name) {
            match fs::read(&path) {
                Ok(bytes) => return Ok((bytes, path)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        Err(Error::Missing {
            what: format!("image {name}"),
            looked_for: self.places(name).collect(),
        })
    }

    /// The places where an image may be, its own name first.
    fn places(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let path = self.images.join(name);
        let others = ["jpg", "png", "jpeg"].map(|extension| path.with_extension(extension));
        let others = others.into_iter().filter({
            let path = path.clone();
            move |other| *other != path
        });
        std::iter::once(path).chain(others)
    }
}

impl Source for CelebaFolder {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        let (bytes, path) = self.file(index)?;
        decode(&bytes, &path)
    }

    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        let (bytes, path) = self.file(index)?;
        ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(image::ImageError::IoError)
            .and_then(ImageReader::into_dimensions)
            .map_err(|source| Error::Decode { path, source })
    }

    fn masks(&self, index: usize) -> Result<Option<AttributeMasks>> {
        let Some(folder) = &self.masks else {
            return Ok(None);
        };
        let path = folder.join(self.name(index)?).with_extension("png");
        AttributeMasks::from_png(&read(&path)?, self.annotations.attributes.len(), &path).map(Some)
    }

    /// Number of images and a hash of all annotations and of the file sizes of some images.
    fn fingerprint(&self) -> String {
        let n = self.annotations.len();
        let mut hash = Fingerprint::of(&self.annotations);
        for sample in 0..n.min(SAMPLED_SIZES) {
            let name = &self.annotations.names[sample * n / n.min(SAMPLED_SIZES)];
            let size = self
                .places(name)
                .find_map(|path| fs::metadata(path).ok())
                .map_or(0, |file| file.len());
            hash.add(&size.to_le_bytes());
        }
        hash.to_text(n)
    }
}

/// An image from the bytes of a JPEG or PNG file, whatever the extension of `path` says.
///
/// # Errors
/// [`Error::Decode`] when the bytes are neither, or the image is not complete.
pub fn decode(bytes: &[u8], path: &Path) -> Result<RgbImage> {
    let failed = |source| Error::Decode {
        path: path.to_owned(),
        source,
    };
    let image = image::load_from_memory(bytes).map_err(failed)?;
    if bytes.starts_with(&[0xff, 0xd8]) && !is_complete_jpeg(bytes) {
        // The decoder fills the missing rest with grey.
        let source = std::io::Error::new(ErrorKind::UnexpectedEof, "the file ends before the image does");
        return Err(failed(image::ImageError::IoError(source)));
    }
    Ok(image.into_rgb8())
}

/// Whether an end marker (ff d9) follows the last start of a scan (ff da). Neither pair occurs inside compressed data.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    last([0xff, 0xd9]) > last([0xff, 0xda])
}
