//! The faithfulness stage: whether the maps of some methods tell what the classifier uses, on a sample of scores.
//!
//! `NAME/faithfulness.parquet` has one row for each score of the sample and method, scores being logits times the derivative that the
//! method's target has: of the predicted class, unless `explain.target` is `positive` or `negative`.
//!
//! - `predicted`: the class, 1 or -1; `score`: of the whole image
//! - `deletion`, `insertion`, `road`: see [`removal`](super::removal)
//! - `pointing_region`, `pointing_exact`: 1 where the map's largest value is in the region or exact mask, else 0
//! - `mask_score_region`, `mask_score_exact`: Attention-IoU of the map with them
//! - `heatmap_score`: Attention-IoU with the map of `measure.faithfulness.heatmap_attribute`
//! - `..._toggled`: see [`localised`](super::localised), where the program draws the images
//! - `stability`: rank correlation of the raw map with that of the same picture with other noise, likewise
//!
//! `NAME/sanity.parquet` has one row for each of them and depth of randomisation: `similarity`, the rank correlation of the raw map
//! with that of the network as it was trained.

use std::collections::HashMap;

use cam::{Explainer, ExplainerConfig, Method, Reference, Target};
use candle_core::{Device, Tensor};
use metrics::{Class, Region, mixed};
use model::{Mode, Network};
use rayon::prelude::*;

use super::baselines::{Baselines, CaseMaps};
use super::cases::{Case, cases};
use super::localised::Localised;
use super::removal::{Removal, Removed};
use crate::artefacts;
use crate::error::Result;
use crate::experiment::{ExplainSettings, FaithfulnessSettings};
use crate::inputs::{Artefact, AttributeRegions, Attributes, Counterfactuals, Inputs, Masks, Setting, TestImages};
use crate::measured::{CENTRE, MEAN, Predictions, RANDOM};
use crate::steps::explain::{self, MapsFile};
use crate::steps::pass::{self, Pass};
use crate::steps::step::{Step, write_table};
use crate::steps::{predict, reference, train};
use disk::Columns;
use pipeline::{Declaration, Sandbox};

/// The pointing game's tolerance: 15 pixels (Zhang et al. 2018) of an image of 224.
const TOLERANCE: f64 = 15.0 / 224.0;
/// Scores in work at a time.
const TOGETHER: usize = 8;

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 3;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("faithfulness/{classifier}")
}

/// Tries methods on one classifier.
pub struct Try<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    /// With labels.
    images: TestImages<'a>,
    regions: AttributeRegions<'a>,
    masks: Masks<'a>,
    counterfactuals: Option<Counterfactuals<'a>>,
    explain: Setting<ExplainSettings>,
    settings: Setting<&'a FaithfulnessSettings>,
    seed: Setting<u64>,
    checkpoint: Artefact,
    predictions: Artefact,
    reference: Artefact,
    /// The mean maps.
    maps: Artefact,
}

impl<'a> Try<'a> {
    /// The step of a classifier, if it is wanted: not of a derived one, whose maps are made of the same features.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Option<Self> {
        let experiment = inputs.experiment;
        let settings = &experiment.measure.faithfulness;
        experiment.wants_faithfulness(classifier).then(|| Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            regions: inputs.regions(),
            masks: inputs.masks(),
            counterfactuals: inputs.counterfactuals(),
            explain: Setting::new(
                "explain",
                experiment.explain.of_maps(&settings.tried(experiment.explain.method)),
            ),
            settings: Setting::new("measure.faithfulness", settings),
            seed: Setting::new("seed", experiment.seed),
            checkpoint: train::checkpoint(classifier),
            predictions: predict::predictions(classifier),
            reference: predict::mean_features(inputs, classifier),
            maps: explain::mean_maps(classifier),
        })
    }
}

impl Step for Try<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            regions,
            masks,
            counterfactuals,
            explain,
            settings,
            seed,
            checkpoint,
            predictions,
            reference,
            maps,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(regions)
            .reading(masks)
            .reading(counterfactuals)
            .reading(explain)
            .reading(settings)
            .reading(seed)
            .reading(checkpoint)
            .reading(predictions)
            .reading(reference)
            .reading(maps)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        Trial::new(self, folder, device)?.run()
    }
}

/// A case with all that the trials need of it.
struct Loaded<'a> {
    case: &'a Case,
    number: usize,
    /// `[S, S, 3]`.
    image: &'a [f32],
    /// The score's derivatives by the logits of the attribute and of the one that it is compared with.
    signs: [i8; 2],
    region: &'a Region,
    exact: Option<Region>,
    /// The pixels that toggling the attribute changes.
    toggled: Option<Region>,
    /// The same picture with other noise, `[S, S, 3]`.
    other_noise: Option<Vec<f32>>,
}

/// One row of `faithfulness.parquet`, but for its key.
struct Row {
    removed: Removed,
    pointing: [Option<f64>; 2],
    mask_score: [Option<f64>; 2],
    heatmap_score: Option<f64>,
    localised: Localised,
    stability: Option<f64>,
}

struct Trial<'a> {
    step: &'a Try<'a>,
    folder: &'a Sandbox<'a>,
    device: &'a Device,
    size: usize,
    /// As the experiment says, of its own method.
    config: ExplainerConfig,
    methods: Vec<Method>,
    /// The attribute that maps are compared with.
    other: Option<usize>,
    network: Network,
    reference: Reference,
    mean_maps: MapsFile,
    /// Stands for a region where an image has none of its own.
    whole: Region,
    cases: Vec<Case>,
}

impl<'a> Trial<'a> {
    fn new(step: &'a Try<'a>, folder: &'a Sandbox<'a>, device: &'a Device) -> Result<Self> {
        let (size, names) = (step.images.size(), step.attributes.names());
        let all = 0..names.len();
        let mut local: Vec<usize> = all
            .clone()
            .filter(|&attribute| step.regions.may_be_local(attribute))
            .collect();
        if local.is_empty() {
            local = all.collect();
        }
        let predictions = Predictions::read(&step.predictions.at(folder)?)?;
        let test = step.images.indices();
        Ok(Self {
            cases: cases(test, &predictions, &local, step.settings.images, *step.seed),
            size,
            config: step.explain.config(),
            methods: step.settings.tried(step.explain.method),
            other: names.iter().position(|name| *name == step.settings.heatmap_attribute),
            network: pass::trained_network(folder, &step.checkpoint, names, device)?,
            reference: reference::read(&step.reference.at(folder)?)?,
            mean_maps: MapsFile::at(&step.maps.at(folder)?, &step.explain.config(), size, names.len())?,
            whole: Region::from_mask(size, vec![true; size * size])?,
            step,
            folder,
            device,
        })
    }

    fn run(&self) -> Result<()> {
        let title = self.folder.step();
        let mut indices: Vec<usize> = self.cases.iter().map(|case| case.index).collect();
        indices.sort_unstable();
        indices.dedup();
        let length = 3 * self.size * self.size;
        let mut images: HashMap<usize, Vec<f32>> = HashMap::new();
        let mut logits: HashMap<usize, Vec<f32>> = HashMap::new();
        let mut masks: HashMap<usize, Vec<Region>> = HashMap::new();
        let mut cells = [0; 2];
        let pass = Pass {
            folder: self.folder,
            device: self.device,
            images: *self.step.images,
            title,
            together: pass::BATCH,
        };
        pass.over(&indices, |batch, input| {
            let output = self.network.forward(input, Mode::Eval)?;
            cells = [output.features.dim(2)?, output.features.dim(3)?];
            let exact = self.step.masks.of_batch(batch, self.size)?;
            let rows = output.logits.to_vec2::<f32>()?;
            for (((index, image), row), exact) in batch
                .indices
                .iter()
                .zip(batch.images.chunks(length))
                .zip(rows)
                .zip(exact)
            {
                images.insert(*index, image.to_vec());
                logits.insert(*index, row);
                exact.map(|exact| masks.insert(*index, exact));
            }
            Ok(())
        })?;
        let loaded: Vec<Loaded<'_>> = self
            .cases
            .iter()
            .enumerate()
            .map(|(number, case)| {
                let sign =
                    |attribute: usize| match (self.config.target, Class::predicted(logits[&case.index][attribute])) {
                        (Target::Positive, _) | (Target::Predicted | Target::Label, Class::Positive) => 1,
                        (Target::Negative, _) | (Target::Predicted | Target::Label, Class::Negative) => -1,
                    };
                let mask = masks.get(&case.index).map(|masks| &masks[case.attribute]);
                let counterfactuals = self.step.counterfactuals.as_ref();
                let toggled = counterfactuals.map(|drawn| drawn.difference(case.index, case.attribute));
                let other_noise = counterfactuals.map(|drawn| drawn.with_other_noise(case.index));
                Ok(Loaded {
                    case,
                    number,
                    image: &images[&case.index],
                    signs: [sign(case.attribute), sign(self.other.unwrap_or(case.attribute))],
                    region: self.step.regions.in_image(case.attribute, mask).unwrap_or(&self.whole),
                    exact: mask.filter(|mask| mask.pixels() > 0).cloned(),
                    toggled: toggled.transpose()?.flatten(),
                    other_noise: other_noise.transpose()?.flatten(),
                })
            })
            .collect::<Result<_>>()?;
        let names = self.names();
        let baselines = Baselines::new(self.config.resize, cells, self.size, &self.mean_maps);
        let mut raw: Vec<Vec<Vec<f32>>> = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        let removal = Removal::new(self.folder, &self.network, self.device, self.size, images.values());
        let mut work = self.folder.progress().work(title, self.cases.len() as u64);
        for some in loaded.chunks(TOGETHER) {
            self.folder.interrupt().check()?;
            let images: Vec<&[f32]> = some.iter().map(|one| one.image).collect();
            let maps = self.maps(&self.network, &self.reference, some, &images)?;
            let noisy: Vec<&[f32]> = some.iter().filter_map(|one| one.other_noise.as_deref()).collect();
            let of_noisy = match noisy.len() == some.len() {
                true => self.maps(&self.network, &self.reference, some, &noisy)?,
                false => Vec::new(),
            };
            for (place, (one, mut maps)) in some.iter().zip(maps).enumerate() {
                let stable = of_noisy.get(place).map(|others| {
                    let pairs = maps.iter().zip(others);
                    pairs
                        .map(|(own, other)| similarity(&own.raw, &other.raw))
                        .collect::<Vec<_>>()
                });
                let seed = mixed(&[*self.step.seed, one.number as u64]);
                maps.extend(baselines.of(one.case, seed));
                let road = one.number < self.step.settings.road_images;
                let of_methods: Vec<&[f32]> = maps.iter().map(|maps| maps.map.as_slice()).collect();
                let seed = mixed(&[*self.step.seed, one.case.index as u64, one.case.attribute as u64]);
                let removed = removal.of(
                    one.image,
                    one.case.attribute,
                    f64::from(one.signs[0]),
                    &of_methods,
                    road,
                    seed,
                )?;
                for (method, (maps, removed)) in maps.iter().zip(removed).enumerate() {
                    let mut row = self.row(one, maps, removed)?;
                    row.stability = stable.as_ref().and_then(|all| *all.get(method)?);
                    rows.push(row);
                }
                maps.truncate(self.methods.len());
                raw.push(maps.into_iter().map(|maps| maps.raw).collect());
            }
            work.at(some.last().map_or(0, |one| one.number as u64 + 1), "");
        }
        let sanity = self.sanity(&loaded, &raw)?;
        work.abandon();
        let [faithfulness_path, sanity_path] = artefacts::faithfulness(self.step.classifier);
        let table = self.table(&names, &loaded, &logits, &rows);
        write_table(self.folder, &faithfulness_path, table)?;
        write_table(self.folder, &sanity_path, sanity)
    }

    /// Methods and baselines, in the order of the rows.
    fn names(&self) -> Vec<&'static str> {
        self.methods
            .iter()
            .map(|method| method.name())
            .chain([RANDOM, CENTRE, MEAN])
            .collect()
    }

    /// The maps of every case by every method, the cases side by side; `images`: what each sees.
    fn maps(
        &self,
        network: &Network,
        reference: &Reference,
        cases: &[Loaded<'_>],
        images: &[&[f32]],
    ) -> Result<Vec<Vec<CaseMaps>>> {
        let explainers: Vec<Explainer<'_>> = self
            .methods
            .iter()
            .map(|&method| {
                // These two are of the last stage only.
                let last = matches!(method, Method::Cam | Method::CentredCam);
                let config = ExplainerConfig {
                    method,
                    target: Target::Label,
                    layer: self.config.layer.clone().filter(|_| !last),
                    reference: Some(reference.clone()),
                    ..self.config.clone()
                };
                Explainer::new(network, config)
            })
            .collect::<cam::Result<_>>()?;
        let of = |(one, image): (&Loaded<'_>, &&[f32])| {
            let shape = (1, self.size, self.size, 3);
            let image = Tensor::from_slice(image, shape, self.device)?.permute((0, 3, 1, 2))?;
            let other = self.other.filter(|&other| other != one.case.attribute);
            let attributes: Vec<usize> = std::iter::once(one.case.attribute).chain(other).collect();
            let map = |explainer: &Explainer<'_>| -> Result<CaseMaps> {
                let maps = explainer
                    .explain(&image, &attributes, Some(&one.signs[..attributes.len()]))?
                    .maps;
                let finalised = |k: usize| -> Result<Vec<f32>> {
                    let mut map = vec![0.0; self.size * self.size];
                    explainer.finalise(&maps, 0, k, &mut map)?;
                    Ok(map)
                };
                Ok(CaseMaps {
                    raw: maps.map(0, 0).to_vec(),
                    map: finalised(0)?,
                    other: other.map(|_| finalised(1)).transpose()?,
                })
            };
            explainers.iter().map(map).collect()
        };
        cases.par_iter().zip(images).map(of).collect()
    }

    fn row(&self, one: &Loaded<'_>, maps: &CaseMaps, removed: Removed) -> Result<Row> {
        let of = |region: &Region| -> Result<[Option<f64>; 2]> {
            let pointing = metrics::pointing_game(&maps.map, region, TOLERANCE * self.size as f64)?;
            let mask: Vec<f32> = region
                .mask()
                .iter()
                .map(|&inside| f32::from(u8::from(inside)))
                .collect();
            Ok([
                pointing.map(|hit| f64::from(u8::from(hit))),
                metrics::attention_iou(&maps.map, &mask)?,
            ])
        };
        let in_region = of(one.region)?;
        let in_exact = one.exact.as_ref().map(of).transpose()?.unwrap_or_default();
        let heatmap_score = match &maps.other {
            Some(other) => metrics::attention_iou(&maps.map, other)?,
            None => None,
        };
        Ok(Row {
            removed,
            pointing: [in_region[0], in_exact[0]],
            mask_score: [in_region[1], in_exact[1]],
            heatmap_score,
            localised: match &one.toggled {
                Some(changed) => Localised::of(&maps.map, changed, TOLERANCE * self.size as f64)?,
                None => Localised::default(),
            },
            stability: None,
        })
    }

    /// How alike the maps stay while the network's weights are randomised from the head down.
    fn sanity(&self, loaded: &[Loaded<'_>], before: &[Vec<Vec<f32>>]) -> Result<Columns> {
        let mut layers = vec!["fc".to_owned()];
        layers.extend(self.network.architecture().layers().into_iter().rev());
        layers.push("conv1".to_owned());
        let mut keys: Vec<(&str, &str, &str, &str)> = Vec::new();
        let mut similarities = Vec::new();
        for layer in &layers {
            let network = self.network.with_randomised_from(layer, *self.step.seed)?;
            // What is centred needs the mean features of this network.
            let mut reference = Reference::new();
            for some in loaded.chunks(TOGETHER) {
                self.folder.interrupt().check()?;
                let images: Vec<f32> = some.iter().flat_map(|one| one.image).copied().collect();
                let shape = (some.len(), self.size, self.size, 3);
                let images = Tensor::from_vec(images, shape, self.device)?.permute((0, 3, 1, 2))?;
                reference.add(&network.forward(&images, Mode::Eval)?.features)?;
            }
            for some in loaded.chunks(TOGETHER) {
                self.folder.interrupt().check()?;
                let images: Vec<&[f32]> = some.iter().map(|one| one.image).collect();
                for (one, maps) in some.iter().zip(self.maps(&network, &reference, some, &images)?) {
                    for ((method, maps), before) in self.methods.iter().zip(&maps).zip(&before[one.number]) {
                        keys.push((self.image(one), self.attribute(one), method.name(), layer));
                        similarities.push(similarity(&maps.raw, before));
                    }
                }
            }
        }
        let column = |pick: fn(&(&'_ str, &'_ str, &'_ str, &'_ str)) -> String| -> Vec<String> {
            keys.iter().map(pick).collect()
        };
        Ok(Columns::default()
            .texts("image", &column(|key| key.0.to_owned()))
            .texts("attribute", &column(|key| key.1.to_owned()))
            .texts("method", &column(|key| key.2.to_owned()))
            .texts("randomised_from", &column(|key| key.3.to_owned()))
            .doubles("similarity", &similarities))
    }

    fn image(&self, one: &Loaded<'_>) -> &str {
        self.step.images.name(one.case.index)
    }

    fn attribute(&self, one: &Loaded<'_>) -> &str {
        &self.step.attributes.names()[one.case.attribute]
    }

    fn table(&self, names: &[&str], loaded: &[Loaded<'_>], logits: &HashMap<usize, Vec<f32>>, rows: &[Row]) -> Columns {
        let keys: Vec<(&Loaded<'_>, &str)> = loaded
            .iter()
            .flat_map(|one| names.iter().map(move |&name| (one, name)))
            .collect();
        let numbers = |value: &dyn Fn(&Row) -> Option<f64>| -> Vec<Option<f64>> { rows.iter().map(value).collect() };
        let score = |one: &Loaded<'_>| f64::from(logits[&one.case.index][one.case.attribute]) * f64::from(one.signs[0]);
        let table = Columns::default()
            .texts(
                "image",
                &keys.iter().map(|(one, _)| self.image(one)).collect::<Vec<_>>(),
            )
            .texts(
                "attribute",
                &keys.iter().map(|(one, _)| self.attribute(one)).collect::<Vec<_>>(),
            )
            .texts("method", &keys.iter().map(|(_, name)| *name).collect::<Vec<_>>())
            .labels(
                "predicted",
                &keys
                    .iter()
                    .map(|(one, _)| if one.case.predicted == Class::Positive { 1 } else { -1 })
                    .collect::<Vec<_>>(),
            )
            .doubles(
                "score",
                &keys.iter().map(|(one, _)| Some(score(one))).collect::<Vec<_>>(),
            )
            .doubles("deletion", &numbers(&|row| row.removed.deletion))
            .doubles("insertion", &numbers(&|row| row.removed.insertion))
            .doubles("road", &numbers(&|row| row.removed.road))
            .doubles("pointing_region", &numbers(&|row| row.pointing[0]))
            .doubles("pointing_exact", &numbers(&|row| row.pointing[1]))
            .doubles("mask_score_region", &numbers(&|row| row.mask_score[0]))
            .doubles("mask_score_exact", &numbers(&|row| row.mask_score[1]))
            .doubles("heatmap_score", &numbers(&|row| row.heatmap_score));
        let table = Localised::COLUMNS.iter().fold(table, |table, (name, score)| {
            table.doubles(name, &numbers(&|row| score(&row.localised)))
        });
        table.doubles("stability", &numbers(&|row| row.stability))
    }
}

/// The rank correlation of two raw maps.
fn similarity(one: &[f32], other: &[f32]) -> Option<f64> {
    let wide = |map: &[f32]| map.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    metrics::spearman(&wide(one), &wide(other))
}
