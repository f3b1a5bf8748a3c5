use std::path::{Path, PathBuf};

use image::RgbImage;

use super::index::ShardIndex;
use super::layout::FOLDER;
use super::place::Place;
use super::shards::{IndexProgress, Shards};
use crate::decode::{decode, dimensions};
use crate::files::{first_of, read};
use crate::sources::Fingerprint;
use crate::sources::celeba::{ALIGNED_LANDMARKS, IDENTITIES, LABELS, check_aligned, sample_sizes};
use crate::sources::lines::is_plain_file_name;
use crate::{
    Annotations, Attributes, Error, Landmarks, Origin, Result, Source, Split, parse_identities, parse_labels,
    parse_landmarks,
};

/// Images of the official splits.
const OFFICIAL: [usize; 3] = [162_770, 19_867, 19_962];

/// CelebA as the Hugging Face hub has it (`flwrlabs/celeba`, configuration `img_align+identity+attr`): Parquet files for
/// train, valid and test, with the columns `image` (`bytes` and `path`), `celeb_id`, and a boolean one an attribute.
///
/// They are read in place, in any order, through an index that is written beside them when they are opened first; that
/// goes through all of them. An image's bytes are checked against a checksum from then.
///
/// The hub's copy has no landmarks. `list_landmarks_align_celeba.txt` is taken from beside the shards, from the data
/// folder or from its `Anno/`; without it, faces are aligned by CelebA's own alignment, and whether one is frontal is not
/// known.
///
/// Images are put in the order of their names, which is the official one, and named as in the official files
/// (`000001.jpg`, whatever the extension of `path`), so that the same seed gives the same batches from every form of
/// CelebA. Where `path` is null, the shards are taken to be in the official order if their splits have the official
/// sizes; landmarks are then used only if a file that can confirm the order is there as well, `identity_CelebA.txt` or
/// `list_attr_celeba.txt`.
#[derive(Debug)]
pub struct CelebaParquet {
    annotations: Annotations,
    shards: Shards,
    places: Vec<Place>,
}

impl CelebaParquet {
    /// Whether `folder`, or the folder `img_align+identity+attr` in it, has shards of CelebA.
    pub fn is_in(folder: &Path) -> bool {
        Shards::folder(folder).is_some()
    }

    /// Opens the shards in `folder`, or in the folder `img_align+identity+attr` in it. `progress` hears how it goes when
    /// they are gone through.
    ///
    /// # Errors
    /// When a shard is missing, cut off, damaged, or has other columns or a null; when the landmarks are of other images;
    /// [`Error::Stopped`] when `progress` says so.
    pub fn open(folder: &Path, progress: &IndexProgress<'_>) -> Result<Self> {
        let place = Shards::folder(folder).ok_or_else(|| Error::Missing {
            what: "the shards of CelebA (train-00000-of-....parquet)".to_owned(),
            looked_for: vec![folder.join(FOLDER), folder.to_owned()],
        })?;
        let shards = Shards::open(&place)?;
        let index = shards.index(progress)?;
        let (names, named) = names(&index, &place)?;
        let order = order(&names);
        let sorted = |index: &ShardIndex| -> (Vec<i8>, Vec<Place>) {
            let width = index.attributes.len();
            let labels = order
                .iter()
                .flat_map(|&row| &index.labels[row * width..][..width])
                .copied();
            (labels.collect(), order.iter().map(|&row| index.places[row]).collect())
        };
        let (labels, places) = sorted(&index);
        let mut annotations = Annotations {
            attributes: Attributes::new(index.attributes)?,
            names: order.iter().map(|&row| names[row].clone()).collect(),
            labels,
            splits: order.iter().map(|&row| index.splits[row]).collect(),
            landmarks: None,
            identities: Some(order.iter().map(|&row| index.identities[row]).collect()),
        };
        let look = |name: &str| -> Option<PathBuf> {
            first_of([folder.join("Anno").join(name), folder.join(name), place.join(name)]).ok()
        };
        if let Some(path) = look(ALIGNED_LANDMARKS) {
            annotations.landmarks = Some(landmarks(&path, &annotations, named, &look)?);
        }
        Ok(Self {
            annotations,
            shards,
            places,
        })
    }

    fn bytes(&self, index: usize) -> Result<(Vec<u8>, PathBuf)> {
        let place = self.places.get(index).ok_or_else(|| Error::Invalid {
            what: "image index".to_owned(),
            found: index.to_string(),
            expected: format!("less than {}", self.places.len()),
        })?;
        self.shards.read(place, &self.annotations.names[index])
    }
}

impl Source for CelebaParquet {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        let (bytes, path) = self.bytes(index)?;
        let image = decode(&bytes, &path)?;
        check_aligned(image.dimensions(), &path)?;
        Ok(image)
    }

    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        let (bytes, path) = self.bytes(index)?;
        let size = dimensions(&bytes, &path)?;
        check_aligned(size, &path)?;
        Ok(size)
    }

    fn image_bytes(&self, index: usize) -> Result<Vec<u8>> {
        Ok(self.bytes(index)?.0)
    }

    fn image_origin(&self, index: usize) -> Option<Origin> {
        let place = self.places.get(index)?;
        Some(Origin::part(
            self.shards.path(place)?.to_owned(),
            format!("{} {:08x}", self.annotations.names[index], place.checksum),
        ))
    }

    /// As that of [`CelebaFolder`](crate::CelebaFolder): equal for the same files in another form.
    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        sample_sizes(&mut hash, self.places.len(), |index| {
            u64::from(self.places[index].length)
        });
        hash.to_text(self.places.len())
    }

    fn contents(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        for place in &self.places {
            hash.add(&place.checksum.to_le_bytes());
        }
        hash.to_text(self.places.len())
    }
}

/// The images' names, and whether the shards say them.
fn names(index: &ShardIndex, folder: &Path) -> Result<(Vec<String>, bool)> {
    let fault = |found: String, expected: &str| Error::File {
        file: folder.display().to_string(),
        found,
        expected: expected.to_owned(),
    };
    let rows = index.names.len();
    let absent = index.names.iter().filter(|name| name.is_none()).count();
    if absent == rows {
        let sizes = Split::ALL.map(|split| index.splits.iter().filter(|&&other| other == split).count());
        let mut counts = [0; 3];
        let name = |split: Split| {
            let count = &mut counts[usize::from(split.code())];
            *count += 1;
            if sizes == OFFICIAL {
                let before: usize = OFFICIAL[..usize::from(split.code())].iter().sum();
                format!("{:06}.jpg", before + *count)
            } else {
                format!("{}-{count:06}.jpg", split.code())
            }
        };
        return Ok((index.splits.iter().copied().map(name).collect(), false));
    }
    if absent > 0 {
        let found = format!("{absent} of {rows} images without a name (image.path is null)");
        return Err(fault(found, "a name for each, or for none"));
    }
    let mut names = Vec::with_capacity(rows);
    for name in index.names.iter().flatten() {
        let name = Path::new(name)
            .file_name()
            .map(|name| Path::new(name).with_extension("jpg"));
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        if !is_plain_file_name(&name) {
            return Err(fault(
                format!("image name {name:?}"),
                "a plain file name such as 000001.jpg",
            ));
        }
        names.push(name);
    }
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(fault(format!("image {} twice", pair[0]), "each image once"));
    }
    Ok((names, true))
}

/// The rows in the order of their names.
fn order(names: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| names[a].cmp(&names[b]));
    order
}

/// The landmarks in `path`, in the images' order. Where the shards do not name their images, another file has to confirm
/// their order.
fn landmarks(
    path: &Path,
    annotations: &Annotations,
    named: bool,
    look: &dyn Fn(&str) -> Option<PathBuf>,
) -> Result<Vec<Landmarks>> {
    let shards = "the shards";
    let text = |path: &Path| Ok::<_, Error>((path.display().to_string(), read(path)?));
    let (file, bytes) = text(path)?;
    let rows = parse_landmarks(&file, &bytes)?;
    if !named {
        let unequal = |file: &str| Error::File {
            file: file.to_owned(),
            found: "another order of images than the shards'".to_owned(),
            expected:
                "the official order in both, as the shards do not name their images; without the landmarks file they \
                       can be used"
                    .to_owned(),
        };
        if let Some(path) = look(IDENTITIES) {
            let (file, bytes) = text(&path)?;
            let identities = parse_identities(&file, &bytes)?.ordered_by(&annotations.names, shards)?;
            if annotations.identities.as_ref() != Some(&identities) {
                return Err(unequal(&file));
            }
        } else if let Some(path) = look(LABELS) {
            let (file, bytes) = text(&path)?;
            let table = parse_labels(&file, &bytes)?;
            if table.names != annotations.names || table.labels != annotations.labels {
                return Err(unequal(&file));
            }
        } else {
            return Err(Error::File {
                file,
                found: "landmarks by image name, while the shards do not name their images".to_owned(),
                expected: format!(
                    "{IDENTITIES} or {LABELS} beside it, to confirm that the shards are in the official order; or no landmarks \
                     file"
                ),
            });
        }
    }
    rows.ordered_by(&annotations.names, shards)
}
