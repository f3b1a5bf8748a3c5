//! What is made of the maps of a batch: its rows' measurements, average maps and faces, and the raw maps where they are kept.

use cam::{MapAverage, Maps, Output};
use metrics::{Class, Filter};
use rayon::prelude::*;

use super::average_faces::AverageFaces;
use super::energies::Row;
use super::localiser::Localiser;
use super::seen::{Explaining, Seen};
use super::{average_maps, raw_maps};
use crate::artefacts;
use crate::error::Result;

/// What the maps leave behind, of a size that does not depend on the number of images.
pub struct Collected {
    of_attributes: Vec<OfAttribute>,
    faces: AverageFaces,
    /// Since the first maps, whose size is that of all.
    localiser: Option<Localiser>,
    kept: Option<raw_maps::Writer>,
    /// Images explained so far.
    pub done: usize,
}

/// Maps that were made: of all images of a batch, or of one.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// The positions in the batch of the images that are taken in.
    pub positions: &'a [usize],
    /// The maps.
    pub maps: &'a Maps,
}

/// Of one attribute.
#[derive(Default)]
struct OfAttribute {
    /// Averages of the maps' cells over each filter of [`Filter::ALL`].
    averages: Vec<MapAverage>,
    /// The cells in hand.
    cells: Vec<f32>,
    /// Energy of the map of each position in hand in every attribute's region ([`Localiser::everywhere`]); empty without a map.
    everywhere: Vec<Vec<Option<f64>>>,
}

impl Collected {
    /// Nothing yet.
    pub fn new(attributes: usize, image_size: usize) -> Self {
        Self {
            of_attributes: (0..attributes).map(|_| OfAttribute::default()).collect(),
            faces: AverageFaces::new(attributes, image_size * image_size * 3),
            localiser: None,
            kept: None,
            done: 0,
        }
    }

    /// Takes in maps of some images of a batch, and completes their rows, by attribute.
    ///
    /// # Errors
    /// When masks cannot be read, or raw maps not be written.
    pub fn take_in(
        &mut self,
        explaining: &Explaining<'_>,
        seen: &Seen<'_>,
        output: &Output,
        made: Made<'_>,
        rows: &mut [Vec<Row>],
    ) -> Result<()> {
        let Made { positions, maps } = made;
        // All maps of a batch are in the batch's order; those of one image are alone.
        let row = |position: usize| {
            if maps.images == seen.batch.indices.len() {
                position
            } else {
                0
            }
        };
        let size = explaining.images.size();
        let attributes = explaining.attributes.len();
        let localiser = match &mut self.localiser {
            Some(localiser) => localiser,
            none => {
                let cells = [maps.height, maps.width];
                self.kept = begin_raw_maps(explaining, cells)?;
                let (settings, regions) = (explaining.settings, explaining.regions);
                none.insert(Localiser::new(settings.method, settings.resize, cells, size, regions)?)
            }
        };
        let localiser = &*localiser;
        let exact = seen.exact(positions, explaining.masks, localiser, attributes)?;
        let logits = output.logits.flatten_all()?.to_vec1::<f32>()?;
        let of_attributes = self.of_attributes.par_iter_mut().zip(&mut *rows).enumerate();
        of_attributes.try_for_each(|(attribute, (into, rows))| -> Result<()> {
            let length = localiser.post_processing().len();
            into.cells.resize(length, 0.0);
            if into.averages.is_empty() {
                into.averages = vec![MapAverage::new(length); Filter::ALL.len()];
            }
            into.everywhere.clear();
            for (&position, exact) in positions.iter().zip(&exact) {
                let at = position * attributes + attribute;
                into.everywhere.push(Vec::new());
                if !explaining.has_map(seen.labels[at]) {
                    continue;
                }
                let raw = maps.map(row(position), attribute);
                let known = &mut rows[position];
                known.measured = localiser.measure(raw, attribute, seen.mask(position, attribute), &mut into.cells)?;
                if let Some(energies) = into.everywhere.last_mut() {
                    *energies = localiser.everywhere(&into.cells);
                }
                known.exact = exact
                    .as_ref()
                    .and_then(|regions| localiser.energy(&into.cells, &regions[attribute]));
                let averages = Filter::ALL.iter().zip(&mut into.averages);
                averages
                    .filter(|(filter, _)| filter.selects(seen.labels[at], logits[at]))
                    .for_each(|(_, average)| average.add(&into.cells));
            }
            Ok(())
        })?;
        for (attribute, rows) in rows.iter_mut().enumerate() {
            let Some(place) = localiser.place(attribute) else {
                continue;
            };
            for (number, &position) in positions.iter().enumerate() {
                let others = self
                    .of_attributes
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != attribute);
                let there: Vec<f64> = others
                    .filter_map(|(_, other)| *other.everywhere[number].get(place)?)
                    .collect();
                if !there.is_empty() {
                    rows[position].others = Some(there.iter().sum::<f64>() / there.len() as f64);
                }
            }
        }
        let pixels = size * size * 3;
        let images: Vec<&[f32]> = positions
            .iter()
            .map(|position| &seen.batch.images[position * pixels..][..pixels])
            .collect();
        let positive: Vec<bool> = positions
            .iter()
            .flat_map(|position| &logits[position * attributes..][..attributes])
            .map(|logit| Class::predicted(*logit) == Class::Positive)
            .collect();
        self.faces.add(&images, &positive);
        if let Some(kept) = &mut self.kept {
            for &position in positions {
                let mut own = maps.only(row(position));
                let length = own.height * own.width;
                let labels = &seen.labels[position * attributes..][..attributes];
                let unlabelled = own.data.chunks_mut(length).zip(labels);
                unlabelled
                    .filter(|(_, label)| !explaining.has_map(**label))
                    .for_each(|(map, _)| map.fill(f32::NAN));
                kept.add(&own.data)?;
            }
        }
        self.done += positions.len();
        Ok(())
    }

    /// Writes the average maps and finishes the raw ones.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(self, explaining: &Explaining<'_>) -> Result<()> {
        let groups: Vec<average_maps::Group<'_>> = self
            .of_attributes
            .iter()
            .zip(&explaining.attributes)
            .map(|(one, &attribute)| average_maps::Group {
                maps: &one.averages,
                faces: Class::BOTH.map(|class| self.faces.mean(attribute, class == Class::Positive)),
            })
            .collect();
        let cells = self.localiser.as_ref().map(|localiser| localiser.post_processing());
        let path = artefacts::maps(explaining.classifier);
        explaining
            .folder
            .write(&path, &average_maps::to_bytes(&groups, cells)?)?;
        self.kept.map_or(Ok(()), raw_maps::Writer::finish)
    }
}

/// Begins the file of raw maps, if it is asked for.
fn begin_raw_maps(explaining: &Explaining<'_>, [height, width]: [usize; 2]) -> Result<Option<raw_maps::Writer>> {
    let settings = explaining.settings;
    if !settings.keep_maps {
        return Ok(None);
    }
    let shape = [explaining.explained.len(), explaining.names.len(), height, width];
    let relative = artefacts::raw_maps(explaining.classifier);
    explaining.folder.progress().say(&format!(
        "{:24} keeps {} x {} maps of {height} x {width} in {relative}: {:.1} MB",
        explaining.folder.step(),
        shape[0],
        shape[1],
        raw_maps::size(shape) as f64 / 1e6
    ));
    let names: Vec<&str> = explaining
        .explained
        .iter()
        .map(|&index| explaining.images.name(index))
        .collect();
    let about = [
        ("images", names.join(",")),
        ("attributes", explaining.names.join(",")),
        ("method", settings.method.to_string()),
        ("target", settings.target.to_string()),
        ("layer", explaining.explainer.layer().to_owned()),
    ];
    raw_maps::Writer::begin(&explaining.folder.output(&relative), shape, &about).map(Some)
}
