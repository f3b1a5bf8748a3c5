//! The explanation stage: the map of every attribute on every test image, measured as soon as it is made.
//!
//! Maps are streamed: one batch's low-resolution maps are in memory at a time, and each attribute keeps one full-size map to
//! work in beside the running averages.

use cam::{MapAverage, Maps, Method, Resize, Resizer, Target};
use candle_core::{Device, Tensor};
use dataset::{Alignment, Batch};
use metrics::{BiasReliance, Class, Localisation, Region, RegionSet};
use model::{Head, Output};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::maps::{self, Group};
use super::{DataSet, evaluate, reference};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::frames::PerAttribute;
use crate::manifest::Key;
use crate::regions;
use crate::reliance::write_columns;

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
        .stages(
            &context.manifest,
            [
                format!("train/{classifier}").as_str(),
                format!("predict/{classifier}").as_str(),
            ],
        );
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
    /// One entry an image.
    reliance: Vec<BiasReliance>,
    /// Energy of the centred map, one entry an image.
    centred: Vec<Option<f64>>,
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
    let network = evaluate::trained_network(context, data, classifier)?;
    let head = network.head();
    let reference = reference::read(context, classifier)?;
    let mean = mean_evidence(&reference, &head)?;
    let bias: Vec<f32> = head.bias.to_vec1()?;
    let cells: Vec<Vec<f64>> = regions
        .iter()
        .map(|region| region.cell_shares(mean.height, mean.width))
        .collect();
    let regions = RegionSet::new(size, &regions)?;
    let examples = example_images(data, context.experiment.seed, context.experiment.figures.examples);

    let mut collected: Vec<PerRegion> = (0..attributes)
        .map(|_| PerRegion {
            localisations: Vec::with_capacity(data.test.len()),
            exact: Vec::with_capacity(data.test.len()),
            reliance: Vec::with_capacity(data.test.len()),
            centred: Vec::with_capacity(data.test.len()),
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
        let evidence = cam::raw_maps(Method::HiresCam, Target::Positive, output, &head)?;
        let centred = cam::centred_maps(target, output, &head, &reference)?;
        let maps = match method {
            Method::CentredCam => centred.clone(),
            _ => cam::raw_maps(method, target, output, &head)?,
        };
        let resizer = resizer.get_or_insert_with(|| Resizer::new(resize, maps.height, maps.width, size));
        let masks = exact_masks(data, batch, size)?;
        collected
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(attribute, into)| -> Result<()> {
                let (bias, mean, cells) = (f64::from(bias[attribute]), mean.map(0, attribute), &cells[attribute]);
                for (position, image) in batch.images.chunks(size * size * 3).enumerate() {
                    let evidence = evidence.map(position, attribute);
                    into.reliance.push(metrics::bias_reliance(bias, evidence, mean, cells)?);
                    let measure = |map: &[f32]| -> Result<Localisation> {
                        let localisation = regions.localisation(map, attribute)?;
                        localisation
                            .ok_or_else(|| Error::Request("measure.regions: an attribute without region".to_owned()))
                    };
                    resizer.finalise(centred.map(position, attribute), &mut into.map);
                    into.centred.push(measure(&into.map)?.energy);
                    resizer.finalise(maps.map(position, attribute), &mut into.map);
                    into.localisations.push(measure(&into.map)?);
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

/// The mean evidence of the reference's images for +z, [1, A, h, w]; evidence is linear in the features.
fn mean_evidence(reference: &cam::Reference, head: &Head) -> Result<Maps> {
    let output = Output {
        features: reference.features().unsqueeze(0)?,
        logits: Tensor::zeros((1, head.bias.elem_count()), candle_core::DType::F32, &Device::Cpu)?,
    };
    Ok(cam::raw_maps(Method::HiresCam, Target::Positive, &output, head)?)
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
    let centred: Vec<Option<f32>> = (0..data.test.len())
        .flat_map(|image| {
            collected
                .iter()
                .map(move |one| one.centred[image].map(|value| value as f32))
        })
        .collect();
    let reliance: Vec<BiasReliance> = (0..data.test.len())
        .flat_map(|image| collected.iter().map(move |one| one.reliance[image]))
        .collect();
    let keys = PerAttribute {
        images: data
            .test
            .iter()
            .map(|&index| data.annotations().names[index].clone())
            .collect(),
        attributes: data.attributes().to_vec(),
    };
    let table = keys
        .keys()
        .singles("energy", &column(|one| one.energy))
        .singles("energy_corrected", &column(|one| one.energy_corrected))
        .singles("mask_ratio", &column(|one| one.mask_ratio))
        .singles("mask_ratio_corrected", &column(|one| one.mask_ratio_corrected))
        .singles("energy_exact", &exact)
        .singles("energy_centred", &centred);
    write_columns(table, &reliance)
        .to_parquet()
        .map_err(|source| Error::Table {
            path: context.results.join(path),
            source,
        })
}
