//! Test images drawn again with one attribute toggled, where the program draws the data set.

use dataset::Preparation;
use pipeline::{Declaration, Piece};
use serde::Serialize;
use synthetic::{Counterfactual, faces, shapes};

use super::looked_at::LookedAt;
use crate::error::Result;
use crate::experiment::{DataSettings, DataSource};

/// What draws the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Generator {
    Faces { version: u32, seed: u64 },
    Shapes { version: u32, seed: u64 },
}

/// The counterfactuals of the test images.
#[derive(Clone, Copy)]
pub struct Counterfactuals<'a> {
    generator: Generator,
    image_size: usize,
    /// Places of the data set's attributes among the generator's; absent of one that it does not draw.
    attributes: &'a [String],
    looked_at: Option<LookedAt<'a>>,
}

/// Raised when other pairs are left out, or other pictures drawn, from the same generator.
const VERSION: u32 = 1;

/// A test image with an attribute toggled.
pub struct Toggled {
    /// The attribute's class in the test image, 1 or -1.
    pub label: i8,
    /// `[S, S, 3]` in [0, 1], as the network sees it.
    pub square: Vec<f32>,
}

impl<'a> Counterfactuals<'a> {
    /// Those of a data set, if the program draws it.
    pub(super) fn new(data: &DataSettings, attributes: &'a [String], looked_at: Option<LookedAt<'a>>) -> Option<Self> {
        let shapes = data.table.as_ref().and_then(|table| table.shapes);
        let generator = match (data.source, shapes) {
            (DataSource::Procedural, _) => Generator::Faces {
                version: faces::GENERATOR_VERSION,
                seed: data.procedural.seed,
            },
            (DataSource::Table, Some(shapes)) => Generator::Shapes {
                version: shapes::GENERATOR_VERSION,
                seed: shapes.seed,
            },
            _ => return None,
        };
        Some(Self {
            generator,
            image_size: data.image_size,
            attributes,
            looked_at,
        })
    }

    /// Whether an attribute can be toggled alone in an image with these labels.
    pub fn can_toggle_alone(&self, attribute: usize, labels: &[i8]) -> bool {
        match self.generator {
            Generator::Faces { .. } => {
                faces::Attribute::at(attribute).is_some_and(|one| one.changes_too(labels).next().is_none())
            }
            Generator::Shapes { .. } => self.shape(attribute).is_some(),
        }
    }

    /// The image at a position of the data set with an attribute toggled; `None` where it cannot be toggled alone.
    ///
    /// # Errors
    /// When it cannot be drawn or decoded.
    pub fn toggled(&self, index: usize, attribute: usize) -> Result<Option<Toggled>> {
        let Some(LookedAt { data, .. }) = self.looked_at else {
            return Ok(None);
        };
        let drawn: Option<Counterfactual> = match self.generator {
            Generator::Faces { seed, .. } => match faces::Attribute::at(attribute) {
                Some(attribute) => faces::counterfactual(seed, index as u64, attribute)?,
                None => None,
            },
            Generator::Shapes { seed, .. } => match self.shape(attribute) {
                Some(shape) => Some(shapes::counterfactual(seed, index, shape)?),
                None => None,
            },
        };
        let Some(drawn) = drawn else {
            return Ok(None);
        };
        let preparation: Preparation = data.source.preparation(self.image_size);
        let landmarks = data.annotations().landmarks.as_ref().map(|all| &all[index]);
        let name = &data.annotations().names[index];
        let square = preparation.apply(&drawn.bytes, name.as_ref(), landmarks)?;
        Ok(Some(Toggled {
            label: drawn.label,
            square,
        }))
    }

    /// Where in the generator's table an attribute of shapes stands: a table may take some of its columns.
    fn shape(&self, attribute: usize) -> Option<usize> {
        let name = self.attributes.get(attribute)?;
        shapes::ATTRIBUTES.iter().position(|known| known == name)
    }
}

impl Piece for Counterfactuals<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration
            .settings("what draws the test images again", &self.generator)
            .number("version of the counterfactuals", VERSION as usize)
    }
}
