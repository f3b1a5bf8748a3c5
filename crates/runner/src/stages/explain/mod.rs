//! The explanation stage: the map of every attribute on every explained test image, measured as soon as it is made.
//!
//! Maps and rows are streamed: those of one batch, or of one image where maps cost passes of their own, are in memory at a time, and
//! what is measured of maps is measured on their few cells ([`Localiser`](super::localiser::Localiser)).

mod collected;
mod decomposed;
mod energies;

use std::time::{Duration, Instant};

use cam::{Cost, Explainer, ExplainerConfig, Method, Output, Resize, Target};
use candle_core::Tensor;
use dataset::Batch;
use metrics::Region;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use self::collected::Collected;
use self::decomposed::Decomposer;
use super::{DataSet, evaluate, masks, reference};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::frames::LongWriter;
use crate::manifest::Key;
use crate::progress::duration;
use crate::regions::{self, Regions};

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
        .settings(&context.experiment.regions())
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

/// The test images that are explained, in their order: all, or as many as the experiment says, drawn with its seed, the same for
/// every classifier.
pub fn explained_images(data: &DataSet, experiment: &Experiment) -> Vec<usize> {
    match experiment.explain.images {
        Some(count) if count < data.test.len() => {
            let mut rng = ChaCha8Rng::seed_from_u64(experiment.seed);
            rng.set_stream(1);
            let mut chosen: Vec<usize> = data.test.choose_multiple(&mut rng, count).copied().collect();
            chosen.sort_unstable();
            chosen
        }
        _ => data.test.clone(),
    }
}

/// What does not change from batch to batch.
struct Stage<'a> {
    context: &'a Context,
    data: &'a DataSet,
    classifier: &'a str,
    title: String,
    explainer: Explainer<'a>,
    attributes: Vec<usize>,
    regions: Regions,
    explained: Vec<usize>,
    method: Method,
    target: Target,
    resize: Resize,
}

/// A batch and what the network makes of it.
struct Seen<'a> {
    batch: &'a Batch,
    output: &'a Output,
    /// `[N, 3, S, S]`.
    images: Tensor,
    /// `[N, A]`.
    labels: Vec<i8>,
    /// The same, with 1 for a label that is missing: it cannot be explained, so any takes its place, and its map is thrown away.
    known: Vec<i8>,
    /// Every attribute's region in each image, where each has its own; empty where they are the same in all.
    own: Vec<Option<Vec<Region>>>,
}

impl Seen<'_> {
    /// The image's own region of an attribute.
    fn mask(&self, position: usize, attribute: usize) -> Option<&Region> {
        self.own
            .get(position)
            .and_then(|masks| Some(&masks.as_ref()?[attribute]))
    }
}

fn explain(context: &Context, data: &DataSet, classifier: &str) -> Result<Vec<String>> {
    let experiment = &context.experiment;
    let size = experiment.data.image_size;
    let config = experiment.explain.config().map_err(|message| Error::Experiment {
        place: "experiment".to_owned(),
        message,
    })?;
    let (method, target, resize) = (config.method, config.target, config.resize);
    let network = evaluate::trained_network(context, data, classifier)?;
    let reference = reference::read(context, classifier)?;
    let regions = regions::load(experiment, data.attributes())?;
    let config = ExplainerConfig {
        reference: Some(reference.clone()),
        ..config
    };
    let decomposer = Decomposer::new(&network, config.clone(), &reference, &regions, size)?;
    let stage = Stage {
        context,
        data,
        classifier,
        title: format!("explain/{classifier}"),
        explainer: Explainer::new(&network, config)?,
        attributes: (0..data.attributes().len()).collect(),
        regions,
        explained: explained_images(data, experiment),
        method,
        target,
        resize,
    };
    let cost = stage.announce();
    let path = energy_path(classifier);
    let mut table = LongWriter::begin(&context.results.join(&path), data.attributes(), energies::columns)?;
    let mut collected = Collected::new(stage.attributes.len(), size);

    let since = Instant::now();
    // Methods of many passes look at one image at a time: small batches show how far they are.
    let together = if cost == Cost::Free { evaluate::BATCH } else { 8 };
    evaluate::for_each_batch_of(
        context,
        data,
        &network,
        &data.test,
        &stage.title,
        together,
        |batch, output| {
            let output = &Output::from(output);
            let seen = stage.seen(batch, output)?;
            let mut rows = decomposer.rows(&stage, &seen)?;
            let chosen: Vec<usize> = (0..batch.indices.len())
                .filter(|&position| stage.explained.binary_search(&batch.indices[position]).is_ok())
                .collect();
            let attributes = &stage.attributes;
            if cost == Cost::Free && !chosen.is_empty() {
                let maps = stage
                    .explainer
                    .maps(&seen.images, output, attributes, Some(&seen.known))?;
                collected.take_in(&stage, &seen, &chosen, |position| position, &maps, &mut rows)?;
            } else {
                for position in chosen {
                    context.interrupt.check()?;
                    let one = Output {
                        features: output.features.narrow(0, position, 1)?,
                        logits: output.logits.narrow(0, position, 1)?,
                    };
                    let known = &seen.known[position * attributes.len()..][..attributes.len()];
                    let image = seen.images.narrow(0, position, 1)?;
                    let maps = stage.explainer.maps(&image, &one, attributes, Some(known))?;
                    collected.take_in(&stage, &seen, &[position], |_| 0, &maps, &mut rows)?;
                    if collected.done == 1 {
                        stage.estimate(since.elapsed());
                    }
                }
            }
            for (position, &index) in batch.indices.iter().enumerate() {
                let of_image = rows.iter().map(|of_attribute| of_attribute[position]);
                table.add(&data.annotations().names[index], of_image)?;
            }
            Ok(())
        },
    )?;
    table.finish()?;
    let mut written = vec![path];
    written.extend(collected.write(&stage)?);
    Ok(written)
}

impl Stage<'_> {
    /// Whether an image with this label of an attribute has a map of it.
    fn has_map(&self, label: i8) -> bool {
        self.target != Target::Label || label != 0
    }

    /// Says what a method of many passes will cost.
    fn announce(&self) -> Cost {
        let cost = self.explainer.cost(self.attributes.len());
        if cost != Cost::Free {
            let (images, all) = (self.explained.len(), self.data.test.len());
            let of_all = if images < all {
                format!(" (of {all})")
            } else {
                String::new()
            };
            self.context.progress.say(&format!(
                "{:24} {} needs {cost} an image: {} for {images} images{of_all}",
                self.title,
                self.method,
                cost.passes() * images,
            ));
        }
        cost
    }

    /// Says how long it will take, once the first image has shown it.
    fn estimate(&self, first: Duration) {
        let all = first * u32::try_from(self.explained.len()).unwrap_or(u32::MAX);
        let fewer = if self.context.experiment.explain.images.is_none() {
            "; `--set explain.images=200` would explain 200 images, drawn with the seed"
        } else {
            ""
        };
        self.context.progress.say(&format!(
            "{:24} the first image took {}, so all will take about {}{fewer}",
            self.title,
            duration(first),
            duration(all)
        ));
    }

    /// What is to be known of a batch.
    fn seen<'b>(&self, batch: &'b Batch, output: &'b Output) -> Result<Seen<'b>> {
        let size = self.context.experiment.data.image_size;
        let labels: Vec<i8> = batch.labels.iter().map(|label| *label as i8).collect();
        Ok(Seen {
            batch,
            output,
            images: evaluate::images_of(batch, size, &self.context.device)?,
            known: labels.iter().map(|&label| if label == 0 { 1 } else { label }).collect(),
            labels,
            own: match self.regions {
                Regions::Fixed(_) => Vec::new(),
                Regions::Masks => masks::exact_masks(self.data, batch, size)?,
            },
        })
    }
}
