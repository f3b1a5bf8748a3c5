//! The step behind the figure of examples: for some attributes the test images where the maps are best and worst, and some at
//! random, with all that drawing them needs.
//!
//! - `chosen.parquet`: one row an image and attribute: how it was chosen, label, and each classifier's score and energy
//! - `chosen.safetensors`: `images` [E, S, S, 3] uint8, `maps` [E, C, h, w] float32, raw; E are the table's rows, C the classifiers.
//!   Where each image has a region of its own also `regions` [E, S, S] uint8, 1 inside

use std::collections::BTreeMap;

use cam::{Explainer, ExplainerConfig, Output};
use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::attributes::example_attributes;
use super::chosen::WAYS;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::Explain;
use crate::inputs::{Artefact, AttributeRegions, Attributes, Facts, Inputs, Masks, Setting, TestImages};
use crate::measured::Predictions;
use crate::steps::pass::{self, Pass};
use crate::steps::step::{Step, write_table};
use crate::steps::{explain, predict, reference, train};
use pipeline::{Columns, Declaration, ParquetFile, Sandbox};

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The step.
pub const STEP: &str = "choose";

/// Chooses images.
pub struct Choose<'a> {
    attributes: Attributes<'a>,
    /// With labels.
    images: TestImages<'a>,
    facts: Facts<'a>,
    regions: AttributeRegions<'a>,
    classifiers: Setting<Vec<String>>,
    explain: Setting<Explain>,
    examples: Setting<usize>,
    example_attributes: Setting<&'a Option<Vec<String>>>,
    seed: Setting<u64>,
    /// One of each a classifier.
    checkpoints: Vec<Artefact>,
    predictions: Vec<Artefact>,
    references: Vec<Artefact>,
    energies: Vec<Artefact>,
}

impl<'a> Choose<'a> {
    /// The step.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        let experiment = inputs.experiment;
        let figures = &experiment.figures;
        let classifiers = experiment.classifier_names();
        let each = |artefact: fn(&str) -> Artefact| classifiers.iter().map(|name| artefact(name)).collect();
        Self {
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            facts: inputs.facts(),
            regions: inputs.regions(),
            explain: Setting::new("explain", experiment.explain.of_maps()),
            examples: Setting::new("figures.examples", figures.examples),
            example_attributes: Setting::new("figures.example_attributes", &figures.example_attributes),
            seed: Setting::new("seed", experiment.seed),
            checkpoints: each(train::checkpoint),
            predictions: each(predict::predictions),
            references: each(predict::features),
            energies: each(explain::energies),
            classifiers: Setting::new("classifiers", classifiers),
        }
    }
}

impl Step for Choose<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            attributes,
            images,
            facts,
            regions,
            classifiers,
            explain,
            examples,
            example_attributes,
            seed,
            checkpoints,
            predictions,
            references,
            energies,
        } = self;
        Declaration::of(STEP, VERSION)
            .reading(attributes)
            .reading(images)
            .reading(facts)
            .reading(regions)
            .reading(classifiers)
            .reading(explain)
            .reading(examples)
            .reading(example_attributes)
            .reading(seed)
            .reading(checkpoints)
            .reading(predictions)
            .reading(references)
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
    let (test, names) = (step.images.indices(), step.attributes.names());
    let predictions: Vec<Predictions> = step
        .predictions
        .iter()
        .map(|file| Predictions::read(&file.at(folder)?))
        .collect::<Result<_>>()?;
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
    let named = step.example_attributes.as_deref();
    let mut choices = Vec::new();
    for attribute in example_attributes(named, step.attributes, &step.regions, step.facts)? {
        let rows = (0..test.len()).filter(|row| explained[row * width + attribute] == 1);
        let faces: Vec<(usize, Face)> = rows
            .map(|row| (row, Face::of(&predictions, &energies, row * width + attribute)))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(step.seed.wrapping_add(attribute as u64));
        choices.extend(chosen(&faces, *step.examples, &mut rng).map(|(way, row)| Choice { attribute, way, row }));
    }

    let (images, maps) = pictures_of(step, folder, device, &choices)?;
    let texts = |value: &dyn Fn(&Choice) -> String| choices.iter().map(value).collect::<Vec<_>>();
    let labels: Vec<i8> = choices
        .iter()
        .map(|choice| predictions[0].labels[choice.row * width + choice.attribute])
        .collect();
    let mut table = Columns::default()
        .texts("attribute", &texts(&|choice| names[choice.attribute].clone()))
        .texts("chosen", &texts(&|choice| choice.way.to_owned()))
        .texts("image", &texts(&|choice| step.images.name(test[choice.row]).to_owned()))
        .labels("label", &labels);
    for (index, name) in step.classifiers.iter().enumerate() {
        let at = |choice: &Choice| choice.row * width + choice.attribute;
        let scores = choices.iter().map(|choice| Some(predictions[index].scores[at(choice)]));
        let energy = choices.iter().map(|choice| energies[index][at(choice)].map(f64::from));
        table = table
            .singles(&format!("{name}_score"), &scores.collect::<Vec<_>>())
            .doubles(&format!("{name}_energy"), &energy.collect::<Vec<_>>());
    }
    write_table(folder, artefacts::CHOSEN, table)?;
    let mut tensors = vec![("images", images), ("maps", maps)];
    if let Some(masks) = step.regions.own() {
        tensors.push(("regions", regions_of(step, masks, &choices)?));
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
    step: &Choose<'_>,
    folder: &Sandbox<'_>,
    device: &Device,
    choices: &[Choice],
) -> Result<(Tensor, Tensor)> {
    let (size, names, classifiers) = (step.images.size(), step.attributes.names(), &*step.classifiers);
    let config = step.explain.config();
    let mut rows: Vec<usize> = choices.iter().map(|choice| choice.row).collect();
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        let none = |shape: &[usize], kind| Tensor::zeros(shape, kind, &Device::Cpu);
        return Ok((
            none(&[0, size, size, 3], candle_core::DType::U8)?,
            none(&[0, classifiers.len(), 0, 0], candle_core::DType::F32)?,
        ));
    }
    let indices: Vec<usize> = rows.iter().map(|&row| step.images.indices()[row]).collect();
    let mut faces: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    // Raw maps by classifier, row and attribute; and their size.
    let mut maps: BTreeMap<(usize, usize, usize), Vec<f32>> = BTreeMap::new();
    let mut cells = (0, 0);
    for (index, (checkpoint, mean)) in step.checkpoints.iter().zip(&step.references).enumerate() {
        let network = pass::trained_network(folder, checkpoint, names, device)?;
        let explainer = Explainer::new(
            &network,
            ExplainerConfig {
                reference: Some(reference::read(&mean.at(folder)?)?),
                ..config.clone()
            },
        )?;
        let mut done = 0;
        let pass = Pass {
            folder,
            device,
            images: *step.images,
            network: &network,
            title: folder.step(),
            together: pass::BATCH,
        };
        pass.over(&indices, |batch, images, output| {
            for (position, pixels) in batch.images.chunks(size * size * 3).enumerate() {
                folder.interrupt().check()?;
                let row = rows[done + position];
                if index == 0 {
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
                let all = &batch.labels[position * names.len()..];
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
                    maps.insert((index, row, attribute), found.map(0, place).to_vec());
                }
            }
            done += batch.indices.len();
            Ok(())
        })?;
    }
    let images: Vec<u8> = choices
        .iter()
        .flat_map(|choice| faces[&choice.row].iter().copied())
        .collect();
    let raw: Vec<f32> = choices
        .iter()
        .flat_map(|choice| (0..classifiers.len()).map(move |index| (index, choice.row, choice.attribute)))
        .flat_map(|key| maps[&key].iter().copied())
        .collect();
    let count = choices.len();
    Ok((
        Tensor::from_vec(images, (count, size, size, 3), &Device::Cpu)?,
        Tensor::from_vec(raw, (count, classifiers.len(), cells.0, cells.1), &Device::Cpu)?,
    ))
}

/// The chosen images' own regions [E, S, S], 1 inside; nothing is inside where an image has none.
fn regions_of(step: &Choose<'_>, masks: Masks<'_>, choices: &[Choice]) -> Result<Tensor> {
    let size = step.images.size();
    let mut inside = vec![0u8; choices.len() * size * size];
    for (choice, inside) in choices.iter().zip(inside.chunks_exact_mut(size * size)) {
        if let Some(masks) = masks.of_image(step.images.indices()[choice.row], size)? {
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
