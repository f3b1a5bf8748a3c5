//! What a run's steps can read, by content: the pieces that their declarations are made of.
//!
//! A piece is as narrow as what a step makes of it: who trains reads the labels, landmarks and pixels of the training images, and not
//! the threshold that chose the test images, nor a mask. Contents are told by the bytes of files, wherever those are and whatever they
//! are called, so that the same data set in another folder or another form is the same data set.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use dataset::Landmarks;
use pipeline::{ContentHash, Contents, Declaration, ListHash};
use rayon::prelude::*;

use super::DataSet;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, MASKS};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::regions::{self, Regions};
use crate::weights::find_pretrained;

/// Images between two looks at whether to stop.
const CHUNK: usize = 1024;

/// What reading contents needs.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Hashes that are known.
    pub contents: &'a Contents,
    /// Where progress is shown.
    pub progress: &'a Progress,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
}

/// Everything that steps can read, but for each other's files.
pub struct Inputs<'a> {
    /// The whole experiment: each step takes its settings from it.
    pub experiment: &'a Experiment,
    attributes: &'a [String],
    training: Split,
    validation: Split,
    test: Split,
    /// Names of the test images.
    names: ContentHash,
    /// Masks of the test images, where the data set has masks.
    masks: Option<ContentHash>,
    /// What is shown of the data set.
    facts: ContentHash,
    regions: Option<ContentHash>,
    /// Weights that are adopted, by classifier.
    weights: BTreeMap<String, ContentHash>,
    /// Weights that trainings start from.
    pretrained: Option<ContentHash>,
}

/// What the images of one split are.
struct Split {
    labels: ContentHash,
    landmarks: Option<ContentHash>,
    images: ContentHash,
}

impl<'a> Inputs<'a> {
    /// Those of an experiment on its data set.
    ///
    /// # Errors
    /// Those of weights and regions; [`Error::Interrupted`].
    pub fn of(experiment: &'a Experiment, data: &'a DataSet, data_root: &Path, reading: Reading<'_>) -> Result<Self> {
        let mut weights = BTreeMap::new();
        for (name, classifier) in &experiment.classifiers {
            if let Some(path) = &classifier.weights {
                weights.insert(name.clone(), weights_content(reading.contents, path)?);
            }
        }
        let trains = experiment.classifiers.keys().any(|name| experiment.is_trained(name));
        let pretrained = match experiment.model.pretrained.as_ref().filter(|_| trains) {
            Some(choice) => Some(weights_content(reading.contents, &find_pretrained(choice, data_root)?)?),
            None => None,
        };
        let mut names = ListHash::default();
        for &index in &data.test {
            names.add(&data.annotations().names[index], "");
        }
        let masks = data.source.has_masks();
        Ok(Self {
            experiment,
            attributes: data.attributes(),
            training: Split::of(data, &data.training, "training images", reading)?,
            validation: Split::of(data, &data.validation, "validation images", reading)?,
            test: Split::of(data, &data.test, "test images", reading)?,
            names: names.finish(),
            masks: if masks {
                Some(masks_content(data, &data.test, reading)?)
            } else {
                None
            },
            facts: ContentHash::of(&data.facts(&experiment.data).to_bytes()),
            regions: regions_content(experiment, data.attributes())?,
            weights,
            pretrained,
        })
    }

    /// The attributes' names, in their order.
    pub fn attributes(&self, declaration: Declaration) -> Declaration {
        declaration.settings("attributes", &self.attributes)
    }

    /// How an image becomes the network's input.
    fn squares(&self, declaration: Declaration) -> Declaration {
        let data = &self.experiment.data;
        let declaration = declaration.settings("data.image_size", &data.image_size);
        match &data.table {
            Some(table) => declaration.settings("data.table.resize", &table.resize),
            None => declaration,
        }
    }

    /// The images that are trained on, and those on which the training is followed.
    pub fn training(&self, declaration: Declaration) -> Declaration {
        let declaration = self.validation.labelled("validation", self.squares(declaration));
        self.training.labelled("training", declaration)
    }

    /// How often each attribute is there among the training images, and what else tables and figures say of the data set.
    pub fn facts(&self, declaration: Declaration) -> Declaration {
        declaration.file("numbers of labels and images", &self.facts)
    }

    /// The test images as the network sees them.
    pub fn test_images(&self, declaration: Declaration) -> Declaration {
        self.test
            .seen("test", self.squares(declaration))
            .file("names of test images", &self.names)
    }

    /// The test images with their labels.
    pub fn labelled_test_images(&self, declaration: Declaration) -> Declaration {
        self.test_images(declaration)
            .file("labels of test images", &self.test.labels)
    }

    /// The masks of the test images, where there are any.
    pub fn masks(&self, declaration: Declaration) -> Declaration {
        match &self.masks {
            Some(masks) => declaration.file("masks of test images", masks),
            None => declaration,
        }
    }

    /// The attributes' regions.
    pub fn regions(&self, declaration: Declaration) -> Declaration {
        let choice = self.experiment.regions();
        match &self.regions {
            // A person knows them by their file, which may be called otherwise tomorrow.
            Some(regions) => {
                let name = Path::new(choice).file_name().and_then(|name| name.to_str());
                declaration.named_file("measure.regions", name.unwrap_or(choice), regions)
            }
            None => self.masks(declaration.settings("measure.regions", MASKS)),
        }
    }

    /// The weights that a classifier has from elsewhere: its own, or those that its training starts from.
    pub fn weights(&self, declaration: Declaration, classifier: &str) -> Declaration {
        if let Some(weights) = self.weights.get(classifier) {
            return declaration.file(&format!("classifiers.{classifier}.weights"), weights);
        }
        match &self.pretrained {
            Some(weights) => declaration.file("model.pretrained", weights),
            None => declaration,
        }
    }
}

impl Split {
    fn of(data: &DataSet, indices: &[usize], title: &str, reading: Reading<'_>) -> Result<Self> {
        let annotations = data.annotations();
        let mut labels = ListHash::default();
        for &index in indices {
            let of_image = annotations.labels_of(index).iter();
            let signs: String = of_image.map(|label| match label.signum() { 1 => '+', -1 => '-', _ => '0' }).collect();
            labels.add(&index.to_string(), &signs);
        }
        let landmarks = annotations.landmarks.as_ref().map(|all| {
            let mut landmarks = ListHash::default();
            for &index in indices {
                landmarks.add(&index.to_string(), &points(&all[index]));
            }
            landmarks.finish()
        });
        Ok(Self {
            labels: labels.finish(),
            landmarks,
            images: images_content(data, indices, title, reading)?,
        })
    }

    /// The images as they are seen.
    fn seen(&self, split: &str, declaration: Declaration) -> Declaration {
        let declaration = declaration.file(&format!("{split} images"), &self.images);
        match &self.landmarks {
            Some(landmarks) => declaration.file(&format!("landmarks of {split} images"), landmarks),
            None => declaration,
        }
    }

    fn labelled(&self, split: &str, declaration: Declaration) -> Declaration {
        self.seen(split, declaration)
            .file(&format!("labels of {split} images"), &self.labels)
    }
}

/// Landmarks as a text that is equal only for equal ones.
fn points(face: &Landmarks) -> String {
    let points = [face.left_eye, face.right_eye, face.nose, face.left_mouth, face.right_mouth];
    points.map(|[x, y]| format!("{:08x}{:08x}", x.to_bits(), y.to_bits())).concat()
}

/// The content of the images at some positions, and the positions: orders and augmentations are drawn by them.
///
/// # Errors
/// [`Error::Interrupted`]. An image that cannot be read is a content of its own: what becomes of it is for those to say who need it.
pub fn images_content(data: &DataSet, indices: &[usize], title: &str, reading: Reading<'_>) -> Result<ContentHash> {
    let found = each(indices, title, reading, |index| {
        let bytes = || data.source.image_bytes(index).map_err(io::Error::other);
        let hash = match data.source.image_origin(index) {
            Some(origin) => match &origin.part {
                Some(part) => reading.contents.of_part(&origin.file, part, bytes),
                None => reading.contents.of(&origin.file),
            },
            None => bytes().map(|bytes| ContentHash::of(&bytes)),
        };
        text(hash)
    })?;
    Ok(listed(indices, &found))
}

/// The content of the masks of the images at some positions.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn masks_content(data: &DataSet, indices: &[usize], reading: Reading<'_>) -> Result<ContentHash> {
    let found = each(indices, "masks", reading, |index| {
        let files = data.source.mask_files(index);
        let of_file = |file: &Option<std::path::PathBuf>| match file {
            Some(file) => text(reading.contents.of(file)),
            None => "none".to_owned(),
        };
        files.iter().map(of_file).collect::<Vec<_>>().join(" ")
    })?;
    Ok(listed(indices, &found))
}

fn text(hash: io::Result<ContentHash>) -> String {
    hash.map_or_else(|error| format!("unreadable: {}", error.kind()), |hash| hash.to_string())
}

fn listed(indices: &[usize], contents: &[String]) -> ContentHash {
    let mut list = ListHash::default();
    for (index, content) in indices.iter().zip(contents) {
        list.add(&index.to_string(), content);
    }
    list.finish()
}

/// Does something for each image, many at a time, and shows how far it is.
fn each(
    indices: &[usize],
    title: &str,
    reading: Reading<'_>,
    of_image: impl Fn(usize) -> String + Sync,
) -> Result<Vec<String>> {
    let mut work = reading.progress.work(title, indices.len() as u64);
    let mut found = Vec::with_capacity(indices.len());
    for chunk in indices.chunks(CHUNK) {
        reading.interrupt.check()?;
        let of_chunk: Vec<String> = chunk.par_iter().map(|&index| of_image(index)).collect();
        found.extend(of_chunk);
        work.at(found.len() as u64, "looking for changes");
    }
    work.abandon();
    Ok(found)
}

fn weights_content(contents: &Contents, path: &Path) -> Result<ContentHash> {
    contents.of(path).map_err(Error::io(path, "reading the weights"))
}

/// The regions, pixel by pixel, whatever they are given by; `None` where each image has its own.
fn regions_content(experiment: &Experiment, attributes: &[String]) -> Result<Option<ContentHash>> {
    let Regions::Fixed(all) = regions::load(experiment, attributes)? else {
        return Ok(None);
    };
    let mut list = ListHash::default();
    for (name, one) in attributes.iter().zip(&all) {
        let pixels: Vec<u8> = one.region.mask().iter().map(|&inside| u8::from(inside)).collect();
        let outline = one.outline().map_or(0, |outline| outline.side);
        let about = format!("{} {} {outline}", ContentHash::of(&pixels), one.local);
        list.add(name, &about);
    }
    Ok(Some(list.finish()))
}
