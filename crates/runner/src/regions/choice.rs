//! The regions that an experiment asks for.

use metrics::Region;
use render::Outline;

use super::file::{self, celeba};
use super::region::AttributeRegion;

use crate::error::Result;
use crate::experiment::{CELEBA_REGIONS, Experiment, MASKS, NO_REGIONS};

/// The regions of a data set's attributes.
#[derive(Debug, Clone)]
pub enum Regions {
    /// One region an attribute, on the aligned square.
    Fixed(Vec<AttributeRegion>),
    /// The data set's masks, image by image.
    Masks,
}

/// Masks that cover less of the image than this, in the mean, tell where a classifier looks.
const LOCAL_MASKS: f64 = 0.5;

impl Regions {
    /// An attribute's region in an image whose own mask of it is `mask`; `None` where it has none.
    pub fn in_image<'a>(&'a self, attribute: usize, mask: Option<&'a Region>) -> Option<&'a Region> {
        match self {
            Self::Fixed(all) => all.get(attribute).map(|one| &one.region),
            // An empty mask is no place.
            Self::Masks => mask.filter(|mask| mask.pixels() > 0),
        }
    }

    /// Whether an attribute's region, of this mean area where each image has its own, is small enough for its energy to tell where
    /// a classifier looks.
    pub fn is_local(&self, attribute: usize, area: Option<f64>) -> bool {
        match self {
            Self::Fixed(all) => all.get(attribute).is_some_and(|one| one.local),
            Self::Masks => area.is_some_and(|area| area < LOCAL_MASKS),
        }
    }

    /// Whether an attribute's region may tell where a classifier looks: of masks that is not known before they are read.
    pub fn may_be_local(&self, attribute: usize) -> bool {
        match self {
            Self::Fixed(all) => all.get(attribute).is_some_and(|one| one.local),
            Self::Masks => true,
        }
    }

    /// The border of an attribute's region, if it is the same in every image.
    pub fn outline(&self, attribute: usize) -> Option<Outline> {
        match self {
            Self::Fixed(all) => all.get(attribute)?.outline(),
            Self::Masks => None,
        }
    }
}

/// Those of an experiment.
///
/// # Errors
/// When the regions file cannot be read, is malformed or lacks an attribute.
pub fn load(experiment: &Experiment, attributes: &[String]) -> Result<Regions> {
    choose(experiment.regions(), attributes, experiment.data.image_size)
}

/// The regions of a `measure.regions`, on a square of side `size`.
///
/// # Errors
/// As [`load`].
pub fn choose(choice: &str, attributes: &[String], size: usize) -> Result<Regions> {
    match choice {
        CELEBA_REGIONS => celeba(attributes, size).map(Regions::Fixed),
        NO_REGIONS => {
            let whole = AttributeRegion::whole(size)?;
            Ok(Regions::Fixed(vec![whole; attributes.len()]))
        }
        MASKS => Ok(Regions::Masks),
        path => file::read(path.as_ref(), attributes, size).map(Regions::Fixed),
    }
}
