//! Test images drawn again with one attribute toggled, where the program draws the data set.

use std::path::Path;

use dataset::{AttributeMasks, Preparation};
use metrics::Region;
use pipeline::{Declaration, Piece};
use serde::Serialize;
use synthetic::{Counterfactual, faces, shapes};

use super::looked_at::LookedAt;
use crate::data::DataSet;
use crate::error::{Error, Result};
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
        let number = self.number(data, index)?;
        let drawn: Option<Counterfactual> = match self.generator {
            Generator::Faces { seed, .. } => match faces::Attribute::at(attribute) {
                Some(attribute) => faces::counterfactual(seed, number as u64, attribute)?,
                None => None,
            },
            Generator::Shapes { seed, .. } => match self.shape(attribute) {
                Some(shape) => Some(shapes::counterfactual(seed, number, shape)?),
                None => None,
            },
        };
        let Some(drawn) = drawn else {
            return Ok(None);
        };
        let told = data
            .annotations()
            .labels_of(index)
            .get(attribute)
            .copied()
            .unwrap_or_default();
        if told != 0 && told.signum() != drawn.label {
            let name = self.attributes.get(attribute).map_or("", String::as_str);
            return Err(self.another(
                data,
                index,
                &format!("its label of {name} is not that of the picture that is drawn"),
            ));
        }
        Ok(Some(Toggled {
            label: drawn.label,
            square: self.square(data, index, &drawn.bytes)?,
        }))
    }

    /// Which pixels of the aligned square toggling an attribute in an image changes; `None` where it cannot be toggled alone, or changes none of
    /// the square's pixels.
    ///
    /// # Errors
    /// When the image's size or landmarks cannot be read.
    pub fn difference(&self, index: usize, attribute: usize) -> Result<Option<Region>> {
        let Some(LookedAt { data, .. }) = self.looked_at else {
            return Ok(None);
        };
        if !self.can_toggle_alone(attribute, data.annotations().labels_of(index)) {
            return Ok(None);
        }
        let number = self.number(data, index)?;
        let drawn = match self.generator {
            Generator::Faces { seed, .. } => {
                faces::Attribute::at(attribute).map(|attribute| faces::difference_mask(seed, number as u64, attribute))
            }
            Generator::Shapes { seed, .. } => self
                .shape(attribute)
                .map(|shape| shapes::difference_mask(seed, number, shape)),
        };
        let Some(drawn) = drawn else {
            return Ok(None);
        };
        let mut mask = AttributeMasks::new(drawn.width(), drawn.height(), 1);
        for (x, y, _) in drawn.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 0) {
            mask.insert(0, x, y);
        }
        let (size, image_size) = (self.image_size, drawn.dimensions());
        let transform = data.source.alignment(index, image_size, size)?;
        let region = Region::from_mask(size, dataset::aligned_masks(&mask, image_size, &transform, size))?;
        Ok(Some(region).filter(|region| region.pixels() > 0))
    }

    /// An image with other noise of the sensor, `[S, S, 3]` as the network sees it; `None` where the data set is not here.
    ///
    /// # Errors
    /// When it cannot be drawn or decoded.
    pub fn with_other_noise(&self, index: usize) -> Result<Option<Vec<f32>>> {
        let Some(LookedAt { data, .. }) = self.looked_at else {
            return Ok(None);
        };
        let number = self.number(data, index)?;
        let bytes = match self.generator {
            Generator::Faces { seed, .. } => faces::with_other_noise(seed, number as u64, 0)?,
            Generator::Shapes { seed, .. } => shapes::with_other_noise(seed, number, 0)?,
        };
        self.square(data, index, &bytes).map(Some)
    }

    /// Which of the generator's pictures an image is, counted from 0: its name says so, wherever it stands in a table.
    fn number(&self, data: &DataSet, index: usize) -> Result<usize> {
        let name = Path::new(&data.annotations().names[index]);
        let number = name.file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
        let number = number.and_then(|number| number.checked_sub(1));
        number.ok_or_else(|| {
            self.another(
                data,
                index,
                "its name is not one that the program gives, such as 000001.jpg",
            )
        })
    }

    /// The data set is not the one that is drawn.
    fn another(&self, data: &DataSet, index: usize, why: &str) -> Error {
        Error::Request(format!(
            "{}: {why}; attributes can be toggled in the program's own data set only: remove its folder and run again, or set \
             measure.interventions.images=0 and measure.faithfulness.images=0",
            data.annotations().names[index]
        ))
    }

    /// A picture that takes the place of an image, aligned by that image's landmarks.
    fn square(&self, data: &DataSet, index: usize, bytes: &[u8]) -> Result<Vec<f32>> {
        let preparation: Preparation = data.source.preparation(self.image_size);
        let annotations = data.annotations();
        let landmarks = annotations.landmarks.as_ref().map(|all| &all[index]);
        Ok(preparation.apply(bytes, annotations.names[index].as_ref(), landmarks)?)
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
