//! The step behind the figure of examples: for some attributes the test images where the maps are best and worst, and some at
//! random, with all that drawing them needs.
//!
//! - `chosen.parquet`: one row an image and attribute: how it was chosen, label, and each classifier's score and energy
//! - `chosen.safetensors`: `images` [E, S, S, 3] uint8, `maps` [E, C, h, w] float32, raw; E are the table's rows, C the classifiers.
//!   Where each image has a region of its own also `regions` [E, S, S] uint8, 1 inside

use std::collections::BTreeMap;

use cam::Output;
use candle_core::{Device, Tensor};
use model::Network;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::attributes::example_attributes;
use super::chosen::WAYS;
use super::shown::Shown;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::inputs::{Artefact, Inputs, Masks, Setting};
use crate::measured::Predictions;
use crate::steps::explain;
use crate::steps::step::{Step, write_table};
use disk::Columns;
use pipeline::{Declaration, ParquetFile, Sandbox};

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The step.
pub const STEP: &str = "choose";

/// Chooses images.
pub struct Choose<'a> {
    shown: Shown<'a>,
    /// Images of each attribute and way.
    each: Setting<usize>,
    named: Setting<&'a Option<Vec<String>>>,
    /// One a classifier.
    energies: Vec<Artefact>,
}

impl<'a> Choose<'a> {
    /// The step.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        let figures = &inputs.experiment.figures;
        let shown = Shown::new(inputs);
        Self {
            each: Setting::new("figures.examples", figures.examples),
            named: Setting::new("figures.example_attributes", &figures.example_attributes),
            energies: shown.classifiers.iter().map(|name| explain::energies(name)).collect(),
            shown,
        }
    }
}

impl Step for Choose<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            shown,
            each,
            named,
            energies,
        } = self;
        Declaration::of(STEP, VERSION)
            .reading(shown)
            .reading(each)
            .reading(named)
            .reading(energies)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        choose(self, folder, device)
    }
}

/// One chosen image. Images are rows of the predictions.
struct Choice {
    attribute: usize,
    way: &'static str,
    row: usize,
}

fn choose(step: &Choose<'_>, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
    let shown = &step.shown;
    let (test, names) = (shown.images.indices(), shown.attributes.names());
    let predictions = shown.predictions(folder)?;
    let mut energies: Vec<Vec<Option<f32>>> = Vec::new();
    let mut explained = Vec::new();
    for file in &step.energies {
        let file = ParquetFile::open(&file.at(folder)?)?;
        energies.push(file.columns(&["energy"])?.singles("energy")?);
        explained = file.columns(&["explained"])?.integers("explained")?;
    }
    let width = names.len();
    if energies.iter().any(|column| column.len() != test.len() * width) {
        return Err(Error::Request(
            "energy.parquet is of other images than the predictions; `--fresh` makes it anew".to_owned(),
        ));
    }
    let named = step.named.as_deref();
    let mut choices = Vec::new();
    for attribute in example_attributes(named, shown.attributes, &shown.regions, shown.facts)? {
        let rows = (0..test.len()).filter(|row| explained[row * width + attribute] == 1);
        let faces: Vec<(usize, Face)> = rows
            .map(|row| (row, Face::of(&predictions, &energies, row * width + attribute)))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(shown.seed.wrapping_add(attribute as u64));
        choices.extend(chosen(&faces, *step.each, &mut rng).map(|(way, row)| Choice { attribute, way, row }));
    }

    let (images, maps) = pictures_of(shown, folder, device, &choices)?;
    let texts = |value: &dyn Fn(&Choice) -> String| choices.iter().map(value).collect::<Vec<_>>();
    let labels: Vec<i8> = choices
        .iter()
        .map(|choice| predictions[0].labels[choice.row * width + choice.attribute])
        .collect();
    let mut table = Columns::default()
        .texts("attribute", &texts(&|choice| names[choice.attribute].clone()))
        .texts("chosen", &texts(&|choice| choice.way.to_owned()))
        .texts(
            "image",
            &texts(&|choice| shown.images.name(test[choice.row]).to_owned()),
        )
        .labels("label", &labels);
    for (index, name) in shown.classifiers.iter().enumerate() {
        let at = |choice: &Choice| choice.row * width + choice.attribute;
        let scores = choices.iter().map(|choice| Some(predictions[index].scores[at(choice)]));
        let energy = choices.iter().map(|choice| energies[index][at(choice)].map(f64::from));
        table = table
            .singles(&format!("{name}_score"), &scores.collect::<Vec<_>>())
            .doubles(&format!("{name}_energy"), &energy.collect::<Vec<_>>());
    }
    write_table(folder, artefacts::CHOSEN, table)?;
    let mut tensors = vec![("images", images), ("maps", maps)];
    if let Some(masks) = shown.regions.own() {
        tensors.push(("regions", regions_of(shown, masks, &choices)?));
    }
    let bytes = safetensors::serialize(tensors, None)
        .map_err(|error| Error::Request(format!("{} cannot be written: {error}", artefacts::CHOSEN_TENSORS)))?;
    Ok(folder.write(artefacts::CHOSEN_TENSORS, &bytes)?)
}

/// What an image is chosen by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Face {
    /// Whether its label is known.
    annotated: bool,
    /// Whether every classifier gets it right.
    right: bool,
    /// Mean energy over classifiers; absent where a map has none.
    energy: Option<f64>,
}

impl Face {
    fn of(predictions: &[Predictions], energies: &[Vec<Option<f32>>], at: usize) -> Self {
        let label = predictions.first().map_or(0, |first| first.labels[at]);
        let energy: Option<Vec<f64>> = energies.iter().map(|column| column[at].map(f64::from)).collect();
        Self {
            annotated: label != 0,
            right: predictions
                .iter()
                .all(|predictions| (predictions.scores[at] >= 0.0) == (label > 0)),
            energy: energy.map(|values| values.iter().sum::<f64>() / values.len().max(1) as f64),
        }
    }
}

/// The images of each way in turn, of those explained: best are the right ones with the most energy, worst the wrong ones with the
/// least, random are any. Ties go to the first in the file.
fn chosen(faces: &[(usize, Face)], each: usize, rng: &mut ChaCha8Rng) -> impl Iterator<Item = (&'static str, usize)> {
    let sorted = |right: bool| {
        let mut rows: Vec<(usize, f64)> = faces
            .iter()
            .filter(|(_, face)| face.annotated && face.right == right)
            .filter_map(|(row, face)| Some((*row, face.energy?)))
            .collect();
        rows.sort_by(|a, b| {
            if right {
                b.1.total_cmp(&a.1)
            } else {
                a.1.total_cmp(&b.1)
            }
        });
        rows.into_iter().map(|(row, _)| row).take(each).collect::<Vec<_>>()
    };
    let random = faces.choose_multiple(rng, each).map(|(row, _)| *row).collect();
    WAYS.into_iter()
        .zip([sorted(true), sorted(false), random])
        .flat_map(|(way, rows)| rows.into_iter().map(move |row| (way, row)))
}

/// The chosen images [E, S, S, 3] and their raw maps [E, C, h, w].
fn pictures_of(
    shown: &Shown<'_>,
    folder: &Sandbox<'_>,
    device: &Device,
    choices: &[Choice],
) -> Result<(Tensor, Tensor)> {
    let (size, width, classifiers) = (shown.images.size(), shown.attributes.count(), shown.classifiers.len());
    let mut rows: Vec<usize> = choices.iter().map(|choice| choice.row).collect();
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        let none = |shape: &[usize], kind| Tensor::zeros(shape, kind, &Device::Cpu);
        return Ok((
            none(&[0, size, size, 3], candle_core::DType::U8)?,
            none(&[0, classifiers, 0, 0], candle_core::DType::F32)?,
        ));
    }
    let row_of: BTreeMap<usize, usize> = rows.iter().map(|&row| (shown.images.indices()[row], row)).collect();
    let indices: Vec<usize> = row_of.keys().copied().collect();
    let mut faces: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    // Raw maps by classifier, row and attribute; and their size.
    let mut maps: BTreeMap<(usize, usize, usize), Vec<f32>> = BTreeMap::new();
    let mut cells = (0, 0);
    let as_it_is = |_: &Network, config| Ok(config);
    shown.explain(
        folder,
        device,
        &indices,
        as_it_is,
        |classifier, explainer, batch, images, output| {
            for (position, pixels) in batch.images.chunks(size * size * 3).enumerate() {
                folder.interrupt().check()?;
                let row = row_of[&batch.indices[position]];
                if classifier == 0 {
                    let bytes = pixels
                        .iter()
                        .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8);
                    faces.insert(row, bytes.collect());
                }
                let attributes: Vec<usize> = choices
                    .iter()
                    .filter(|choice| choice.row == row)
                    .map(|choice| choice.attribute)
                    .collect();
                // Only what has a label that its target needs was chosen; of the others any will do.
                let all = &batch.labels[position * width..];
                let labels: Vec<i8> = attributes
                    .iter()
                    .map(|&attribute| if all[attribute] < 0.0 { -1 } else { 1 })
                    .collect();
                let one = Output {
                    features: output.features.narrow(0, position, 1)?,
                    logits: output.logits.narrow(0, position, 1)?,
                };
                let image = images.narrow(0, position, 1)?;
                let found = explainer.maps(&image, &one, &attributes, Some(&labels))?;
                cells = (found.height, found.width);
                for (place, &attribute) in attributes.iter().enumerate() {
                    maps.insert((classifier, row, attribute), found.map(0, place).to_vec());
                }
            }
            Ok(())
        },
    )?;
    let images: Vec<u8> = choices
        .iter()
        .flat_map(|choice| faces[&choice.row].iter().copied())
        .collect();
    let raw: Vec<f32> = choices
        .iter()
        .flat_map(|choice| (0..classifiers).map(move |index| (index, choice.row, choice.attribute)))
        .flat_map(|key| maps[&key].iter().copied())
        .collect();
    let count = choices.len();
    Ok((
        Tensor::from_vec(images, (count, size, size, 3), &Device::Cpu)?,
        Tensor::from_vec(raw, (count, classifiers, cells.0, cells.1), &Device::Cpu)?,
    ))
}

/// The chosen images' own regions [E, S, S], 1 inside; nothing is inside where an image has none.
fn regions_of(shown: &Shown<'_>, masks: Masks<'_>, choices: &[Choice]) -> Result<Tensor> {
    let size = shown.images.size();
    let mut inside = vec![0u8; choices.len() * size * size];
    for (choice, inside) in choices.iter().zip(inside.chunks_exact_mut(size * size)) {
        if let Some(masks) = masks.of_image(shown.images.indices()[choice.row], size)? {
            for (inside, &mask) in inside.iter_mut().zip(masks[choice.attribute].mask()) {
                *inside = u8::from(mask);
            }
        }
    }
    Ok(Tensor::from_vec(inside, (choices.len(), size, size), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_are_right_and_worst_are_wrong() {
        let face = |right, energy| Face {
            annotated: true,
            right,
            energy,
        };
        let faces = [
            face(true, Some(0.5)),
            face(false, Some(0.4)),
            face(true, Some(0.9)),
            face(false, Some(0.1)),
            face(false, None),
            Face {
                annotated: false,
                ..face(false, Some(0.0))
            },
        ];
        let faces: Vec<(usize, Face)> = faces.into_iter().enumerate().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let all: Vec<_> = chosen(&faces, 1, &mut rng).collect();
        assert_eq!(all[..2], [("best", 2), ("worst", 3)]);
        assert_eq!(all.len(), 3);
        let mut again = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(chosen(&faces, 1, &mut again).collect::<Vec<_>>(), all);
        assert_eq!(chosen(&[], 2, &mut again).count(), 0);
    }
}
