//! What is hidden of images.

use pipeline::{Declaration, Piece};

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

impl Piece for HiddenParts<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self {
            Self::Regions(regions) => declaration.reading(regions),
            Self::Masks(regions, masks) => declaration.reading(regions).reading(masks),
        }
    }
}
