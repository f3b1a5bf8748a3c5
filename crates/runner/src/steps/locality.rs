//! The locality step: how much of what decides a cell of each layer lies in the part of the image that the cell stands for.
//!
//! `NAME/locality.parquet` has a row for each layer, kind of influence and cell that was looked at, in rows and columns counted from 0:
//!
//! - `own`, `grown`: share of the influence in the cell's own square, and in it with the squares of its neighbours, means over the images; absent
//!   where no pixel has an influence
//! - `own_area`, `grown_area`: the shares of the image that these are
//!
//! `NAME/locality.safetensors` has for a figure, of the last layer: `image` [S, S, 3] in [0, 1], the first image; `maps/KIND` [cells, s, s], the
//! influence on each cell over its largest value, on that image (FAME's) or in the mean over all (the gradient's); `cell_of_pixels` [S, S].

use std::collections::BTreeMap;

use cam::{FameConfig, Influence, Locality, LocalityProbe, Resize, Shares};
use candle_core::{Device, Tensor};
use disk::Columns;
use pipeline::{Declaration, Sandbox};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::pass::{self, Pass};
use super::step::{Step, write_table};
use super::train;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::LocalitySettings;
use crate::inputs::{Artefact, Attributes, Inputs, Setting, TestImages};

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;
/// At most so many cells along each side of a layer are looked at, evenly spread.
const ALONG: usize = 7;
/// Side of the maps that are kept.
const KEPT: usize = 56;

/// Maps of cells as they are kept, [`shrunk`].
type Maps = BTreeMap<[usize; 2], Vec<f32>>;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("locality/{classifier}")
}

/// Measures how local the cells of one classifier's layers are.
pub struct Locate<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    images: TestImages<'a>,
    settings: Setting<LocalitySettings>,
    resize: Setting<Resize>,
    fame: Setting<FameConfig>,
    seed: Setting<u64>,
    checkpoint: Artefact,
}

impl<'a> Locate<'a> {
    /// The step of a classifier, if it is wanted: not of a derived one, which has another's features.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Option<Self> {
        let experiment = inputs.experiment;
        experiment.wants_locality(classifier).then(|| Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.test_images(),
            settings: Setting::new("measure.locality", experiment.measure.locality),
            resize: Setting::new("explain.resize", experiment.explain.resize),
            fame: Setting::new("explain.fame", experiment.explain.fame),
            seed: Setting::new("seed", experiment.seed),
            checkpoint: train::checkpoint(classifier),
        })
    }
}

impl Step for Locate<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            settings,
            resize,
            fame,
            seed,
            checkpoint,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(settings)
            .reading(resize)
            .reading(fame)
            .reading(seed)
            .reading(checkpoint)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        let network = pass::trained_network(folder, &self.checkpoint, self.attributes.names(), device)?;
        let images = self.read_images(folder, device)?;
        let mut rows = Rows::default();
        let layers = network.architecture().layers();
        let mut work = folder.progress().work(folder.step(), layers.len() as u64);
        let mut tensors = BTreeMap::new();
        for (place, layer) in layers.iter().enumerate() {
            folder.interrupt().check()?;
            let probe = LocalityProbe::new(&network, layer, *self.resize, &images)?.with_fame(*self.fame)?;
            let cells = spread(probe.shape());
            let is_last = place + 1 == layers.len();
            for influence in [Influence::Gradient, Influence::Occlusion] {
                // Hidden squares serve all cells at once; the others are done a few at a time, so that a stop need not wait.
                let together = if influence == Influence::Occlusion {
                    cells.len()
                } else {
                    ALONG
                };
                for some in cells.chunks(together.max(1)) {
                    folder.interrupt().check()?;
                    rows.add(layer, influence, &probe.measure(&images, influence, some)?);
                }
            }
            // FAME of one layer costs hundreds of passes.
            if is_last {
                let known = self.fame(folder, &probe, &images, &cells, &mut rows)?;
                tensors = self.pictures(folder, &probe, &images, known)?;
            }
            work.at(place as u64 + 1, "");
        }
        work.abandon();
        let [table_path, tensors_path] = artefacts::locality(self.classifier);
        write_table(folder, &table_path, rows.columns())?;
        let bytes = safetensors::serialize(tensors, None)
            .map_err(|error| Error::Request(format!("{tensors_path} cannot be written: {error}")))?;
        Ok(folder.write(&tensors_path, &bytes)?)
    }
}

impl Locate<'_> {
    /// The images, `[N, 3, S, S]`.
    fn read_images(&self, folder: &Sandbox<'_>, device: &Device) -> Result<Tensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(*self.seed);
        let all = self.images.indices();
        let mut chosen: Vec<usize> = all.choose_multiple(&mut rng, self.settings.images).copied().collect();
        chosen.sort_unstable();
        let mut batches = Vec::new();
        let pass = Pass {
            folder,
            device,
            images: *self.images,
            title: folder.step(),
            together: pass::BATCH,
        };
        pass.over(&chosen, |_, images| {
            batches.push(images.copy()?);
            Ok(())
        })?;
        Ok(Tensor::cat(&batches, 0)?)
    }

    /// Measures FAME's influence on some cells; their maps on the first image.
    fn fame(
        &self,
        folder: &Sandbox<'_>,
        probe: &LocalityProbe<'_>,
        images: &Tensor,
        cells: &[[usize; 2]],
        rows: &mut Rows,
    ) -> Result<Maps> {
        let mut of_first = Maps::new();
        let (few, size) = (self.settings.fame_images.min(images.dim(0)?), images.dim(3)?);
        for some in cells.chunks(ALONG) {
            let mut found: Option<Locality> = None;
            for image in 0..few {
                folder.interrupt().check()?;
                let maps = probe.maps(&images.narrow(0, image, 1)?, Influence::Fame, some)?;
                let measured = probe.measure_maps(&maps, some)?;
                match &mut found {
                    Some(found) => found.influences.extend(measured.influences),
                    None => {
                        found = Some(measured);
                        add_maps(&mut of_first, some, &maps, size);
                    }
                }
            }
            if let Some(found) = found {
                rows.add(probe.layer(), Influence::Fame, &found);
            }
        }
        Ok(of_first)
    }

    /// What the figure is drawn from; `fame` are FAME's maps of some cells on the first image.
    fn pictures(
        &self,
        folder: &Sandbox<'_>,
        probe: &LocalityProbe<'_>,
        images: &Tensor,
        fame: Maps,
    ) -> Result<BTreeMap<String, Tensor>> {
        let cells = probe.cells();
        let size = images.dim(3)?;
        let cpu = &Device::Cpu;
        let first = images.narrow(0, 0, 1)?;
        let mut mean = vec![0.0_f32; cells.len() * size * size];
        for image in 0..images.dim(0)? {
            let maps = probe.maps(&images.narrow(0, image, 1)?, Influence::Gradient, &cells)?;
            mean.iter_mut().zip(maps).for_each(|(sum, value)| *sum += value);
        }
        let mut gradients = Maps::new();
        add_maps(&mut gradients, &cells, &mean, size);
        let mut kept = vec![(Influence::Gradient, gradients)];
        if self.settings.fame_images > 0 {
            let stop = || Ok(folder.interrupt().check()?);
            kept.push((Influence::Fame, with_all_cells(fame, probe, &first, &stop)?));
        }
        let side = KEPT.min(size);
        let mut tensors = BTreeMap::new();
        for (influence, maps) in kept {
            // In the order of the cells, row by row.
            let maps = maps.into_values().collect::<Vec<_>>().concat();
            let maps = Tensor::from_vec(maps, (cells.len(), side, side), cpu)?;
            tensors.insert(format!("maps/{}", influence.name()), maps);
        }
        let image = first.squeeze(0)?.permute((1, 2, 0))?.contiguous()?.to_device(cpu)?;
        tensors.insert("image".to_owned(), image);
        let of_pixels: Vec<u32> = probe.cell_of_pixels().into_iter().map(|cell| cell as u32).collect();
        tensors.insert(
            "cell_of_pixels".to_owned(),
            Tensor::from_vec(of_pixels, (size, size), cpu)?,
        );
        Ok(tensors)
    }
}

/// Adds maps `[cells, S, S]` as they are kept.
fn add_maps(to: &mut Maps, cells: &[[usize; 2]], maps: &[f32], size: usize) {
    let kept = maps
        .chunks_exact(size * size)
        .map(|map| shrunk(map, size, KEPT.min(size)));
    to.extend(cells.iter().copied().zip(kept));
}

/// FAME's maps of all cells of a layer on an image `[1, 3, S, S]`: those that are known, and the others. `stop` ends it between two batches.
fn with_all_cells(
    known: Maps,
    probe: &LocalityProbe<'_>,
    image: &Tensor,
    stop: &dyn Fn() -> Result<()>,
) -> Result<Maps> {
    let mut maps = known;
    let cells = probe.cells().into_iter();
    let missing: Vec<[usize; 2]> = cells.filter(|cell| !maps.contains_key(cell)).collect();
    for some in missing.chunks(ALONG) {
        stop()?;
        add_maps(
            &mut maps,
            some,
            &probe.maps(image, Influence::Fame, some)?,
            image.dim(3)?,
        );
    }
    Ok(maps)
}

/// Up to [`ALONG`] rows and columns of a grid, evenly spread.
fn spread([rows, columns]: [usize; 2]) -> Vec<[usize; 2]> {
    let along = |length: usize| -> Vec<usize> {
        let count = length.min(ALONG);
        (0..count).map(|place| (2 * place + 1) * length / (2 * count)).collect()
    };
    let columns = along(columns);
    along(rows)
        .into_iter()
        .flat_map(|row| columns.iter().map(move |&column| [row, column]))
        .collect()
}

/// A map at a smaller side, each pixel the mean of those that it stands for, over its largest value.
fn shrunk(map: &[f32], size: usize, side: usize) -> Vec<f32> {
    let range = |place: usize| place * size / side..((place + 1) * size / side).max(place * size / side + 1);
    let mean = |row: usize, column: usize| {
        let pixels = range(row).flat_map(|y| range(column).map(move |x| map[y * size + x]));
        let count = range(row).len() * range(column).len();
        pixels.sum::<f32>() / count as f32
    };
    let mut small: Vec<f32> = (0..side * side).map(|pixel| mean(pixel / side, pixel % side)).collect();
    let largest = small.iter().copied().fold(0.0_f32, f32::max);
    if largest > 0.0 {
        small.iter_mut().for_each(|value| *value /= largest);
    }
    small
}

/// The rows of the table.
#[derive(Default)]
struct Rows {
    layers: Vec<String>,
    influences: Vec<&'static str>,
    rows: Vec<i64>,
    columns: Vec<i64>,
    /// Found, and by area.
    shares: [Vec<Option<Shares>>; 2],
}

impl Rows {
    fn add(&mut self, layer: &str, influence: Influence, found: &Locality) {
        for ((cell, shares), area) in found.cells.iter().zip(found.by_cell()).zip(&found.areas) {
            self.layers.push(layer.to_owned());
            self.influences.push(influence.name());
            self.rows.push(cell[0] as i64);
            self.columns.push(cell[1] as i64);
            self.shares[0].push(shares);
            self.shares[1].push(area.shares());
        }
    }

    fn columns(&self) -> Columns {
        let share = |place: usize, of: fn(&Shares) -> f64| -> Vec<Option<f64>> {
            self.shares[place].iter().map(|one| one.as_ref().map(of)).collect()
        };
        Columns::default()
            .texts("layer", &self.layers)
            .texts("influence", &self.influences)
            .integers("row", &self.rows)
            .integers("column", &self.columns)
            .doubles("own", &share(0, |one| one.own))
            .doubles("grown", &share(0, |one| one.grown))
            .doubles("own_area", &share(1, |one| one.own))
            .doubles("grown_area", &share(1, |one| one.grown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Architecture, Network};

    /// A layer of more cells than are measured.
    #[test]
    fn a_figure_has_the_maps_of_all_cells() {
        let architecture = Architecture::preset("resnet18").unwrap().with_width(4);
        let network = Network::new(&architecture, 2, 1, &Device::Cpu).unwrap();
        let image = Tensor::rand(0_f32, 1.0, (1, 3, 40, 40), &Device::Cpu).unwrap();
        let probe = LocalityProbe::new(&network, "stage1", Resize::HalfPixel, &image).unwrap();
        let step_size = 1.0 / 255.0;
        let probe = probe.with_fame(FameConfig { steps: 2, step_size }).unwrap();
        let cells = probe.cells();
        assert_eq!(cells.len(), 100);
        let mut expected = Maps::new();
        add_maps(
            &mut expected,
            &cells,
            &probe.maps(&image, Influence::Fame, &cells).unwrap(),
            40,
        );
        assert!(expected.values().all(|map| map.len() == 1600 && map.contains(&1.0)));
        let known: Maps = expected
            .iter()
            .step_by(3)
            .map(|(cell, map)| (*cell, map.clone()))
            .collect();
        let count = std::cell::Cell::new(0);
        let stop = || {
            count.set(count.get() + 1);
            Ok(())
        };
        assert_eq!(with_all_cells(known, &probe, &image, &stop).unwrap(), expected);
        assert_eq!(count.get(), 66_usize.div_ceil(ALONG), "only what was missing");
    }

    #[test]
    fn cells_are_spread_over_a_layer_and_all_of_a_small_one() {
        assert_eq!(spread([2, 3]), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        let many = spread([28, 56]);
        assert_eq!(many.len(), ALONG * ALONG);
        assert_eq!((many[0], many[ALONG * ALONG - 1]), ([2, 4], [26, 52]));
    }

    #[test]
    fn a_smaller_map_has_the_means_over_the_largest() {
        let map = [
            1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ];
        assert_eq!(shrunk(&map, 4, 2), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(shrunk(&[0.0; 9], 3, 2), [0.0; 4]);
    }
}
