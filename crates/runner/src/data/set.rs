//! A data set as an experiment uses it: its images, and which of them each split has.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use dataset::{Annotations, ClassCounts, FRONTAL_THRESHOLD, Loader, LoaderConfig, PackedPixels, Split};

use crate::error::{Error, Result};
use crate::experiment::{DataSettings, DataSource};
use crate::measured::DataFacts;

/// An image that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadImage {
    /// Its position in the data set.
    pub index: usize,
    /// Its name there.
    pub name: String,
    /// The split it was for.
    pub split: Split,
    /// Why, in words.
    pub reason: String,
}

/// A data set as an experiment uses it.
#[derive(Clone)]
pub struct DataSet {
    /// The images and what is known of them.
    pub source: Arc<dyn dataset::Source>,
    /// Positions of the training images.
    pub training: Vec<usize>,
    /// Positions of the validation images on which trainings are followed.
    pub validation: Vec<usize>,
    /// Positions of the test images that pass the frontal filter: everything reported is on these.
    pub test: Vec<usize>,
    /// Positives and negatives of each attribute among the training images.
    pub counts: Vec<ClassCounts>,
    /// Images that were left out of all of these because they cannot be used.
    pub skipped: Vec<BadImage>,
    /// Their pixels in one file, where the experiment asks for it.
    pub packed: Option<Arc<PackedPixels>>,
}

impl DataSet {
    /// Leaves images out of every split.
    ///
    /// # Errors
    /// When nothing is left to train on or to test.
    pub fn leave_out(&mut self, bad: Vec<BadImage>) -> Result<()> {
        let is_bad: HashSet<usize> = bad.iter().map(|image| image.index).collect();
        for split in [&mut self.training, &mut self.validation, &mut self.test] {
            split.retain(|index| !is_bad.contains(index));
        }
        if self.training.is_empty() || self.test.is_empty() {
            return Err(Error::Request(format!(
                "no training or no test image is left without the {} that cannot be used",
                bad.len()
            )));
        }
        self.counts = self.annotations().class_counts(&self.training);
        self.skipped = bad;
        Ok(())
    }

    /// What the frontal filter did, in a word or two.
    pub fn filtered(&self, settings: &DataSettings) -> &'static str {
        match (&self.annotations().landmarks, settings.frontal_threshold) {
            (_, None) => "all",
            (None, Some(_)) if settings.source == DataSource::Table => "all",
            (None, Some(_)) => "not filtered for frontal faces: no landmarks",
            (Some(_), Some(_)) => "frontal",
        }
    }

    /// Of how many people the test images are, in a few words; nothing where that is not known or every image is of another.
    pub fn of_whom(&self, settings: &DataSettings) -> String {
        let Some(people) = self.people(&self.test) else {
            return String::new();
        };
        let people: HashSet<String> = people.into_iter().collect();
        match (settings.source, people.len()) {
            (DataSource::Table, 1) => " of 1 group".to_owned(),
            (DataSource::Table, groups) => format!(" of {groups} groups"),
            (_, 1) => " of 1 person".to_owned(),
            (_, people) => format!(" of {people} people"),
        }
    }

    /// Names of who, or what else, is in the images at some positions: equal for images of one person, patient or place. `None` where the
    /// data set does not know, or all its images are of different people.
    pub fn people(&self, indices: &[usize]) -> Option<Vec<String>> {
        self.annotations().people()?;
        let names = indices.iter().map(|&index| self.source.person(index));
        names.map(|name| name.map(Cow::into_owned)).collect()
    }

    /// What results say of it.
    pub fn facts(&self, settings: &DataSettings) -> DataFacts {
        DataFacts {
            attributes: self.attributes().to_vec(),
            counts: self.class_counts(),
            training: self.training.len(),
            test: self.test.len(),
            filter: self.filtered(settings).to_owned(),
        }
    }

    /// A loader of some of the images.
    ///
    /// # Errors
    /// When a setting is out of range, or there is no image to load.
    pub fn loader(&self, indices: &[usize], config: LoaderConfig) -> Result<Loader> {
        let (source, packed) = (Arc::clone(&self.source), self.packed.clone());
        Ok(Loader::with_packed(source, indices.to_vec(), config, packed)?)
    }

    /// Chooses each split's images.
    ///
    /// # Errors
    /// When there are no training or no test images.
    pub fn choose(source: Arc<dyn dataset::Source>, data: &DataSettings) -> Result<Self> {
        let annotations = source.annotations();
        let mut training = annotations.indices(Split::Train);
        let used = (training.len() as f64 * data.training_fraction).ceil() as usize;
        training.truncate(used);
        let validation = followed(annotations);
        let test = frontal(annotations, annotations.indices(Split::Test), data.frontal_threshold);
        for (indices, what) in [
            (&training, "training images"),
            (
                &test,
                match annotations.landmarks {
                    Some(_) => "test images that pass the frontal filter",
                    None => "test images",
                },
            ),
        ] {
            if indices.is_empty() {
                return Err(Error::Request(format!(
                    "the data set has no {what}; {}",
                    how_to_have_some(annotations, data)
                )));
            }
        }
        let counts = annotations.class_counts(&training);
        Ok(Self {
            training,
            validation,
            test,
            counts,
            source,
            packed: None,
            skipped: Vec::new(),
        })
    }

    /// Names, labels, splits and landmarks.
    pub fn annotations(&self) -> &Annotations {
        self.source.annotations()
    }

    /// Names of the attributes.
    pub fn attributes(&self) -> &[String] {
        self.annotations().attributes.names()
    }

    /// (positives, negatives) of each attribute among the training images.
    pub fn class_counts(&self) -> Vec<(usize, usize)> {
        self.counts
            .iter()
            .map(|counts| (counts.positives, counts.negatives))
            .collect()
    }
}

/// What would give a split images that has none.
fn how_to_have_some(annotations: &Annotations, data: &DataSettings) -> String {
    let table = data.table.as_ref().filter(|_| data.source == DataSource::Table);
    let Some(table) = table else {
        return "its partition file (list_eval_partition.txt) should mark some".to_owned();
    };
    let Some(column) = &table.group_column.as_ref().filter(|_| table.split_column.is_none()) else {
        return "the column of the splits (data.table.split_column) should mark some".to_owned();
    };
    let groups: HashSet<&u32> = annotations.identities.iter().flatten().collect();
    format!(
        "data.table.split keeps the images of a group together, and data.table.group_column: {column} makes {} of the {} images: other \
         shares, or groups that are smaller, leave some for each split",
        match groups.len() {
            1 => "1 group".to_owned(),
            several => format!("{several} groups"),
        },
        annotations.len()
    )
}

/// The validation images on which a training is followed: those that pass the paper's frontal filter, or all where none does. Whatever
/// `data.frontal_threshold` chooses for scores and maps, a training is the same.
fn followed(annotations: &Annotations) -> Vec<usize> {
    let all = annotations.indices(Split::Validation);
    let frontal = frontal(annotations, all.clone(), Some(FRONTAL_THRESHOLD));
    if frontal.is_empty() { all } else { frontal }
}

/// Keeps the images whose face is frontal; without landmarks or threshold, all.
fn frontal(annotations: &Annotations, indices: Vec<usize>, threshold: Option<f32>) -> Vec<usize> {
    match (&annotations.landmarks, threshold) {
        (Some(landmarks), Some(threshold)) => indices
            .into_iter()
            .filter(|&index| dataset::is_frontal(&landmarks[index], threshold))
            .collect(),
        _ => indices,
    }
}
