//! The step behind the report's browser of examples: which faces it shows, and their maps.
//!
//! For each attribute, classifier and outcome (true and false, positive and negative) it takes the first few test images of one
//! random order, so that nobody chooses what is seen. Only those images go through the networks again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cam::{Cost, Explainer, ExplainerConfig, Maps, Method};
use candle_core::Device;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use metrics::{Outcome, Region, table_order};
use model::Network;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::shown::Shown;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::ReportSettings;
use crate::inputs::{Inputs, Setting};
use crate::measured::Predictions;
use crate::steps::explain::Localiser;
use crate::steps::step::Step;
use pipeline::{Declaration, Sandbox};
use render::Outline;
use render::report::{AttributeExamples, Example, ExampleImage, ExamplesBrowser, RegionCells};

/// What a method of many passes is represented by: the paper's own, which the forward pass gives away.
const CHEAP: Method = Method::HiresCam;
/// Largest side of a face in the report, in pixels.
const FACE: u32 = 128;
const JPEG_QUALITY: u8 = 82;
/// Most cells a side of a region that only one image has.
const REGION_CELLS: usize = 48;
/// The file is kept below this many bytes by taking fewer examples: the report should stay easy to mail.
const LARGEST_FILE: usize = 5_000_000;

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 2;

/// The step.
pub const STEP: &str = "examples";

/// Makes the browser's examples.
pub struct Browse<'a> {
    shown: Shown<'a>,
    report: Setting<&'a ReportSettings>,
}

impl<'a> Browse<'a> {
    /// The step.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        Self {
            shown: Shown::new(inputs),
            report: Setting::new("report", &inputs.experiment.report),
        }
    }
}

impl Step for Browse<'_> {
    fn declaration(&self) -> Declaration {
        let Self { shown, report } = self;
        Declaration::of(STEP, VERSION).reading(shown).reading(report)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        let Self { shown, report } = self;
        let (wanted, seed) = (report.examples, *shown.seed);
        let predictions = shown.predictions(folder)?;
        let rows = shown.images.indices().len();
        let everything = Choice::of(rows, &predictions, seed, wanted);
        let source = Source::read(shown, folder, device, &everything.images())?;
        let mut bytes = Vec::new();
        for each in (0..=wanted).rev() {
            let choice = Choice::of(rows, &predictions, seed, each);
            bytes = serde_json::to_vec(&assemble(shown, &predictions, &choice, &source)?)
                .map_err(|error| Error::Request(format!("{} cannot be written: {error}", artefacts::EXAMPLES)))?;
            if bytes.len() <= LARGEST_FILE {
                break;
            }
        }
        Ok(folder.write(artefacts::EXAMPLES, &bytes)?)
    }
}

/// What an earlier run of the step has left; nothing in an older folder.
///
/// # Errors
/// When the file is damaged.
pub fn read(folder: &Path) -> Result<Option<ExamplesBrowser>> {
    let path = folder.join(artefacts::EXAMPLES);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::artefact(&path, format!("no examples: {}", pipeline::json_fault(&error)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(&path, "reading")(error)),
    }
}

/// Which test images stand for what. Images are rows of the predictions.
struct Choice {
    /// By classifier and attribute, in the data set's order.
    groups: Vec<Vec<Outcomes>>,
}

/// Of each outcome, how many images have it, and the chosen ones.
type Outcomes = [(usize, Vec<usize>); 4];

impl Choice {
    /// The first `each` images of every outcome, in the order that `seed` draws of `rows` images.
    fn of(rows: usize, predictions: &[Predictions], seed: u64, each: usize) -> Self {
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let groups = predictions.iter().map(|predictions| {
            let attributes = predictions.keys.attributes.len();
            let of_attribute = |attribute: usize| {
                let mut groups = Outcomes::default();
                for &row in &order {
                    let at = row * attributes + attribute;
                    if let Some(outcome) = Outcome::of(predictions.labels[at], predictions.scores[at]) {
                        let (count, chosen) = &mut groups[outcome as usize];
                        *count += 1;
                        if chosen.len() < each {
                            chosen.push(row);
                        }
                    }
                }
                groups
            };
            (0..attributes).map(of_attribute).collect()
        });
        Self {
            groups: groups.collect(),
        }
    }

    /// The images that stand for anything of an attribute.
    fn images_of(&self, attribute: usize) -> BTreeSet<usize> {
        let groups = self.groups.iter().flat_map(|classifier| &classifier[attribute]);
        groups.flat_map(|(_, chosen)| chosen.iter().copied()).collect()
    }

    /// The images that stand for anything.
    fn images(&self) -> Vec<usize> {
        let attributes = self.groups.first().map_or(0, Vec::len);
        let all: BTreeSet<usize> = (0..attributes)
            .flat_map(|attribute| self.images_of(attribute))
            .collect();
        all.into_iter().collect()
    }
}

/// The faces and maps of some test images.
struct Source {
    faces: BTreeMap<usize, ExampleImage>,
    /// Raw maps of all attributes, by classifier and image.
    maps: Vec<BTreeMap<usize, Maps>>,
    /// What made them: the experiment's method, or [`CHEAP`] where that one takes passes of its own.
    method: Method,
}

impl Source {
    fn read(shown: &Shown<'_>, folder: &Sandbox<'_>, device: &Device, rows: &[usize]) -> Result<Self> {
        let (size, test) = (shown.images.size(), shown.images.indices());
        let attributes: Vec<usize> = (0..shown.attributes.count()).collect();
        let row_of: BTreeMap<usize, usize> = rows.iter().map(|&row| (test[row], row)).collect();
        let indices: Vec<usize> = row_of.keys().copied().collect();
        let mut faces = BTreeMap::new();
        let mut maps = vec![BTreeMap::new(); shown.classifiers.len()];
        let mut method = shown.explain.method;
        if indices.is_empty() {
            return Ok(Self { faces, maps, method });
        }
        let cheap = |network: &Network, config: ExplainerConfig| {
            let cost = Explainer::new(network, config.clone())?.cost(attributes.len());
            if cost == Cost::Free {
                return Ok(config);
            }
            method = CHEAP;
            Ok(ExplainerConfig {
                method: CHEAP,
                layer: None,
                ..config
            })
        };
        shown.explain(
            folder,
            device,
            &indices,
            cheap,
            |classifier, explainer, batch, images, output| {
                // A label that is missing cannot be explained: no example has one, and any takes its place.
                let labels: Vec<i8> = batch
                    .labels
                    .iter()
                    .map(|&label| if label < 0.0 { -1 } else { 1 })
                    .collect();
                let found = explainer.maps(images, output, &attributes, Some(&labels))?;
                let pixels = batch.images.chunks(size * size * 3);
                for (at, (index, pixels)) in batch.indices.iter().zip(pixels).enumerate() {
                    let row = row_of[index];
                    maps[classifier].insert(row, found.only(at));
                    if classifier == 0 {
                        let image = ExampleImage {
                            name: shown.images.name(*index).to_owned(),
                            jpeg: STANDARD.encode(jpeg(&render::picture(pixels, size)?)?),
                        };
                        faces.insert(row, image);
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self { faces, maps, method })
    }
}

fn jpeg(face: &RgbImage) -> Result<Vec<u8>> {
    let side = face.width().min(FACE);
    let small = if side < face.width() {
        resize(face, side, side, FilterType::Triangle)
    } else {
        face.clone()
    };
    let mut bytes = Cursor::new(Vec::new());
    small
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
        .map_err(|error| Error::Request(format!("a face cannot be encoded as JPEG: {error}")))?;
    Ok(bytes.into_inner())
}

/// The region of one image, in cells that are small enough for its border.
fn own_region(region: &Region) -> RegionCells {
    let size = region.size();
    let side = size.min(REGION_CELLS);
    let pixel = |cell: usize| (2 * cell + 1) * size / (2 * side);
    let inside = |cell: usize| region.mask()[pixel(cell / side) * size + pixel(cell % side)];
    RegionCells {
        side,
        cells: (0..side * side)
            .map(|cell| if inside(cell) { '1' } else { '0' })
            .collect(),
    }
}

fn assemble(
    shown: &Shown<'_>,
    predictions: &[Predictions],
    choice: &Choice,
    source: &Source,
) -> Result<ExamplesBrowser> {
    let (names, size, classifiers) = (shown.attributes.names(), shown.images.size(), &*shown.classifiers);
    let (regions, resize) = (&shown.regions, shown.explain.resize);
    let images = choice.images();
    let mut own: BTreeMap<usize, Option<Vec<Region>>> = BTreeMap::new();
    if let Some(masks) = regions.own() {
        for &row in &images {
            own.insert(row, masks.of_image(shown.images.indices()[row], size)?);
        }
    }
    let place: BTreeMap<usize, usize> = images.iter().enumerate().map(|(at, &row)| (row, at)).collect();
    let (height, width) = source
        .maps
        .first()
        .and_then(|maps| maps.values().next())
        .map_or((0, 0), |maps| (maps.height, maps.width));
    let shape = [height.max(1), width.max(1)];
    let localiser = Localiser::new(source.method, resize, shape, size, regions)?;
    let mut finalised = vec![0.0; localiser.post_processing().len()];

    let mut attributes = Vec::with_capacity(names.len());
    for attribute in table_order(names, &shown.facts.class_counts()) {
        let of_attribute: Vec<usize> = choice.images_of(attribute).into_iter().collect();
        let mut examples = Vec::with_capacity(of_attribute.len());
        for &row in &of_attribute {
            let at = row * names.len() + attribute;
            let mask = own.get(&row).and_then(|masks| Some(&masks.as_ref()?[attribute]));
            let region = regions.in_image(attribute, mask);
            let mut energies = Vec::with_capacity(classifiers.len());
            let mut cells = Vec::with_capacity(classifiers.len());
            for maps in &source.maps {
                let raw = maps[&row].map(0, attribute);
                let measured = localiser.measure(raw, attribute, mask, &mut finalised)?;
                energies.push(measured.and_then(|measured| Some(measured.localisation.energy? as f32)));
                cells.push(STANDARD.encode(quantised(raw)));
            }
            examples.push(Example {
                image: place[&row],
                region: mask.and(region).map(own_region),
                label: predictions[0].labels[at],
                scores: predictions.iter().map(|predictions| predictions.scores[at]).collect(),
                energies,
                maps: cells,
            });
        }
        // The whole image has no border to show; where each image has a region of its own, its example has it.
        let outline = regions.outline(attribute).unwrap_or(Outline {
            side: 1,
            inside: vec![false],
        });
        let groups = || choice.groups.iter().map(|all| &all[attribute]);
        let position = |row: &usize| of_attribute.binary_search(row).unwrap_or_default();
        attributes.push(AttributeExamples {
            name: names[attribute].clone(),
            region: RegionCells {
                side: outline.side,
                cells: outline
                    .inside
                    .iter()
                    .map(|&inside| if inside { '1' } else { '0' })
                    .collect(),
            },
            counts: groups()
                .map(|groups| groups.each_ref().map(|(count, _)| *count))
                .collect(),
            groups: groups()
                .map(|groups| {
                    groups
                        .each_ref()
                        .map(|(_, chosen)| chosen.iter().map(position).collect())
                })
                .collect(),
            examples,
        });
    }
    Ok(ExamplesBrowser {
        seed: *shown.seed,
        method: source.method.to_string(),
        instead_of: (source.method != shown.explain.method).then(|| shown.explain.method.to_string()),
        resize: resize.to_string(),
        size,
        height,
        width,
        colours: STANDARD.encode(render::ColourMap::default().table().concat()),
        classifiers: classifiers.to_vec(),
        images: images.iter().map(|row| source.faces[row].clone()).collect(),
        attributes,
    })
}

/// A raw map after ReLU, from 0 to 255 as its values lie between 0 and the largest: what becomes of it after the resize depends on
/// nothing else, for the map's own scale is divided out.
fn quantised(raw: &[f32]) -> Vec<u8> {
    let largest = raw.iter().fold(0.0_f32, |a, &b| a.max(b));
    let scale = if largest > 0.0 { 255.0 / largest } else { 0.0 };
    raw.iter().map(|value| (value.max(0.0) * scale).round() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_what_the_resize_needs() {
        assert_eq!(quantised(&[-1.0, 0.0, 1.0, 2.0]), [0, 0, 128, 255]);
        assert_eq!(quantised(&[-1.0, -2.0]), [0, 0]);
    }

    #[test]
    fn an_image_s_own_region_keeps_its_place() {
        let quarter = |size: usize| {
            let inside = (0..size * size).map(|pixel| pixel / size < size / 2 && pixel % size >= size / 2);
            own_region(&Region::from_mask(size, inside.collect()).expect("a square"))
        };
        assert_eq!((quarter(2).side, quarter(2).cells.as_str()), (2, "0100"));
        // Shrunk where it is large: the quarter stays a quarter.
        assert_eq!(quarter(224), quarter(REGION_CELLS));
    }
}
