//! Where each attribute is expected to be visible: the same place in every image, or another in each.

mod file;

pub use file::celeba;

use metrics::{Grid, Region};

use crate::error::Result;
use crate::experiment::{CELEBA_REGIONS, Experiment, MASKS, NO_REGIONS};
use crate::figures::data::Outline;

/// The regions of a data set's attributes.
#[derive(Debug, Clone)]
pub enum Regions {
    /// One region an attribute, on the aligned square.
    Fixed(Vec<AttributeRegion>),
    /// The data set's masks, image by image.
    Masks,
}

/// Where one attribute is expected to be visible.
#[derive(Debug, Clone)]
pub struct AttributeRegion {
    /// Its pixels of the aligned square.
    pub region: Region,
    /// The cells it is made of, where it is.
    grid: Option<Grid>,
    /// Whether it is small enough for its energy to tell where a classifier looks.
    pub local: bool,
}

impl AttributeRegion {
    /// Some pixels of the square.
    pub fn of(region: Region, local: bool) -> Self {
        Self {
            region,
            grid: None,
            local,
        }
    }

    /// The whole square of a side, which tells nothing.
    fn whole(size: usize) -> Result<Self> {
        Ok(Self::of(Region::from_mask(size, vec![true; size * size])?, false))
    }

    /// Its border for figures; the whole square has none.
    pub fn outline(&self) -> Option<Outline> {
        match &self.grid {
            Some(grid) => Some(Outline {
                side: grid.side(),
                inside: grid.cells().to_vec(),
            }),
            None => outline(&self.region),
        }
    }
}

/// The border of a region for figures; the whole square has none, nor has an empty region.
pub fn outline(region: &Region) -> Option<Outline> {
    let partial = region.pixels() > 0 && region.pixels() < region.mask().len();
    partial.then(|| Outline {
        side: region.size(),
        inside: region.mask().to_vec(),
    })
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

/// The regions that an experiment asks for.
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
