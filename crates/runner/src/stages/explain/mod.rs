//! The explanation stage: the map of every attribute on every explained test image, measured as soon as it is made.
//!
//! Maps and rows are streamed: those of one batch, or of one image where maps cost passes of their own, are in memory at a time, and
//! what is measured of maps is measured on their few cells ([`Localiser`](super::localiser::Localiser)).

mod collected;
mod decomposed;
mod energies;
mod kept;
mod seen;

use std::time::Instant;

use cam::{Cost, Explainer, ExplainerConfig, Output};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use self::collected::Collected;
use self::decomposed::Decomposer;
use self::kept::KeptMaps;
use self::seen::Stage;
use super::{DataSet, Inputs, evaluate, predict, reference, train};
use crate::artefacts;
use crate::context::Context;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::regions;
use pipeline::{Declaration, LongWriter};

/// Bumped when the stage would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The stage of a classifier.
pub fn stage(classifier: &str) -> String {
    format!("explain/{classifier}")
}

/// What the stage reads: the test images with their labels, where attributes should be visible, the network, and the mean of its
/// features.
pub fn declaration(inputs: &Inputs<'_>, classifier: &str) -> Declaration {
    let experiment = inputs.experiment;
    let declaration = inputs.attributes(inputs.declaration(stage(classifier), VERSION));
    // Energies are measured on exact masks beside the regions, wherever there are any.
    let declaration = inputs
        .masks(inputs.regions(inputs.labelled_test_images(declaration)))
        .settings("explain", &experiment.explain)
        .artefact(&train::stage(classifier), &artefacts::checkpoint(classifier))
        .artefact(&predict::stage(classifier), &artefacts::reference(classifier));
    match experiment.explain.images {
        Some(_) => declaration.settings("seed", &experiment.seed),
        None => declaration,
    }
}

/// Runs the stage for one classifier.
///
/// # Errors
/// Those of reading checkpoint, images, masks and regions, and of writing.
pub fn run(context: &Context, inputs: &Inputs<'_>, data: &DataSet, classifier: &str) -> Result<()> {
    let declaration = declaration(inputs, classifier);
    context.workspace.step(&declaration, || {
        let reads = declaration.reads(&context.manifest().stages);
        let key = reads.key(declaration.step(), declaration.version());
        explain(context, data, classifier, &key)
    })?;
    // Only now: what is recorded needs it no longer.
    Ok(context.results().remove(&artefacts::unfinished_maps(classifier))?)
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

fn explain(context: &Context, data: &DataSet, classifier: &str, key: &str) -> Result<Vec<String>> {
    let experiment = &context.experiment;
    let size = experiment.data.image_size;
    let config = experiment.explain.config();
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
    let path = artefacts::energy(classifier);
    let mut table = LongWriter::begin(&context.results().join(&path), data.attributes(), energies::columns)?;
    let mut collected = Collected::new(stage.attributes.len(), size);

    let mut kept = match cost {
        Cost::Free => KeptMaps::none(),
        _ => KeptMaps::open(&context.results().join(&artefacts::unfinished_maps(classifier)), key),
    };
    let mut told = false;
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
                    context.interrupt().check()?;
                    let one = Output {
                        features: output.features.narrow(0, position, 1)?,
                        logits: output.logits.narrow(0, position, 1)?,
                    };
                    let known = &seen.known[position * attributes.len()..][..attributes.len()];
                    let image = seen.images.narrow(0, position, 1)?;
                    let index = batch.indices[position];
                    let maps = match kept.next(index) {
                        Some(maps) => maps,
                        None => {
                            let since = Instant::now();
                            let maps = stage.explainer.maps(&image, &one, attributes, Some(known))?;
                            kept.keep(index, &maps);
                            if !told {
                                told = true;
                                stage.estimate(since.elapsed(), kept.found);
                            }
                            maps
                        }
                    };
                    collected.take_in(&stage, &seen, &[position], |_| 0, &maps, &mut rows)?;
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
