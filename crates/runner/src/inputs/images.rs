//! The images of a data set's splits, as a step sees them.

use std::ops::Deref;

use dataset::{Fit, Loader, LoaderConfig, Preparation};
use pipeline::{Declaration, Piece};

use super::looked_at::LookedAt;
use crate::data::{ContentOfSplit, DataSet};
use crate::error::{Error, Result};
use crate::experiment::{DataSettings, OnBadImage};

/// Aligned squares of a data set's images.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    settings: &'a DataSettings,
    looked_at: Option<LookedAt<'a>>,
    /// Whether labels are read too.
    labelled: bool,
}

impl<'a> Images<'a> {
    pub(super) fn new(settings: &'a DataSettings, looked_at: Option<LookedAt<'a>>, labelled: bool) -> Self {
        Self {
            settings,
            looked_at,
            labelled,
        }
    }

    /// Side of the squares in pixels.
    pub fn size(&self) -> usize {
        self.settings.image_size
    }

    /// Whether labels are read too.
    pub fn are_labelled(&self) -> bool {
        self.labelled
    }

    /// What is done about an image that cannot be used.
    pub fn on_bad_image(&self) -> OnBadImage {
        self.settings.on_bad_image
    }

    /// How their files become the squares.
    ///
    /// # Errors
    /// When the data set is not here.
    pub fn preparation(&self) -> Result<Preparation> {
        Ok(self.data()?.source.preparation(self.size()))
    }

    /// A loader of the images at some positions.
    ///
    /// # Errors
    /// When a setting is out of range, or there is no image to load.
    pub fn loader(&self, indices: &[usize], config: LoaderConfig) -> Result<Loader> {
        self.data()?.loader(indices, config)
    }

    /// Steps work only where the data set is: elsewhere it is only judged whether they would.
    fn data(&self) -> Result<&'a DataSet> {
        let looked_at = self.looked_at.map(|looked_at| looked_at.data);
        looked_at.ok_or_else(|| Error::Request("the data set is not here".to_owned()))
    }
}

/// How an image becomes the network's input.
impl Piece for Images<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        let declaration = declaration.settings("data.image_size", &self.settings.image_size);
        match &self.settings.table {
            Some(table) => declaration.settings::<Fit>("data.table.resize", &table.resize),
            None => declaration,
        }
    }
}

/// The test images.
#[derive(Clone, Copy)]
pub struct TestImages<'a>(pub(super) Images<'a>);

impl<'a> Deref for TestImages<'a> {
    type Target = Images<'a>;

    fn deref(&self) -> &Images<'a> {
        &self.0
    }
}

impl<'a> TestImages<'a> {
    /// Their positions in the data set.
    pub fn indices(&self) -> &'a [usize] {
        self.0.looked_at.map_or(&[], |looked_at| &looked_at.data.test)
    }

    /// The name of the image at a position.
    pub fn name(&self, index: usize) -> &'a str {
        self.0
            .looked_at
            .map_or("", |looked_at| &looked_at.data.annotations().names[index])
    }

    /// Labels of the image at a position, by attribute: 1, -1, or 0 for "not annotated"; none where labels are not read.
    pub fn labels(&self, index: usize) -> &'a [i8] {
        let labelled = self.0.looked_at.filter(|_| self.0.labelled);
        labelled.map_or(&[], |looked_at| looked_at.data.annotations().labels_of(index))
    }
}

impl Piece for TestImages<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        let declaration = declaration.reading(&self.0);
        let Some(LookedAt { content, .. }) = self.0.looked_at else {
            return declaration;
        };
        let declaration = content
            .test
            .seen("test", declaration)
            .file("names of test images", &content.names);
        if self.0.labelled {
            declaration.file("labels of test images", &content.test.labels)
        } else {
            declaration
        }
    }
}

/// A part of the data set that trainings use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// What is trained on.
    Training,
    /// What trainings are followed on.
    Validation,
}

impl Split {
    /// Its name in words and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
        }
    }
}

/// The images of one split, without labels.
#[derive(Clone, Copy)]
pub struct SplitImages<'a> {
    pub(super) images: Images<'a>,
    pub(super) split: Split,
}

impl<'a> Deref for SplitImages<'a> {
    type Target = Images<'a>;

    fn deref(&self) -> &Images<'a> {
        &self.images
    }
}

impl<'a> SplitImages<'a> {
    /// Their positions in the data set.
    pub fn indices(&self) -> &'a [usize] {
        indices(self.images.looked_at, self.split)
    }

    /// Which split it is.
    pub fn split(&self) -> Split {
        self.split
    }
}

impl Piece for SplitImages<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        let declaration = declaration.reading(&self.images);
        match self.images.looked_at {
            Some(looked_at) => content(looked_at, self.split).seen(self.split.name(), declaration),
            None => declaration,
        }
    }
}

/// The labels of one split's images, without the images.
#[derive(Clone, Copy)]
pub struct SplitLabels<'a> {
    pub(super) looked_at: Option<LookedAt<'a>>,
    pub(super) split: Split,
}

impl SplitLabels<'_> {
    /// The labels [N, A] of all images in their order: 1, -1, or 0 for "not annotated".
    pub fn all(&self) -> Vec<i8> {
        let Some(LookedAt { data, .. }) = self.looked_at else {
            return Vec::new();
        };
        let indices = indices(self.looked_at, self.split).iter();
        indices
            .flat_map(|&index| data.annotations().labels_of(index).iter().copied())
            .collect()
    }
}

impl Piece for SplitLabels<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self.looked_at {
            Some(looked_at) => {
                let name = format!("labels of {} images", self.split.name());
                declaration.file(&name, &content(looked_at, self.split).labels)
            }
            None => declaration,
        }
    }
}

fn content(looked_at: LookedAt<'_>, split: Split) -> &ContentOfSplit {
    match split {
        Split::Training => &looked_at.content.training,
        Split::Validation => &looked_at.content.validation,
    }
}

fn indices(looked_at: Option<LookedAt<'_>>, split: Split) -> &[usize] {
    looked_at.map_or(&[], |looked_at| match split {
        Split::Training => &looked_at.data.training,
        Split::Validation => &looked_at.data.validation,
    })
}

/// The images that are trained on, and those on which the training is followed.
#[derive(Clone, Copy)]
pub struct TrainingImages<'a>(pub(super) Images<'a>);

impl<'a> Deref for TrainingImages<'a> {
    type Target = Images<'a>;

    fn deref(&self) -> &Images<'a> {
        &self.0
    }
}

impl<'a> TrainingImages<'a> {
    /// Positions of those that are trained on.
    pub fn training(&self) -> &'a [usize] {
        self.0.looked_at.map_or(&[], |looked_at| &looked_at.data.training)
    }

    /// Positions of those on which the training is followed.
    pub fn validation(&self) -> &'a [usize] {
        self.0.looked_at.map_or(&[], |looked_at| &looked_at.data.validation)
    }

    /// (positives, negatives) of each attribute among those that are trained on.
    pub fn class_counts(&self) -> Vec<(usize, usize)> {
        self.0
            .looked_at
            .map_or_else(Vec::new, |looked_at| looked_at.data.class_counts())
    }
}

impl Piece for TrainingImages<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        let declaration = declaration.reading(&self.0);
        let Some(LookedAt { content, .. }) = self.0.looked_at else {
            return declaration;
        };
        let declaration = content.validation.labelled("validation", declaration);
        content.training.labelled("training", declaration)
    }
}
