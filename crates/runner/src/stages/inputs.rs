//! What a run's steps can read, by content: the pieces that their declarations are made of.
//!
//! A piece is as narrow as what a step makes of it: who trains reads the labels, landmarks and pixels of the training images, and not
//! the threshold that chose the test images, nor a mask. Contents are told by the bytes of files, wherever those are and whatever they
//! are called, so that the same data set in another folder or another form is the same data set.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use dataset::Landmarks;
use pipeline::{ContentHash, Contents, Declaration, Interrupt, ListHash, Progress};
use rayon::prelude::*;

use super::DataSet;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, RegionSource};
use crate::measured::DataFacts;
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

impl<'a> Reading<'a> {
    /// That of a run.
    pub fn of(context: &'a Context) -> Self {
        Self {
            contents: context.workspace.contents(),
            progress: context.progress(),
            interrupt: context.interrupt(),
        }
    }
}

/// What the images of a data set are, as an experiment uses it.
pub struct Content {
    training: Split,
    validation: Split,
    test: Split,
    /// Names of the test images.
    names: ContentHash,
    /// Masks of the test images, where the data set has masks.
    masks: Option<ContentHash>,
    /// What is shown of the data set.
    facts: ContentHash,
}

impl Content {
    /// Looks at everything that a run would use.
    ///
    /// # Errors
    /// [`Interrupted`](pipeline::Interrupted).
    pub fn of(data: &DataSet, facts: &DataFacts, reading: Reading<'_>) -> Result<Self> {
        let mut names = ListHash::default();
        for &index in &data.test {
            names.add(&data.annotations().names[index], "");
        }
        let masks = data.source.has_masks();
        Ok(Self {
            training: Split::of(data, &data.training, "training images", reading)?,
            validation: Split::of(data, &data.validation, "validation images", reading)?,
            test: Split::of(data, &data.test, "test images", reading)?,
            names: names.finish(),
            masks: match masks {
                true => Some(masks_content(data, &data.test, reading)?),
                false => None,
            },
            facts: ContentHash::of(&facts.to_bytes()),
        })
    }
}

/// What the images of one split are.
struct Split {
    /// A person who chose other images is told so first.
    count: usize,
    labels: ContentHash,
    landmarks: Option<ContentHash>,
    images: ContentHash,
}

impl Split {
    fn of(data: &DataSet, indices: &[usize], title: &str, reading: Reading<'_>) -> Result<Self> {
        let annotations = data.annotations();
        let mut labels = ListHash::default();
        for &index in indices {
            let sign = |label: &i8| match label.signum() {
                1 => '+',
                -1 => '-',
                _ => '0',
            };
            let signs: String = annotations.labels_of(index).iter().map(sign).collect();
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
            count: indices.len(),
            labels: labels.finish(),
            landmarks,
            images: images_content(data, indices, title, reading)?,
        })
    }

    /// The images as they are seen.
    fn seen(&self, split: &str, declaration: Declaration) -> Declaration {
        let declaration = declaration
            .number(&format!("number of {split} images"), self.count)
            .file(&format!("{split} images"), &self.images);
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

/// Everything that steps can read, but for each other's files.
pub struct Inputs<'a> {
    /// The whole experiment: each step takes its settings from it.
    pub experiment: &'a Experiment,
    attributes: &'a [String],
    /// Absent where the data set cannot be looked at.
    content: Option<&'a Content>,
    regions: Option<ContentHash>,
    /// Weights that are adopted, by classifier.
    weights: BTreeMap<String, ContentHash>,
    /// Weights that trainings start from.
    pretrained: Option<ContentHash>,
}

impl<'a> Inputs<'a> {
    /// Those of an experiment on its data set.
    ///
    /// # Errors
    /// Those of weights and regions.
    pub fn of(
        experiment: &'a Experiment,
        attributes: &'a [String],
        content: &'a Content,
        data_root: &Path,
        contents: &Contents,
    ) -> Result<Self> {
        let mut inputs = Self::believed(experiment, attributes)?;
        inputs.content = Some(content);
        for (name, classifier) in &experiment.classifiers {
            if let Some(path) = &classifier.weights {
                inputs.weights.insert(name.clone(), weights_content(contents, path)?);
            }
        }
        let trains = experiment.classifiers.keys().any(|name| experiment.is_trained(name));
        if let Some(choice) = experiment.model.pretrained.as_ref().filter(|_| trains) {
            inputs.pretrained = Some(weights_content(contents, &find_pretrained(choice, data_root)?)?);
        }
        Ok(inputs)
    }

    /// Those of an experiment whose data set and weights are not there, or not here: their files are taken to be what they were.
    ///
    /// # Errors
    /// Those of regions.
    pub fn believed(experiment: &'a Experiment, attributes: &'a [String]) -> Result<Self> {
        Ok(Self {
            experiment,
            attributes,
            content: None,
            regions: regions_content(experiment, attributes)?,
            weights: BTreeMap::new(),
            pretrained: None,
        })
    }

    /// The declaration of a step that reads nothing yet.
    pub fn declaration(&self, step: impl Into<String>, version: u32) -> Declaration {
        let declaration = Declaration::of(step, version);
        match self.content {
            Some(_) => declaration,
            None => declaration.believing_files(),
        }
    }

    /// The attributes' names, in their order.
    pub fn attribute_names(&self) -> &'a [String] {
        self.attributes
    }

    /// A step that reads these, and their order.
    pub fn attributes(&self, declaration: Declaration) -> Declaration {
        declaration.settings("attributes", self.attributes)
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
        self.with(self.squares(declaration), |content, declaration| {
            let declaration = content.validation.labelled("validation", declaration);
            content.training.labelled("training", declaration)
        })
    }

    /// How often each attribute is there among the training images, and what else tables and figures say of the data set.
    pub fn facts(&self, declaration: Declaration) -> Declaration {
        self.with(declaration, |content, declaration| {
            declaration.file("numbers of labels and images", &content.facts)
        })
    }

    /// The test images as the network sees them.
    pub fn test_images(&self, declaration: Declaration) -> Declaration {
        self.with(self.squares(declaration), |content, declaration| {
            let declaration = content.test.seen("test", declaration);
            declaration.file("names of test images", &content.names)
        })
    }

    /// The test images with their labels.
    pub fn labelled_test_images(&self, declaration: Declaration) -> Declaration {
        self.with(self.test_images(declaration), |content, declaration| {
            declaration.file("labels of test images", &content.test.labels)
        })
    }

    /// The masks of the test images, where there are any.
    pub fn masks(&self, declaration: Declaration) -> Declaration {
        self.with(declaration, |content, declaration| match &content.masks {
            Some(masks) => declaration.file("masks of test images", masks),
            None => declaration,
        })
    }

    /// The attributes' regions.
    pub fn regions(&self, declaration: Declaration) -> Declaration {
        match &self.regions {
            Some(regions) => with_regions(declaration, self.experiment, regions),
            None => self.masks(declaration.settings("measure.regions", &RegionSource::Masks)),
        }
    }

    /// The weights that a classifier has from elsewhere: its own, or those that its training starts from.
    pub fn weights(&self, declaration: Declaration, classifier: &str) -> Declaration {
        if let Some(weights) = self.weights.get(classifier) {
            return declaration.file(&format!("classifiers.{classifier}.weights"), weights);
        }
        match &self.pretrained {
            Some(weights) if self.experiment.is_trained(classifier) => declaration.file("model.pretrained", weights),
            _ => declaration,
        }
    }

    fn with(&self, declaration: Declaration, add: impl FnOnce(&Content, Declaration) -> Declaration) -> Declaration {
        match self.content {
            Some(content) => add(content, declaration),
            None => declaration,
        }
    }
}

/// Also reads the regions that are the same in every image; where each image has its own, only that.
///
/// # Errors
/// Those of the regions file.
pub fn regions_of(declaration: Declaration, experiment: &Experiment, attributes: &[String]) -> Result<Declaration> {
    Ok(match regions_content(experiment, attributes)? {
        Some(regions) => with_regions(declaration, experiment, &regions),
        None => declaration.settings("measure.regions", &RegionSource::Masks),
    })
}

fn with_regions(declaration: Declaration, experiment: &Experiment, regions: &ContentHash) -> Declaration {
    let choice = experiment.regions();
    // A person knows them by their file, which may be called otherwise tomorrow.
    let name = match choice {
        RegionSource::File(path) => path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
        _ => None,
    };
    declaration.named_file("measure.regions", &name.unwrap_or_else(|| choice.to_string()), regions)
}

/// Landmarks as a text that is equal only for equal ones.
fn points(face: &Landmarks) -> String {
    let points = [
        face.left_eye,
        face.right_eye,
        face.nose,
        face.left_mouth,
        face.right_mouth,
    ];
    points
        .map(|[x, y]| format!("{:08x}{:08x}", x.to_bits(), y.to_bits()))
        .concat()
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
        let of_file = |file: &Option<PathBuf>| match file {
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
