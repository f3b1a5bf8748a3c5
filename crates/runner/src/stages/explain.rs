//! The explanation stage: the map of every attribute on every explained test image, measured as soon as it is made.
//!
//! Maps are streamed: those of one batch, or of one image where they cost passes of their own, are in memory at a time, and what is
//! measured of them is measured on their few cells ([`Localiser`]).
//!
//! The parts of the scores (`metrics::bias_reliance`) and the energy of the centred map are of the last stage whatever the method, and
//! of all test images.

use std::borrow::Cow;
use std::time::Instant;

use cam::{Cost, Explainer, ExplainerConfig, Footprint, MapAverage, Maps, Method, Resize, Target};
use candle_core::{Device, Tensor};
use dataset::Batch;
use metrics::{BiasReliance, Class, Filter, Region};
use model::{Head, Output};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::faces::AverageFaces;
use super::localiser::{Localiser, Measured};
use super::maps;
use super::{DataSet, evaluate, masks, raw_maps, reference};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::frames::PerAttribute;
use crate::manifest::Key;
use crate::progress::duration;
use crate::regions::{self, Regions};
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

/// What is known of one image and attribute.
#[derive(Clone)]
struct Row {
    /// Its evidence is not a number where the attribute has no region in the image.
    reliance: BiasReliance,
    /// Energy of the centred map.
    centred: Option<f64>,
    /// Absent where there is no map, or the attribute has no region in the image.
    measured: Option<Measured>,
    /// Absent where the data set has no masks, or the attribute's is empty.
    exact: Option<f64>,
}

/// What one attribute collects while the images pass.
struct Collected {
    rows: Vec<Row>,
    /// Averages of the maps' cells over each filter of [`Filter::ALL`].
    averages: Vec<MapAverage>,
    /// The cells in hand.
    cells: Vec<f32>,
}

/// What does not change from batch to batch.
struct Stage<'a> {
    context: &'a Context,
    data: &'a DataSet,
    title: String,
    explainer: Explainer<'a>,
    attributes: Vec<usize>,
    regions: Regions,
    explained: Vec<usize>,
    method: Method,
    target: Target,
    resize: Resize,
}

/// What grows.
struct Growing {
    collected: Vec<Collected>,
    faces: AverageFaces,
    localiser: Option<Localiser>,
    kept: Option<raw_maps::Writer>,
    /// Images explained so far, and since when.
    done: usize,
    since: Instant,
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
    let head = network.head();
    let reference = reference::read(context, classifier)?;
    let mean = mean_evidence(&reference, &head)?;
    let bias: Vec<f32> = head.bias.to_vec1()?;
    let regions = regions::load(experiment, data.attributes())?;
    let cell_shares = |region: &Region| region.cell_shares(mean.height, mean.width);
    let cells: Vec<Vec<f64>> = match &regions {
        Regions::Fixed(all) => all.iter().map(|one| cell_shares(&one.region)).collect(),
        Regions::Masks => Vec::new(),
    };
    let centred = ExplainerConfig {
        method: Method::CentredCam,
        layer: None,
        reference: Some(reference.clone()),
        ..config.clone()
    };
    let centred = Explainer::new(&network, centred)?;
    let of_centred = Localiser::new(Method::CentredCam, resize, [mean.height, mean.width], size, &regions)?;
    let config = ExplainerConfig {
        reference: Some(reference),
        ..config
    };
    let stage = Stage {
        context,
        data,
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
    let mut growing = Growing {
        collected: stage.attributes.iter().map(|_| Collected::new()).collect(),
        faces: AverageFaces::new(stage.attributes.len(), size * size * 3),
        localiser: None,
        kept: None,
        done: 0,
        since: Instant::now(),
    };

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
            let labels: Vec<i8> = batch.labels.iter().map(|label| *label as i8).collect();
            let evidence = cam::raw_maps(Method::HiresCam, Target::Positive, output, &head)?;
            let images = evaluate::images_of(batch, size, &context.device)?;
            // A label that is missing cannot be explained: any takes its place, and its map is thrown away.
            let known: Vec<i8> = labels.iter().map(|&label| if label == 0 { 1 } else { label }).collect();
            let centred = centred.maps(&images, output, &stage.attributes, Some(&known))?;
            let own = stage.own_regions(batch)?;
            let collected = growing.collected.par_iter_mut().enumerate();
            collected.try_for_each(|(attribute, into)| -> Result<()> {
                let (bias, mean) = (f64::from(bias[attribute]), mean.map(0, attribute));
                for position in 0..batch.indices.len() {
                    let mask = own.get(position).and_then(|masks| Some(&masks.as_ref()?[attribute]));
                    let cells = match (cells.get(attribute), stage.regions.in_image(attribute, mask)) {
                        (Some(cells), _) => Cow::Borrowed(cells),
                        (None, Some(region)) => Cow::Owned(cell_shares(region)),
                        (None, None) => Cow::Owned(vec![f64::NAN; mean.len()]),
                    };
                    let evidence = evidence.map(position, attribute);
                    into.cells.resize(mean.len(), 0.0);
                    let raw = centred.map(position, attribute);
                    let label = labels[position * stage.attributes.len() + attribute];
                    let centred = of_centred.measure(raw, attribute, mask, &mut into.cells)?;
                    let centred = centred.and_then(|measured| measured.localisation.energy);
                    into.rows.push(Row {
                        reliance: metrics::bias_reliance(bias, evidence, mean, &cells)?,
                        centred: centred.filter(|_| stage.has_map(label)),
                        measured: None,
                        exact: None,
                    });
                }
                Ok(())
            })?;

            let chosen: Vec<usize> = (0..batch.indices.len())
                .filter(|&position| stage.explained.binary_search(&batch.indices[position]).is_ok())
                .collect();
            let attributes = &stage.attributes;
            if cost == Cost::Free {
                if !chosen.is_empty() {
                    let maps = stage.explainer.maps(&images, output, attributes, Some(&known))?;
                    stage.take_in(
                        &mut growing,
                        batch,
                        output,
                        &labels,
                        &chosen,
                        &own,
                        |position| position,
                        &maps,
                    )?;
                }
                return Ok(());
            }
            for position in chosen {
                context.interrupt.check()?;
                let one = Output {
                    features: output.features.narrow(0, position, 1)?,
                    logits: output.logits.narrow(0, position, 1)?,
                };
                let known = &known[position * attributes.len()..][..attributes.len()];
                let image = images.narrow(0, position, 1)?;
                let maps = stage.explainer.maps(&image, &one, attributes, Some(known))?;
                stage.take_in(&mut growing, batch, output, &labels, &[position], &own, |_| 0, &maps)?;
                stage.estimate(&growing);
            }
            Ok(())
        },
    )?;
    stage.write(growing, classifier)
}

impl Collected {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            averages: Vec::new(),
            cells: Vec::new(),
        }
    }
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
    fn estimate(&self, growing: &Growing) {
        if growing.done != 1 {
            return;
        }
        let first = growing.since.elapsed();
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

    /// The regions of each image of a batch, where each has its own: nothing where they are the same in all.
    fn own_regions(&self, batch: &Batch) -> Result<Vec<Option<Vec<Region>>>> {
        let size = self.context.experiment.data.image_size;
        match self.regions {
            Regions::Fixed(_) => Ok(Vec::new()),
            Regions::Masks => masks::exact_masks(self.data, batch, size),
        }
    }

    /// Measures maps of the images at some positions of a batch, with regions of their `own` by position; `row` is the place of a position among the maps.
    #[expect(clippy::too_many_arguments, reason = "one call's worth of a batch")]
    fn take_in(
        &self,
        growing: &mut Growing,
        batch: &Batch,
        output: &Output,
        labels: &[i8],
        positions: &[usize],
        own: &[Option<Vec<Region>>],
        row: impl Fn(usize) -> usize + Sync,
        maps: &Maps,
    ) -> Result<()> {
        let size = self.context.experiment.data.image_size;
        let attributes = self.attributes.len();
        let localiser = match &mut growing.localiser {
            Some(localiser) => localiser,
            none => {
                let cells = [maps.height, maps.width];
                growing.kept = self.begin_raw_maps(cells)?;
                none.insert(Localiser::new(self.method, self.resize, cells, size, &self.regions)?)
            }
        };
        let localiser = &*localiser;
        let exact: Vec<Option<Vec<Footprint>>> = positions
            .par_iter()
            .map(|&position| localiser.exact_regions(self.data, batch.indices[position]))
            .collect::<Result<_>>()?;
        let logits = output.logits.flatten_all()?.to_vec1::<f32>()?;
        let first = growing.collected.first().map_or(0, |one| one.rows.len()) - batch.indices.len();
        let collected = growing.collected.par_iter_mut().enumerate();
        collected.try_for_each(|(attribute, into)| -> Result<()> {
            let length = localiser.finaliser().len();
            into.cells.resize(length, 0.0);
            if into.averages.is_empty() {
                into.averages = vec![MapAverage::new(length); Filter::ALL.len()];
            }
            for (&position, exact) in positions.iter().zip(&exact) {
                let at = position * attributes + attribute;
                if !self.has_map(labels[at]) {
                    continue;
                }
                let mask = own.get(position).and_then(|masks| Some(&masks.as_ref()?[attribute]));
                let raw = maps.map(row(position), attribute);
                let found = localiser.measure(raw, attribute, mask, &mut into.cells)?;
                let known = &mut into.rows[first + position];
                known.measured = found;
                known.exact = exact
                    .as_ref()
                    .and_then(|regions| localiser.energy(&into.cells, &regions[attribute]));
                let averages = Filter::ALL.iter().zip(&mut into.averages);
                averages
                    .filter(|(filter, _)| filter.selects(labels[at], logits[at]))
                    .for_each(|(_, average)| average.add(&into.cells));
            }
            Ok(())
        })?;
        let pixels = size * size * 3;
        let images: Vec<&[f32]> = positions
            .iter()
            .map(|position| &batch.images[position * pixels..][..pixels])
            .collect();
        let positive: Vec<bool> = positions
            .iter()
            .flat_map(|position| &logits[position * attributes..][..attributes])
            .map(|logit| Class::predicted(*logit) == Class::Positive)
            .collect();
        growing.faces.add(&images, &positive);
        if let Some(kept) = &mut growing.kept {
            for &position in positions {
                let mut own = maps.only(row(position));
                let length = own.height * own.width;
                let labels = &labels[position * attributes..][..attributes];
                let unlabelled = own.data.chunks_mut(length).zip(labels);
                unlabelled
                    .filter(|(_, label)| !self.has_map(**label))
                    .for_each(|(map, _)| map.fill(f32::NAN));
                kept.add(&own.data)?;
            }
        }
        growing.done += positions.len();
        Ok(())
    }

    /// Begins the file of raw maps, if it is asked for.
    fn begin_raw_maps(&self, [height, width]: [usize; 2]) -> Result<Option<raw_maps::Writer>> {
        if !self.context.experiment.explain.keep_maps {
            return Ok(None);
        }
        let shape = [self.explained.len(), self.attributes.len(), height, width];
        let relative = self.raw_maps_path();
        self.context.progress.say(&format!(
            "{:24} keeps {} x {} maps of {height} x {width} in {relative}: {:.1} MB",
            self.title,
            shape[0],
            shape[1],
            raw_maps::size(shape) as f64 / 1e6
        ));
        let names: Vec<&str> = self
            .explained
            .iter()
            .map(|&index| self.data.annotations().names[index].as_str())
            .collect();
        let about = [
            ("images", names.join(",")),
            ("attributes", self.data.attributes().join(",")),
            ("method", self.method.to_string()),
            ("target", self.target.to_string()),
            ("layer", self.explainer.layer().to_owned()),
        ];
        raw_maps::Writer::begin(&self.context.results.join(&relative), shape, &about).map(Some)
    }

    fn raw_maps_path(&self) -> String {
        raw_maps::path(self.title.trim_start_matches("explain/"))
    }

    /// Writes what was found.
    fn write(&self, growing: Growing, classifier: &str) -> Result<Vec<String>> {
        let results = &self.context.results;
        let path = energy_path(classifier);
        results.write(&path, &self.energy_table(&growing.collected, &path)?)?;
        let groups: Vec<maps::Group<'_>> = growing
            .collected
            .iter()
            .zip(&self.attributes)
            .map(|(one, &attribute)| maps::Group {
                maps: &one.averages,
                faces: Class::BOTH.map(|class| growing.faces.mean(attribute, class == Class::Positive)),
            })
            .collect();
        let cells = growing.localiser.as_ref().map(|localiser| localiser.finaliser());
        let bytes = maps::to_bytes(&groups, cells)?;
        results.write(&maps::path(classifier), &bytes)?;
        let mut written = vec![path, maps::path(classifier)];
        match growing.kept {
            Some(kept) => {
                kept.finish()?;
                written.push(self.raw_maps_path());
            }
            // Of earlier settings; beside these results it would pass for theirs.
            None => results.remove(&self.raw_maps_path())?,
        }
        Ok(written)
    }

    /// The long table of energies, images outermost.
    fn energy_table(&self, collected: &[Collected], path: &str) -> Result<Vec<u8>> {
        let images = self.data.test.len();
        let rows: Vec<&Row> = (0..images)
            .flat_map(|image| collected.iter().map(move |one| &one.rows[image]))
            .collect();
        let column = |value: fn(&Row) -> Option<f64>| -> Vec<Option<f32>> {
            rows.iter().map(|row| value(row).map(|value| value as f32)).collect()
        };
        let keys = PerAttribute {
            images: self
                .data
                .test
                .iter()
                .map(|&index| self.data.annotations().names[index].clone())
                .collect(),
            attributes: self.data.attributes().to_vec(),
        };
        let explained: Vec<i8> = rows.iter().map(|row| i8::from(row.measured.is_some())).collect();
        let table = keys
            .keys()
            .labels("explained", &explained)
            .singles("energy", &column(|row| row.measured?.localisation.energy))
            .singles(
                "energy_corrected",
                &column(|row| row.measured?.localisation.energy_corrected),
            )
            .singles("mask_ratio", &column(|row| row.measured?.localisation.mask_ratio))
            .singles(
                "mask_ratio_corrected",
                &column(|row| row.measured?.localisation.mask_ratio_corrected),
            )
            .singles("region_area", &column(|row| Some(row.measured?.area)))
            .singles("energy_exact", &column(|row| row.exact))
            .singles("energy_centred", &column(|row| row.centred));
        let reliance: Vec<BiasReliance> = rows.iter().map(|row| row.reliance).collect();
        write_columns(table, &reliance)
            .to_parquet()
            .map_err(|source| Error::Table {
                path: self.context.results.join(path),
                source,
            })
    }
}

/// The mean evidence of the reference's images for +z, [1, A, h, w]; evidence is linear in the features.
fn mean_evidence(reference: &cam::Reference, head: &Head) -> Result<Maps> {
    let output = Output {
        features: reference.features().unsqueeze(0)?,
        logits: Tensor::zeros((1, head.bias.elem_count()), candle_core::DType::F32, &Device::Cpu)?,
    };
    Ok(cam::raw_maps(Method::HiresCam, Target::Positive, &output, head)?)
}
