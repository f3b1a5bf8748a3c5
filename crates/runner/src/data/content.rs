//! What the images, labels, landmarks and masks of a data set are, by content: told by the bytes of files, wherever those are and
//! whatever they are called, so that the same data set in another folder or another form is the same data set.

use std::io;
use std::path::PathBuf;

use dataset::Landmarks;
use pipeline::{ContentHash, Contents, Declaration, Interrupt, ListHash, Progress};
use rayon::prelude::*;

use super::set::DataSet;
use crate::context::Context;
use crate::error::Result;
use crate::measured::DataFacts;

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
    /// The training images.
    pub training: ContentOfSplit,
    /// The validation images on which trainings are followed.
    pub validation: ContentOfSplit,
    /// The test images.
    pub test: ContentOfSplit,
    /// Names of the test images.
    pub names: ContentHash,
    /// Who is in the test images, where the data set knows.
    pub people: Option<ContentHash>,
    /// Masks of the test images, where the data set has masks.
    pub masks: Option<ContentHash>,
    /// What is shown of the data set.
    pub facts: ContentHash,
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
        let people = data.people(&data.test).map(|people| {
            let mut list = ListHash::default();
            for (index, person) in data.test.iter().zip(&people) {
                list.add(&index.to_string(), person);
            }
            list.finish()
        });
        let masks = data.source.has_masks();
        Ok(Self {
            training: ContentOfSplit::of(data, &data.training, "training images", reading)?,
            validation: ContentOfSplit::of(data, &data.validation, "validation images", reading)?,
            test: ContentOfSplit::of(data, &data.test, "test images", reading)?,
            names: names.finish(),
            people,
            masks: match masks {
                true => Some(masks_content(data, &data.test, reading)?),
                false => None,
            },
            facts: ContentHash::of(&facts.to_bytes()),
        })
    }
}

/// What the images of one split are.
pub struct ContentOfSplit {
    /// A person who chose other images is told so first.
    count: usize,
    /// The labels alone.
    pub labels: ContentHash,
    landmarks: Option<ContentHash>,
    images: ContentHash,
    /// Whether some may be transparent.
    transparent: bool,
    /// Images whose bytes cannot be had.
    pub unreadable: Vec<usize>,
}

impl ContentOfSplit {
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
        let images = images_found(data, indices, title, reading)?;
        let bad = indices
            .iter()
            .zip(&images)
            .filter(|(_, content)| content.starts_with(UNREADABLE));
        let unreadable = bad.map(|(index, _)| *index).collect();
        Ok(Self {
            count: indices.len(),
            labels: labels.finish(),
            landmarks,
            images: listed(indices, &images),
            transparent: indices.par_iter().any(|&index| data.source.may_be_transparent(index)),
            unreadable,
        })
    }

    /// The images as they are seen.
    pub fn seen(&self, split: &str, declaration: Declaration) -> Declaration {
        let declaration = declaration
            .number(&format!("number of {split} images"), self.count)
            .file(&format!("{split} images"), &self.images);
        // Earlier versions saw the colour beneath.
        let declaration = match self.transparent {
            true => declaration.settings("transparent parts of images", "white"),
            false => declaration,
        };
        match &self.landmarks {
            Some(landmarks) => declaration.file(&format!("landmarks of {split} images"), landmarks),
            None => declaration,
        }
    }

    /// The images as they are seen, and their labels.
    pub fn labelled(&self, split: &str, declaration: Declaration) -> Declaration {
        self.seen(split, declaration)
            .file(&format!("labels of {split} images"), &self.labels)
    }
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
/// [`Interrupted`](pipeline::Interrupted). An image that cannot be read is a content of its own: what becomes of it is for those to say
/// who need it.
pub fn images_content(data: &DataSet, indices: &[usize], title: &str, reading: Reading<'_>) -> Result<ContentHash> {
    Ok(listed(indices, &images_found(data, indices, title, reading)?))
}

fn images_found(data: &DataSet, indices: &[usize], title: &str, reading: Reading<'_>) -> Result<Vec<String>> {
    each(indices, title, reading, |index| {
        let bytes = || data.source.image_bytes(index).map_err(io::Error::other);
        let hash = match data.source.image_origin(index) {
            Some(origin) => match &origin.part {
                Some(part) => reading.contents.of_part(&origin.file, part, bytes),
                None => reading.contents.of(&origin.file),
            },
            None => bytes().map(|bytes| ContentHash::of(&bytes)),
        };
        text(hash)
    })
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
        let contents = files.iter().map(of_file).collect::<Vec<_>>().join(" ");
        match data.source.mask_rule() {
            1 => contents,
            rule => format!("{contents} by rule {rule}"),
        }
    })?;
    Ok(listed(indices, &found))
}

/// How the content of what cannot be read begins.
const UNREADABLE: &str = "unreadable:";

fn text(hash: io::Result<ContentHash>) -> String {
    hash.map_or_else(
        |error| format!("{UNREADABLE} {}", error.kind()),
        |hash| hash.to_string(),
    )
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
