//! The explanation step: the map of every attribute on every explained test image, measured as soon as it is made.
//!
//! Maps and rows are streamed: those of one batch, or of one image where maps cost passes of their own, are in memory at a time, and
//! what is measured of maps is measured on their few cells ([`Localiser`]).

mod average_faces;
mod average_maps;
mod collected;
mod decomposed;
mod energies;
mod kept;
mod localiser;
mod raw_maps;
mod seen;

pub use self::average_maps::MapsFile;
pub use self::localiser::Localiser;

use std::time::Instant;

use cam::{Cost, Explainer, ExplainerConfig, Output};
use candle_core::Device;
use model::Network;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use self::collected::{Collected, Made};
use self::decomposed::Decomposer;
use self::energies::Row;
use self::kept::KeptMaps;
use self::seen::{Explaining, Seen};
use super::pass::{self, Family, Pass};
use super::step::{self, SharedStep};
use super::{predict, reference, train};
use crate::artefacts;
use crate::context::Context;
use crate::error::Result;
use crate::experiment::ExplainSettings;
use crate::inputs::{Artefact, AttributeRegions, Attributes, Inputs, Masks, Setting, TestImages};
use pipeline::{Declaration, LongWriter, Sandbox};

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 2;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("explain/{classifier}")
}

/// Explains the decisions of one classifier.
pub struct Explain<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    /// With labels.
    images: TestImages<'a>,
    regions: AttributeRegions<'a>,
    /// Energies are measured on exact masks beside the regions, wherever there are any.
    masks: Masks<'a>,
    settings: Setting<ExplainSettings>,
    /// Draws the images, where not all are explained.
    seed: Option<Setting<u64>>,
    checkpoint: Artefact,
    reference: Artefact,
}

impl<'a> Explain<'a> {
    /// The step of a classifier.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Self {
        let experiment = inputs.experiment;
        let sampled = experiment.explain.images.is_some();
        Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            regions: inputs.regions(),
            masks: inputs.masks(),
            settings: Setting::new("explain", experiment.explain.used_by(&[experiment.explain.method])),
            seed: sampled.then(|| Setting::new("seed", experiment.seed)),
            checkpoint: train::checkpoint(classifier),
            reference: predict::mean_features(inputs, classifier),
        }
    }
}

impl SharedStep for Explain<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            regions,
            masks,
            settings,
            seed,
            checkpoint,
            reference,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(regions)
            .reading(masks)
            .reading(settings)
            .reading(seed)
            .reading(checkpoint)
            .reading(reference)
    }

    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()> {
        explain(steps, device)
    }
}

/// Runs the step for classifiers with the same features.
///
/// # Errors
/// Those of reading checkpoints, images, masks and regions, and of writing.
pub fn run(context: &Context, inputs: &Inputs<'_>, classifiers: &[String]) -> Result<()> {
    let steps: Vec<_> = classifiers.iter().map(|name| Explain::new(inputs, name)).collect();
    step::run_together(context, &steps)?;
    // Only now: what is recorded needs it no longer.
    for name in classifiers {
        context.results().remove(&artefacts::unfinished_maps(name))?;
    }
    Ok(())
}

/// Which of the test images are explained, in their order: all, or as many as the experiment says, drawn with its seed, the same for
/// every classifier.
pub fn explained_images(test: &[usize], count: Option<usize>, seed: u64) -> Vec<usize> {
    match count {
        Some(count) if count < test.len() => {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(1);
            let mut chosen: Vec<usize> = test.choose_multiple(&mut rng, count).copied().collect();
            chosen.sort_unstable();
            chosen
        }
        _ => test.to_vec(),
    }
}

/// The energies of a classifier's maps.
pub fn energies(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::energy(classifier))
}

/// The average maps of a classifier.
pub fn mean_maps(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::maps(classifier))
}

/// One of the classifiers that are explained together, and what its maps leave behind.
struct Explained<'a> {
    explaining: Explaining<'a>,
    decomposer: Decomposer<'a>,
    cost: Cost,
    table: LongWriter<Row>,
    collected: Collected,
    kept: KeptMaps,
    /// Whether it was said how long the maps will take.
    told: bool,
}

impl<'a> Explained<'a> {
    fn begin(step: &'a Explain<'a>, folder: &'a Sandbox<'a>, network: &'a Network) -> Result<Self> {
        let Explain {
            classifier,
            images,
            settings,
            ..
        } = step;
        let (names, size) = (step.attributes.names(), images.size());
        let reference = reference::read(&step.reference.at(folder)?)?;
        let config = ExplainerConfig {
            reference: Some(reference.clone()),
            ..settings.config()
        };
        let decomposer = Decomposer::new(network, config.clone(), &reference, &step.regions, size)?;
        let seed = step.seed.as_deref().copied().unwrap_or_default();
        let explaining = Explaining {
            folder,
            classifier,
            names,
            images: *images,
            regions: &step.regions,
            masks: step.masks,
            settings,
            explainer: Explainer::new(network, config)?,
            attributes: (0..names.len()).collect(),
            explained: explained_images(images.indices(), settings.images, seed),
        };
        let cost = explaining.announce();
        let path = folder.output(&artefacts::energy(classifier));
        Ok(Self {
            table: LongWriter::begin(&path, names, energies::columns)?,
            collected: Collected::new(explaining.attributes.len(), size),
            kept: match cost {
                Cost::Free => KeptMaps::none(),
                _ => KeptMaps::open(&folder.scratch(&artefacts::unfinished_maps(classifier)), &folder.key()),
            },
            told: false,
            decomposer,
            explaining,
            cost,
        })
    }

    /// Takes in a batch.
    fn take_in(&mut self, seen: &Seen<'_>, output: &Output) -> Result<()> {
        let Self {
            explaining,
            decomposer,
            cost,
            table,
            collected,
            kept,
            told,
        } = self;
        let mut rows = decomposer.rows(explaining, seen, output)?;
        let indices = &seen.batch.indices;
        let chosen: Vec<usize> = (0..indices.len())
            .filter(|&position| explaining.explained.binary_search(&indices[position]).is_ok())
            .collect();
        let attributes = &explaining.attributes;
        if *cost == Cost::Free && !chosen.is_empty() {
            let maps = explaining
                .explainer
                .maps(seen.images, output, attributes, Some(&seen.known))?;
            let made = Made {
                positions: &chosen,
                maps: &maps,
            };
            collected.take_in(explaining, seen, output, made, &mut rows)?;
        } else {
            for position in chosen {
                explaining.folder.interrupt().check()?;
                let one = Output {
                    features: output.features.narrow(0, position, 1)?,
                    logits: output.logits.narrow(0, position, 1)?,
                };
                let known = &seen.known[position * attributes.len()..][..attributes.len()];
                let image = seen.images.narrow(0, position, 1)?;
                let index = indices[position];
                let maps = match kept.next(index) {
                    Some(maps) => maps,
                    None => {
                        let since = Instant::now();
                        let maps = explaining.explainer.maps(&image, &one, attributes, Some(known))?;
                        kept.keep(index, &maps);
                        if !*told {
                            *told = true;
                            explaining.estimate(since.elapsed(), kept.found);
                        }
                        maps
                    }
                };
                let made = Made {
                    positions: &[position],
                    maps: &maps,
                };
                collected.take_in(explaining, seen, output, made, &mut rows)?;
            }
        }
        for (position, &index) in indices.iter().enumerate() {
            let of_image = rows.iter().map(|of_attribute| of_attribute[position]);
            table.add(explaining.images.name(index), of_image)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        self.table.finish()?;
        self.collected.write(&self.explaining)
    }
}

fn explain(steps: &[(&Explain<'_>, &Sandbox<'_>)], device: &Device) -> Result<()> {
    let Some((first, folder)) = steps.first() else {
        return Ok(());
    };
    let (names, images) = (first.attributes.names(), first.images);
    let family = Family::read(
        steps.iter().map(|(step, folder)| (*folder, &step.checkpoint)),
        names,
        device,
    )?;
    let mut all = Vec::with_capacity(steps.len());
    for ((step, folder), network) in steps.iter().zip(family.networks()) {
        all.push(Explained::begin(step, folder, network)?);
    }
    let free = all.iter().all(|one| one.cost == Cost::Free);
    // Methods of many passes look at one image at a time: small batches show how far they are.
    let pass = Pass {
        folder,
        device,
        images: *images,
        title: folder.step(),
        together: if free { pass::BATCH } else { 8 },
    };
    pass.over(images.indices(), |batch, input| {
        let outputs = family.outputs(input)?;
        let seen = Seen::new(batch, input, images, &first.regions)?;
        for (one, output) in all.iter_mut().zip(&outputs) {
            one.take_in(&seen, &Output::from(output))?;
        }
        Ok(())
    })?;
    all.into_iter().try_for_each(Explained::finish)
}
