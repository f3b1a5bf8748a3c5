//! The explanation stage: the map of every attribute on every test image, measured as soon as it is made.
//!
//! Maps are streamed: one batch's low-resolution maps are in memory at a time, and each attribute keeps one full-size map to
//! work in beside the running averages.

use cam::{MapAverage, Maps, Method, Resize, Resizer, Target};
use dataset::{Alignment, Batch};
use metrics::{Class, Localisation, Region, RegionSet};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::maps::{self, Group};
use super::{DataSet, evaluate};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::frames::PerAttribute;
use crate::manifest::Key;
use crate::regions;

/// The path of a classifier's energies in the results folder.
pub fn energy_path(classifier: &str) -> String {
    format!("{classifier}/energy.parquet")
}

/// Runs the stage for one classifier.
///
/// # Errors
/// Those of reading checkpoint, images, masks and regions, and of writing.
pub fn run(context: &mut Context, data: &DataSet, classifier: &str) -> Result<()> {
    let key = Key::default()
        .settings(&context.experiment.data.deciding())
        .settings(&context.experiment.explain)
        .settings(&context.experiment.measure.regions)
        .settings(&context.experiment.figures.examples)
        .settings(&context.experiment.seed)
        .text(&context.manifest.data)
        .stages(&context.manifest, [format!("train/{classifier}").as_str()]);
    context.stage(&format!("explain/{classifier}"), key, |context| {
        explain(context, data, classifier)
    })
}

/// What one attribute collects while the images pass.
struct PerRegion {
    /// One entry an image.
    localisations: Vec<Localisation>,
    /// One entry an image; absent where the data set has no masks or the attribute's is empty.
    exact: Vec<Option<f64>>,
    /// Averages over the images predicted positive and negative.
    maps: [MapAverage; 2],
    /// Averages of the images themselves, [S, S, 3].
    faces: [MapAverage; 2],
    /// The map in hand.
    map: Vec<f32>,
}

fn explain(context: &Context, data: &DataSet, classifier: &str) -> Result<Vec<String>> {
    let settings = &context.experiment.explain;
    let place = |message: String| Error::Experiment {
        place: "explain".to_owned(),
        message,
    };
    let method: Method = settings
        .method
        .parse()
        .map_err(|error: cam::Error| place(error.to_string()))?;
    let target: Target = settings
        .target
        .parse()
        .map_err(|error: cam::Error| place(error.to_string()))?;
    let resize: Resize = settings
        .resize
        .parse()
        .map_err(|error: cam::Error| place(error.to_string()))?;
    let size = context.experiment.data.image_size;
    let attributes = data.attributes().len();

    let regions = regions::load(&context.experiment.measure.regions, data.attributes())?;
    let regions: Vec<Region> = regions.iter().map(|region| region.grid.region(size)).collect();
    let regions = RegionSet::new(size, &regions)?;
    let network = evaluate::trained_network(context, data, classifier)?;
    let head = network.head();
    let examples = example_images(data, context.experiment.seed, context.experiment.figures.examples);

    let mut collected: Vec<PerRegion> = (0..attributes)
        .map(|_| PerRegion {
            localisations: Vec::with_capacity(data.test.len()),
            exact: Vec::with_capacity(data.test.len()),
            maps: [(); 2].map(|()| MapAverage::new(size * size)),
            faces: [(); 2].map(|()| MapAverage::new(size * size * 3)),
            map: vec![0.0; size * size],
        })
        .collect();
    let mut example_maps: Vec<(usize, Maps)> = Vec::new();
    let mut resizer: Option<Resizer> = None;

    let title = format!("explain/{classifier}");
    evaluate::for_each_batch(context, data, &network, &data.test, &title, |batch, output| {
        let logits = output.logits.to_vec2::<f32>()?;
        let maps = cam::raw_maps(method, target, output, &head)?;
        let resizer = resizer.get_or_insert_with(|| Resizer::new(resize, maps.height, maps.width, size));
        let masks = exact_masks(data, batch, size)?;
        collected
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(attribute, into)| -> Result<()> {
                for (position, image) in batch.images.chunks(size * size * 3).enumerate() {
                    resizer.finalise(maps.map(position, attribute), &mut into.map);
                    let localisation = regions.localisation(&into.map, attribute)?;
                    into.localisations
                        .push(localisation.ok_or_else(|| {
                            Error::Request("measure.regions: an attribute without region".to_owned())
                        })?);
                    into.exact.push(match &masks[position] {
                        Some(masks) => metrics::proportional_energy(&into.map, &masks[attribute])?,
                        None => None,
                    });
                    let predicted = usize::from(Class::predicted(logits[position][attribute]) == Class::Negative);
                    into.maps[predicted].add(&into.map);
                    into.faces[predicted].add(image);
                }
                Ok(())
            })?;
        for (position, index) in batch.indices.iter().enumerate() {
            if examples.contains(index) {
                example_maps.push((*index, maps.only(position)));
            }
        }
        Ok(())
    })?;

    let energy = energy_table(context, data, &collected, &energy_path(classifier))?;
    context.results.write(&energy_path(classifier), &energy)?;
    let groups = collected
        .iter()
        .flat_map(|one| one.maps.iter().zip(&one.faces))
        .map(|(map, face)| Group { map, face });
    let maps = maps::to_bytes(&groups.collect::<Vec<_>>(), &example_maps, size)?;
    context.results.write(&maps::path(classifier), &maps)?;
    Ok(vec![energy_path(classifier), maps::path(classifier)])
}

/// The test images that are shown as examples: drawn with the experiment's seed, the same for every classifier.
pub fn example_images(data: &DataSet, seed: u64, count: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    data.test.choose_multiple(&mut rng, count).copied().collect()
}

/// The exact regions of each image of a batch on its aligned square, if the data set has them.
fn exact_masks(data: &DataSet, batch: &Batch, size: usize) -> Result<Vec<Option<Vec<Region>>>> {
    let landmarks = data.annotations().landmarks.as_deref();
    batch
        .indices
        .par_iter()
        .map(|&index| {
            let Some(masks) = data.source.masks(index)? else {
                return Ok(None);
            };
            let image_size = data.source.image_size(index)?;
            let transform = Alignment { size }.transform(landmarks.map(|all| &all[index]), image_size)?;
            let aligned = dataset::aligned_masks(&masks, image_size, &transform, size);
            let regions = aligned
                .chunks(size * size)
                .map(|mask| Ok(Region::from_mask(size, mask.to_vec())?));
            Ok(Some(regions.collect::<Result<_>>()?))
        })
        .collect()
}

/// The long table of energies, images outermost.
fn energy_table(context: &Context, data: &DataSet, collected: &[PerRegion], path: &str) -> Result<Vec<u8>> {
    let column = |value: fn(&Localisation) -> Option<f64>| -> Vec<Option<f32>> {
        (0..data.test.len())
            .flat_map(|image| {
                collected
                    .iter()
                    .map(move |one| value(&one.localisations[image]).map(|v| v as f32))
            })
            .collect()
    };
    let exact: Vec<Option<f32>> = (0..data.test.len())
        .flat_map(|image| {
            collected
                .iter()
                .map(move |one| one.exact[image].map(|value| value as f32))
        })
        .collect();
    let keys = PerAttribute {
        images: data
            .test
            .iter()
            .map(|&index| data.annotations().names[index].clone())
            .collect(),
        attributes: data.attributes().to_vec(),
    };
    keys.keys()
        .singles("energy", &column(|one| one.energy))
        .singles("energy_corrected", &column(|one| one.energy_corrected))
        .singles("mask_ratio", &column(|one| one.mask_ratio))
        .singles("mask_ratio_corrected", &column(|one| one.mask_ratio_corrected))
        .singles("energy_exact", &exact)
        .to_parquet()
        .map_err(|source| Error::Table {
            path: context.results.join(path),
            source,
        })
}
