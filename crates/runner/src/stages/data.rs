//! The data stage: opens the data set, or writes it first when it is procedural, and chooses the images of each split.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{Annotations, CelebaFolder, ClassCounts, Loader, LoaderConfig, PackedPixels, Split, TableFolder};
use synthetic::{faces, shapes};

use super::bad_images::{self, BadImage};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{Data, OnBadImage, Source};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::stages::{celeba, packed};

/// Where data sets are, and whom opening one concerns.
pub(super) struct Place<'a> {
    /// Where all data sets are.
    pub root: &'a Path,
    /// Where progress is shown.
    pub progress: &'a Progress,
    /// Whether the run should stop.
    pub interrupt: &'a Interrupt,
}

/// A data set as an experiment uses it.
#[derive(Clone)]
pub struct DataSet {
    /// The images and what is known of them.
    pub source: Arc<dyn dataset::Source>,
    /// Positions of the training images.
    pub training: Vec<usize>,
    /// Positions of the validation images that pass the frontal filter.
    pub validation: Vec<usize>,
    /// Positions of the test images that pass the frontal filter: everything reported is on these.
    pub test: Vec<usize>,
    /// Positives and negatives of each attribute among the training images.
    pub counts: Vec<ClassCounts>,
    /// Images that were left out of all of these because they cannot be used.
    pub skipped: Vec<BadImage>,
    /// Their pixels in one file, where the experiment asks for it.
    packed: Option<Arc<PackedPixels>>,
}

impl DataSet {
    /// Opens the experiment's data set.
    ///
    /// # Errors
    /// When it is malformed, or has no training or test images.
    pub fn open(context: &Context) -> Result<Self> {
        let place = Place {
            root: &context.data_root,
            progress: &context.progress,
            interrupt: &context.interrupt,
        };
        let data = &context.experiment.data;
        let mut set = Self::open_in(data, &place)?;
        if data.on_bad_image == OnBadImage::Skip {
            let bad = bad_images::find(context, &set)?;
            set.leave_out(bad)?;
        }
        if data.packed_cache {
            set.pack(data, &place)?;
        }
        Ok(set)
    }

    fn pack(&mut self, data: &Data, place: &Place<'_>) -> Result<()> {
        let folder = place.root.join(folder_name(data));
        self.packed = Some(packed::open(place, data.image_size, &folder, self)?);
        Ok(())
    }

    fn open_in(data: &Data, place: &Place<'_>) -> Result<Self> {
        let folder = place.root.join(folder_name(data));
        let source: Arc<dyn dataset::Source> = match (data.source, &data.table) {
            (Source::Celeba, _) => celeba::open(&folder, place.progress, place.interrupt)?,
            (Source::Table, Some(table)) => {
                if let Some(shapes) = table.shapes {
                    crate::commands::data::write_shapes(&folder, shapes, place.progress, place.interrupt)?;
                }
                Arc::new(TableFolder::open(&table.config(&folder))?)
            }
            _ => {
                write_faces(data, &folder, place.progress, place.interrupt)?;
                Arc::new(CelebaFolder::open(&folder)?)
            }
        };
        let set = Self::choose(source, data)?;
        if data.source != Source::Table && set.annotations().landmarks.is_none() && data.frontal_threshold.is_some() {
            place.progress.say(celeba::NO_LANDMARKS);
        }
        Ok(set)
    }

    /// Leaves images out of every split.
    ///
    /// # Errors
    /// When nothing is left to train on or to test.
    fn leave_out(&mut self, bad: Vec<BadImage>) -> Result<()> {
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
    pub fn filtered(&self, settings: &Data) -> &'static str {
        match (&self.annotations().landmarks, settings.frontal_threshold) {
            (_, None) => "all",
            (None, Some(_)) if settings.source == Source::Table => "all",
            (None, Some(_)) => "not filtered for frontal faces: no landmarks",
            (Some(_), Some(_)) => "frontal",
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
    fn choose(source: Arc<dyn dataset::Source>, data: &Data) -> Result<Self> {
        let annotations = source.annotations();
        let mut training = annotations.indices(Split::Train);
        let used = (training.len() as f64 * data.training_fraction).ceil() as usize;
        training.truncate(used);
        let validation = frontal(
            annotations,
            annotations.indices(Split::Validation),
            data.frontal_threshold,
        );
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
                    "the data set has no {what}; {} should mark some",
                    match data.source {
                        Source::Table => "the column of the splits (data.table.split_column)",
                        _ => "its partition file (list_eval_partition.txt)",
                    }
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

/// The data set's folder below the data root.
pub(super) fn folder_name(data: &Data) -> PathBuf {
    data.folder.clone().unwrap_or_else(|| match data.source {
        Source::Celeba => "celeba".into(),
        Source::Table => match data.table.as_ref().and_then(|table| table.shapes) {
            Some(shapes) => format!(
                "shapes-v{}-{}-seed{}",
                shapes::GENERATOR_VERSION,
                shapes.images,
                shapes.seed
            )
            .into(),
            None => PathBuf::new(),
        },
        Source::Procedural => {
            let faces = &data.procedural;
            let (version, seed) = (faces::GENERATOR_VERSION, faces.seed);
            format!(
                "procedural-v{version}-{}-{}-{}-seed{seed}",
                faces.train, faces.validation, faces.test
            )
            .into()
        }
    })
}

/// Makes what runs on a data set share, where it is not there yet: procedural faces, an index of Parquet files, packed images.
///
/// # Errors
/// As [`DataSet::open`].
pub fn prepare(data: &Data, root: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    let place = Place {
        root,
        progress,
        interrupt,
    };
    let mut set = DataSet::open_in(data, &place)?;
    // Without bad images, which each run leaves out first.
    if data.packed_cache && data.on_bad_image == OnBadImage::Fail {
        set.pack(data, &place)?;
    }
    Ok(())
}

fn write_faces(data: &Data, folder: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    let faces = &data.procedural;
    let config = faces::Config {
        images: faces.train + faces.validation + faces.test,
        validation: faces.validation,
        test: faces.test,
        seed: faces.seed,
    };
    crate::commands::data::write_procedural(folder, &config, faces::Form::default(), progress, interrupt)
}
