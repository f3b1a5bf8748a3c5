//! Where attributes should be visible.

use std::ops::Deref;

use pipeline::{ContentHash, Declaration, ListHash, Piece};

use super::masks::Masks;
use crate::error::Result;
use crate::experiment::{Experiment, RegionSource};
use crate::regions::{self, Regions};

/// The attributes' regions, and the masks of the test images where those are the regions.
pub struct AttributeRegions<'a> {
    pub(super) regions: &'a Regions,
    pub(super) declared: &'a DeclaredRegions,
    pub(super) masks: Masks<'a>,
}

impl Deref for AttributeRegions<'_> {
    type Target = Regions;

    fn deref(&self) -> &Regions {
        self.regions
    }
}

impl<'a> AttributeRegions<'a> {
    /// The regions as whoever reads what was measured in them declares them.
    pub fn declared(&self) -> &'a DeclaredRegions {
        self.declared
    }

    /// The images' own masks of the attributes, where those are their regions.
    pub fn own(&self) -> Option<Masks<'a>> {
        matches!(self.regions, Regions::Masks).then_some(self.masks)
    }
}

impl Piece for AttributeRegions<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        declaration.reading(self.declared).reading(&self.own())
    }
}

/// What is declared of regions: what is the same in every image, pixel by pixel, whatever it is given by.
pub enum DeclaredRegions {
    /// The same in every image.
    Fixed {
        /// What a person knows them by: their file, which may be called otherwise tomorrow.
        name: String,
        /// Their pixels.
        content: ContentHash,
    },
    /// Each image has its own.
    Masks,
}

impl DeclaredRegions {
    /// Those of an experiment.
    pub(super) fn of(experiment: &Experiment, attributes: &[String], regions: &Regions) -> Self {
        let Regions::Fixed(all) = regions else {
            return Self::Masks;
        };
        let mut list = ListHash::default();
        for (name, one) in attributes.iter().zip(all) {
            let pixels: Vec<u8> = one.region.mask().iter().map(|&inside| u8::from(inside)).collect();
            // What is drawn of a region may be finer than its pixels.
            let outline = one.outline().map(|outline| {
                let cells: Vec<u8> = outline.inside.iter().map(|&inside| u8::from(inside)).collect();
                format!("{} {}", outline.side, ContentHash::of(&cells))
            });
            let about = format!(
                "{} {} {}",
                ContentHash::of(&pixels),
                one.local,
                outline.unwrap_or_default()
            );
            list.add(name, &about);
        }
        let choice = experiment.regions();
        let name = match choice {
            RegionSource::File(path) => path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
            _ => None,
        };
        Self::Fixed {
            name: name.unwrap_or_else(|| choice.to_string()),
            content: list.finish(),
        }
    }
}

impl Piece for DeclaredRegions {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self {
            Self::Fixed { name, content } => declaration.named_file("measure.regions", name, content),
            Self::Masks => declaration.settings("measure.regions", &RegionSource::Masks),
        }
    }
}

/// What is declared of the regions of an experiment by whoever reads what was measured in them.
///
/// # Errors
/// Those of the regions file.
pub fn regions_of(experiment: &Experiment, attributes: &[String]) -> Result<DeclaredRegions> {
    let regions = regions::load(experiment, attributes)?;
    Ok(DeclaredRegions::of(experiment, attributes, &regions))
}
