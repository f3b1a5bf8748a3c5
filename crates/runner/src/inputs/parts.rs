//! The pieces that are no images: settings, names, other steps' files, and weights from elsewhere.

use std::borrow::Cow;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use dataset::Preparation;
use pipeline::{ContentHash, Declaration, Piece, Sandbox};
use serde::Serialize;

use super::looked_at::LookedAt;
use crate::error::{Error, Result};

/// A setting, or a section of them.
pub struct Setting<T> {
    key: Cow<'static, str>,
    value: T,
}

impl<T: Serialize> Setting<T> {
    /// The value of a dotted key.
    pub fn new(key: impl Into<Cow<'static, str>>, value: T) -> Self {
        Self { key: key.into(), value }
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Piece for Setting<T> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration.settings(&self.key, &self.value)
    }
}

/// The attributes' names, in the data set's order.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub(super) &'a [String]);

impl<'a> Attributes<'a> {
    /// The names.
    pub fn names(&self) -> &'a [String] {
        self.0
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl Piece for Attributes<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration.settings("attributes", self.0)
    }
}

/// How the data set's images become the squares that a network sees.
#[derive(Clone, Copy)]
pub struct Squares(pub(super) Option<Preparation>);

impl Squares {
    /// How.
    ///
    /// # Errors
    /// When the data set is not here.
    pub fn preparation(&self) -> Result<Preparation> {
        self.0
            .ok_or_else(|| Error::Request("the data set is not here".to_owned()))
    }
}

impl Piece for Squares {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match &self.0 {
            Some(preparation) => {
                let content = ContentHash::of(format!("{preparation:?}").as_bytes());
                declaration.file("how images become squares", &content)
            }
            None => declaration,
        }
    }
}

/// A file that another step has made.
pub struct Artefact {
    step: String,
    path: String,
}

impl Artefact {
    /// The file at `path` in the results folder, which `step` makes.
    pub fn new(step: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            path: path.into(),
        }
    }

    /// Where it is.
    ///
    /// # Errors
    /// When the step at work has not declared it.
    pub fn at(&self, folder: &Sandbox<'_>) -> Result<PathBuf> {
        Ok(folder.input(&self.path)?)
    }
}

impl Piece for Artefact {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration.artefact(&self.step, &self.path)
    }
}

/// How often each attribute is there among the training images, and what else tables and figures say of the data set.
#[derive(Clone, Copy)]
pub struct Facts<'a>(pub(super) Option<LookedAt<'a>>);

impl Facts<'_> {
    /// (positives, negatives) of each attribute among the training images; empty where the data set is not here.
    pub fn class_counts(&self) -> Vec<(usize, usize)> {
        self.0.map_or_else(Vec::new, |looked_at| looked_at.data.class_counts())
    }
}

impl Piece for Facts<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self.0 {
            Some(looked_at) => declaration.file("numbers of labels and images", &looked_at.content.facts),
            None => declaration,
        }
    }
}

/// How often each attribute is there among the training images, and nothing else.
#[derive(Clone, Copy)]
pub struct ClassCounts<'a>(pub(super) Option<LookedAt<'a>>);

impl ClassCounts<'_> {
    /// (positives, negatives) of each attribute; empty where the data set is not here.
    pub fn of_attributes(&self) -> Vec<(usize, usize)> {
        self.0.map_or_else(Vec::new, |looked_at| looked_at.data.class_counts())
    }
}

impl Piece for ClassCounts<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self.0 {
            Some(_) => {
                let counts = ContentHash::of(format!("{:?}", self.of_attributes()).as_bytes());
                declaration.file("classes of training images", &counts)
            }
            None => declaration,
        }
    }
}

/// Weights that a classifier has from elsewhere.
pub struct Weights<'a> {
    /// The setting that names the file.
    pub(super) key: String,
    pub(super) path: &'a Path,
    pub(super) content: &'a ContentHash,
}

impl<'a> Weights<'a> {
    /// The file.
    pub fn path(&self) -> &'a Path {
        self.path
    }
}

impl Piece for Weights<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration.file(&self.key, self.content)
    }
}
