//! What is hidden of images.

use pipeline::{Declaration, Piece};

use crate::error::{Error, Result};
use crate::experiment::{Hide, RegionSource};
use crate::inputs::{AttributeRegions, Inputs, Masks, Setting};

/// Which part of an image is hidden for an attribute.
pub enum HiddenParts<'a> {
    /// The attributes' regions, or the images' own masks where those are the regions.
    Regions(AttributeRegions<'a>),
    /// The images' own masks.
    Masks(Setting<RegionSource>, Masks<'a>),
}

impl<'a> HiddenParts<'a> {
    /// Those of an experiment.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        match (inputs.experiment.regions(), inputs.experiment.measure.occlusion.hide) {
            (RegionSource::Masks, _) | (_, Hide::Region) => Self::Regions(inputs.regions()),
            (_, Hide::ExactMask) => Self::Masks(Setting::new("measure.regions", RegionSource::Masks), inputs.masks()),
        }
    }
}

impl HiddenParts<'_> {
    /// Whether there is anything to hide.
    ///
    /// # Errors
    /// When masks are to be hidden and there are none.
    pub fn check(&self) -> Result<()> {
        let masks = match self {
            Self::Regions(regions) => regions.own(),
            Self::Masks(_, masks) => Some(*masks),
        };
        if masks.is_some_and(|masks| !masks.exist()) {
            return Err(Error::experiment(
                "measure.occlusion.hide",
                "exact_mask, but the data set has no masks; `region` hides the attributes' regions",
            ));
        }
        Ok(())
    }
}

impl Piece for HiddenParts<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self {
            Self::Regions(regions) => declaration.reading(regions),
            Self::Masks(regions, masks) => declaration.reading(regions).reading(masks),
        }
    }
}
