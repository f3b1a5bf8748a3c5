use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::decode::{decode, dimensions};
use crate::files::{first_of, read};
use crate::sources::Fingerprint;
use crate::sources::image_files::ImageFiles;
use crate::sources::named_images::NamedImages;
use crate::{
    Annotations, AttributeMasks, Error, Origin, Result, Source, parse_identities, parse_labels, parse_landmarks,
    parse_partition,
};

pub(crate) const LABELS: &str = "list_attr_celeba.txt";
const PARTITION: &str = "list_eval_partition.txt";
pub(crate) const IDENTITIES: &str = "identity_CelebA.txt";
const MASKS: &str = "masks";

/// Where the images may be, and the landmarks that belong to them: aligned images first, unpacked ones before an
/// archive.
const IMAGES: [(&str, &str); 4] = [
    ("img_align_celeba", ALIGNED_LANDMARKS),
    ("img_align_celeba_png", ALIGNED_LANDMARKS),
    ("img_align_celeba.zip", ALIGNED_LANDMARKS),
    ("img_celeba", "list_landmarks_celeba.txt"),
];
pub(crate) const ALIGNED_LANDMARKS: &str = "list_landmarks_align_celeba.txt";

/// Width and height of every aligned image.
const ALIGNED_SIZE: (u32, u32) = (178, 218);

/// How many images lend their file size to the fingerprint.
const SAMPLED_SIZES: usize = 64;

/// CelebA's official files on disk, in the forms people have them.
///
/// | file | needed | where |
/// |---|---|---|
/// | `list_attr_celeba.txt` | yes | `Anno/` or the folder itself |
/// | `list_eval_partition.txt` | yes | `Eval/` or the folder itself |
/// | the images: see below | yes | `Img/` or the folder itself |
/// | `list_landmarks_align_celeba.txt` | no | `Anno/` or the folder itself |
/// | `identity_CelebA.txt` | no | `Anno/` or the folder itself |
/// | `masks/`: a PNG per image ([`AttributeMasks`]) | no; CelebA has none | the folder itself |
///
/// The images are the first there is of
///
/// 1. the aligned ones, unpacked: `img_align_celeba/` (JPEG or PNG; also `img_align_celeba/img_align_celeba/`, as Kaggle
///    packs them), then `img_align_celeba_png/`;
/// 2. the aligned ones in `img_align_celeba.zip`, stored or deflated, read in place;
/// 3. the originals, unpacked: `img_celeba/`, whose landmarks are in `list_landmarks_celeba.txt`.
///
/// Each text file may be CSV with a header instead, under its name with `.csv`, as in Kaggle's copy.
///
/// An image may have another extension than its name in the label file: `000001.jpg` is also found as `000001.png`. The
/// label files name images without folders; a name that could lead out of the folder is refused. Aligned images are
/// 178 x 218; one of another size is an error when it is read, as its landmarks and crop would be wrong.
#[derive(Debug)]
pub struct CelebaFolder {
    annotations: Annotations,
    images: NamedImages,
    aligned: bool,
    masks: Option<PathBuf>,
}

impl CelebaFolder {
    /// Whether `folder` has images in one of these forms.
    pub fn has_images(folder: &Path) -> bool {
        let parents = [folder.join("Img"), folder.to_owned()];
        IMAGES
            .iter()
            .any(|(name, _)| parents.iter().any(|parent| parent.join(name).exists()))
    }

    /// Reads the annotations in `folder`; images are read when asked for.
    ///
    /// # Errors
    /// When a needed file is missing (the message says where it was looked for), a file breaks its format, the images'
    /// archive is cut off, or two files disagree about the images there are.
    pub fn open(folder: &Path) -> Result<Self> {
        let look = |subfolder: &str, name: &str| {
            let official = [folder.join(subfolder).join(name), folder.join(name)];
            let csv = official.clone().map(|path| path.with_extension("csv"));
            first_of(official.into_iter().chain(csv))
        };
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
        let parents = [folder.join("Img"), folder.to_owned()];
        let places = IMAGES
            .iter()
            .flat_map(|(name, _)| parents.iter().map(move |parent| parent.join(name)));
        let images = first_of(places).map_err(|looked_for| Error::Missing {
            what: "the folder or archive of images".to_owned(),
            looked_for,
        })?;
        let landmarks_file = IMAGES
            .iter()
            .find_map(|(name, landmarks)| images.ends_with(name).then_some(*landmarks))
            .unwrap_or(ALIGNED_LANDMARKS);
        let landmarks = match look("Anno", landmarks_file) {
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
        let masks = Some(folder.join(MASKS)).filter(|path| path.is_dir());
        let images = NamedImages::find(ImageFiles::open(&images)?, &table.names, &labels)?;
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
            aligned: landmarks_file == ALIGNED_LANDMARKS,
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

    /// Refuses an aligned image of another size than all others.
    fn check_size(&self, size: (u32, u32), path: &Path) -> Result<()> {
        if self.aligned {
            check_aligned(size, path)
        } else {
            Ok(())
        }
    }
}

/// Refuses an aligned image of another size than all others.
pub(crate) fn check_aligned(size: (u32, u32), path: &Path) -> Result<()> {
    if size == ALIGNED_SIZE {
        return Ok(());
    }
    Err(Error::File {
        file: path.display().to_string(),
        found: format!("an image of {} x {} pixels", size.0, size.1),
        expected: format!(
            "{} x {}, as all of CelebA's aligned images",
            ALIGNED_SIZE.0, ALIGNED_SIZE.1
        ),
    })
}

impl Source for CelebaFolder {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        let (bytes, path) = self.images.read(index, self.name(index)?)?;
        let image = decode(&bytes, &path)?;
        self.check_size(image.dimensions(), &path)?;
        Ok(image)
    }

    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        let (bytes, path) = self.images.read(index, self.name(index)?)?;
        let size = dimensions(&bytes, &path)?;
        self.check_size(size, &path)?;
        Ok(size)
    }

    fn has_masks(&self) -> bool {
        self.masks.is_some()
    }

    fn masks(&self, index: usize) -> Result<Option<AttributeMasks>> {
        let Some(folder) = &self.masks else {
            return Ok(None);
        };
        let path = folder.join(self.name(index)?).with_extension("png");
        AttributeMasks::from_png(&read(&path)?, self.annotations.attributes.len(), &path).map(Some)
    }

    fn image_bytes(&self, index: usize) -> Result<Vec<u8>> {
        Ok(self.images.read(index, self.name(index)?)?.0)
    }

    fn image_origin(&self, index: usize) -> Option<Origin> {
        self.images.origin(index, self.name(index).ok()?)
    }

    fn mask_files(&self, index: usize) -> Vec<Option<PathBuf>> {
        let path = |folder: &PathBuf| Some(folder.join(self.name(index).ok()?).with_extension("png"));
        let files = self.masks.iter().map(path);
        files.map(|path| path.filter(|path| path.exists())).collect()
    }

    /// Number of images and a hash of all annotations and of the file sizes of some images.
    fn fingerprint(&self) -> String {
        let n = self.annotations.len();
        let mut hash = Fingerprint::of(&self.annotations);
        sample_sizes(&mut hash, n, |index| {
            let size = self.images.size(index, &self.annotations.names[index]);
            size.unwrap_or(0)
        });
        hash.to_text(n)
    }

    fn contents(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        for (index, name) in self.annotations.names.iter().enumerate() {
            self.images.identify(index, name, &mut |bytes| hash.add(bytes));
        }
        hash.to_text(self.annotations.len())
    }
}

/// Adds the file sizes of some of `images` to a fingerprint.
pub(crate) fn sample_sizes(hash: &mut Fingerprint, images: usize, size: impl Fn(usize) -> u64) {
    let samples = images.min(SAMPLED_SIZES);
    for sample in 0..samples {
        hash.add(&size(sample * images / samples).to_le_bytes());
    }
}
