//! Where one attribute is expected to be visible, if it is the same place in every image.

use metrics::{Grid, Region};
use render::Outline;

use crate::error::Result;

/// Where one attribute is expected to be visible.
#[derive(Debug, Clone)]
pub struct AttributeRegion {
    /// Its pixels of the aligned square.
    pub region: Region,
    /// The cells it is made of, where it is.
    pub(super) grid: Option<Grid>,
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
    pub(super) fn whole(size: usize) -> Result<Self> {
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
