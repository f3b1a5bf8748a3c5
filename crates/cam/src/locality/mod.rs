//! How much of what decides a cell of a layer lies in the part of the image that the cell stands for.
//!
//! A class activation map shows cells of a layer in their places in the image. That says something of the image in that place as far as
//! a cell depends on the pixels there and on no others. Here this is measured: the share of a cell's influence inside its own square
//! of the image, and inside that square with its neighbours. A share near the square's area says that the cell's place tells nothing.

mod shares;
mod squares;
#[cfg(test)]
mod tests;

use candle_core::Tensor;
use rayon::prelude::*;

pub use self::shares::{CellInfluence, Locality, Shares};
use self::squares::Squares;
use crate::explainable::Objective;
use crate::methods::fame::{self, FameConfig};
use crate::methods::masking::to_vec;
use crate::names::named;
use crate::resize::Resize;
use crate::{Error, Explainable, Result};

/// Rows of a batch of passes: what bounds the memory.
const ROWS: usize = 64;

/// How the influence of the image's pixels on a cell (i, j) is found: on the sum over the channels k of |a_k(i, j)|.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Influence {
    /// The gradient's absolute value, summed over the colours. Its mean over images is the effective receptive field of Luo et al. 2016.
    /// One forward and one backward pass an image and cell.
    Gradient,
    /// By how much the sum changes when a square of the image, one of those of the layer's cells, has the mean colour of the rest of the
    /// image. One forward pass an image and square.
    Occlusion,
    /// FAME's map of the cell before its blur: where the image changes when it is moved so that the sum falls. T forward and backward
    /// passes an image and cell.
    Fame,
}

named!(
    Influence,
    "influence",
    [Gradient = "gradient", Occlusion = "occlusion", Fame = "fame"]
);

/// Measures how local the cells of a layer are.
///
/// ```
/// use cam::{Influence, LocalityProbe, Resize};
/// use candle_core::{Device, Tensor};
/// use model::{Architecture, Network};
///
/// let architecture = Architecture::preset("resnet18")?.with_width(4);
/// let network = Network::new(&architecture, 2, 1, &Device::Cpu)?;
/// let images = Tensor::rand(0_f32, 1.0, (2, 3, 64, 64), &Device::Cpu)?;
/// let probe = LocalityProbe::new(&network, "stage3", Resize::HalfPixel, &images)?;
/// assert_eq!(probe.shape(), [4, 4]);
///
/// let locality = probe.measure(&images, Influence::Gradient, &probe.cells())?;
/// if let (Some(found), Some(chance)) = (locality.mean(), locality.chance()) {
///     assert!(found.own <= found.grown && found.grown <= 1.0);
///     assert_eq!(chance.own, 1.0 / 16.0);
/// }
/// // For a figure: where in the first image the influence on a cell lies.
/// let map = probe.maps(&images.narrow(0, 0, 1)?, Influence::Gradient, &[[1, 2]])?;
/// assert_eq!(map.len(), 64 * 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LocalityProbe<'a> {
    network: &'a dyn Explainable,
    layer: String,
    fame: FameConfig,
    squares: Squares,
}

impl<'a> LocalityProbe<'a> {
    /// For a layer and images of the size of these, `[N, 3, S, S]`; `resize` says where the cells lie in the image, as it does for final
    /// maps. Makes one forward pass of one image, to see how many cells there are.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`]; for images that the network does not take.
    pub fn new(network: &'a dyn Explainable, layer: &str, resize: Resize, images: &Tensor) -> Result<Self> {
        let known: Vec<String> = network.layers().into_iter().map(|layer| layer.name).collect();
        if !known.iter().any(|name| name == layer) {
            let name = layer.to_owned();
            return Err(Error::UnknownLayer { name, known });
        }
        let (_, _, rows, columns) = images.dims4()?;
        let (_, _, height, width) = network.activations(&images.narrow(0, 0, 1)?, layer)?.dims4()?;
        Ok(Self {
            network,
            layer: layer.to_owned(),
            fame: FameConfig::default(),
            squares: Squares::new(resize.into(), [height, width], [rows, columns]),
        })
    }

    /// The same with other steps for [`Influence::Fame`].
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn with_fame(self, fame: FameConfig) -> Result<Self> {
        fame.check()?;
        Ok(Self { fame, ..self })
    }

    /// The layer's name.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Rows and columns of the layer's cells.
    pub fn shape(&self) -> [usize; 2] {
        self.squares.shape
    }

    /// All cells, row by row.
    pub fn cells(&self) -> Vec<[usize; 2]> {
        let [height, width] = self.shape();
        (0..height)
            .flat_map(|row| (0..width).map(move |column| [row, column]))
            .collect()
    }

    /// Which cell each pixel of the image lies in the square of, `[S, S]`: the number of the cell, row by row.
    pub fn cell_of_pixels(&self) -> Vec<usize> {
        self.squares.cell_of_pixels()
    }

    /// The locality of some cells on images `[N, 3, S, S]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for images of another size, and for a cell that the layer does not have; for images that the network does not take.
    pub fn measure(&self, images: &Tensor, influence: Influence, cells: &[[usize; 2]]) -> Result<Locality> {
        self.check(images, cells)?;
        let count = images.dims4()?.0;
        let mut influences = Vec::with_capacity(count * cells.len());
        for image in 0..count {
            let image = images.narrow(0, image, 1)?;
            match influence {
                Influence::Occlusion => {
                    let changes = self.occluded(&image, cells)?;
                    let squares = self.squares.count();
                    let each = cells.iter().zip(changes.chunks_exact(squares));
                    influences.extend(each.map(|(&cell, changes)| self.squares.sums_of_squares(cell, changes)));
                }
                Influence::Gradient | Influence::Fame => {
                    for some in cells.chunks(ROWS) {
                        let maps = self.some_maps(&image, influence, some)?;
                        influences.extend(self.sums(&maps, some));
                    }
                }
            }
        }
        Ok(self.locality(cells, influences))
    }

    /// The locality of some cells from their maps on one image, `[cells, S, S]`, as [`maps`](Self::maps) makes them: for maps that are
    /// also shown.
    ///
    /// # Errors
    /// [`Error::Shape`] for maps of another size or number, and for a cell that the layer does not have.
    pub fn measure_maps(&self, maps: &[f32], cells: &[[usize; 2]]) -> Result<Locality> {
        self.check_cells(cells)?;
        if maps.len() != cells.len() * self.squares.pixels() {
            let [rows, columns] = self.squares.size;
            let expected = format!("[{}, {rows}, {columns}]", cells.len());
            return Err(shape("maps", vec![maps.len()], expected));
        }
        Ok(self.locality(cells, self.sums(maps, cells)))
    }

    /// Of each cell, from its map.
    fn sums(&self, maps: &[f32], cells: &[[usize; 2]]) -> Vec<CellInfluence> {
        let each = cells.par_iter().zip(maps.par_chunks_exact(self.squares.pixels()));
        each.map(|(&cell, map)| self.squares.sums_of_pixels(cell, map))
            .collect()
    }

    fn locality(&self, cells: &[[usize; 2]], influences: Vec<CellInfluence>) -> Locality {
        let ones = vec![1.0; self.squares.pixels()];
        Locality {
            areas: cells
                .par_iter()
                .map(|&cell| self.squares.sums_of_pixels(cell, &ones))
                .collect(),
            cells: cells.to_vec(),
            influences,
        }
    }

    /// The influence of the pixels of one image `[1, 3, S, S]` on some cells, `[cells, S, S]`, at least 0. By occlusion the pixels of a
    /// square share its influence.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn maps(&self, image: &Tensor, influence: Influence, cells: &[[usize; 2]]) -> Result<Vec<f32>> {
        self.check(image, cells)?;
        if image.dims()[0] != 1 {
            return Err(shape("image", image.dims().to_vec(), "[1, 3, S, S]".to_owned()));
        }
        let mut maps = Vec::with_capacity(cells.len() * self.squares.pixels());
        for some in cells.chunks(ROWS) {
            maps.extend(self.some_maps(image, influence, some)?);
        }
        Ok(maps)
    }

    /// Of at most [`ROWS`] cells.
    fn some_maps(&self, image: &Tensor, influence: Influence, cells: &[[usize; 2]]) -> Result<Vec<f32>> {
        let layer = &self.layer;
        let objective = Objective::Cells { layer, cells };
        match influence {
            Influence::Fame => fame::maps(self.network, image, objective, self.fame, |_, _| 1.0),
            Influence::Gradient => {
                let input = self.network.normalise(image)?;
                let gradients = self.network.input_gradients(&input, objective)?.gradients;
                let values = to_vec(&gradients.permute((0, 2, 3, 1))?)?;
                let colours = values.par_chunks_exact(3);
                Ok(colours
                    .map(|pixel| pixel.iter().map(|value| value.abs()).sum())
                    .collect())
            }
            Influence::Occlusion => {
                let (changes, owners) = (self.occluded(image, cells)?, self.cell_of_pixels());
                let mut sizes = vec![0_u32; self.squares.count()];
                owners.iter().for_each(|&cell| sizes[cell] += 1);
                let map = |changes: &[f32]| -> Vec<f32> {
                    owners.iter().map(|&cell| changes[cell] / sizes[cell] as f32).collect()
                };
                let maps: Vec<Vec<f32>> = changes.par_chunks_exact(sizes.len()).map(map).collect();
                Ok(maps.concat())
            }
        }
    }

    /// By how much hiding each square changes each cell, `[cells, squares]`.
    fn occluded(&self, image: &Tensor, cells: &[[usize; 2]]) -> Result<Vec<f32>> {
        let [_, width] = self.shape();
        // [R, cells of the layer].
        let values = |images: &Tensor| -> Result<Vec<Vec<f32>>> {
            let activations = self.network.activations(images, &self.layer)?;
            Ok(activations.abs()?.sum(1)?.flatten_from(1)?.to_vec2()?)
        };
        let whole = values(image)?.concat();
        let pixels = to_vec(&image.permute((0, 2, 3, 1))?)?;
        let owners = self.cell_of_pixels();
        let squares = self.squares.count();
        let mut changes = vec![0.0; cells.len() * squares];
        for start in (0..squares).step_by(ROWS) {
            let hidden = start..(start + ROWS).min(squares);
            let images: Vec<Vec<f32>> = hidden
                .clone()
                .into_par_iter()
                .map(|square| without(&pixels, &owners, square))
                .collect();
            let (_, _, height, across) = image.dims4()?;
            let images = Tensor::from_vec(images.concat(), (hidden.len(), height, across, 3), image.device())?;
            for (square, found) in hidden.zip(values(&images.permute((0, 3, 1, 2))?)?) {
                for (row, [y, x]) in cells.iter().enumerate() {
                    let cell = y * width + x;
                    changes[row * squares + square] = (found[cell] - whole[cell]).abs();
                }
            }
        }
        Ok(changes)
    }

    fn check(&self, images: &Tensor, cells: &[[usize; 2]]) -> Result<()> {
        let [rows, columns] = self.squares.size;
        if !matches!(*images.dims(), [n, 3, h, w] if n > 0 && [h, w] == self.squares.size) {
            let expected = format!("[N, 3, {rows}, {columns}], as the probe was made for");
            return Err(shape("images", images.dims().to_vec(), expected));
        }
        self.check_cells(cells)
    }

    fn check_cells(&self, cells: &[[usize; 2]]) -> Result<()> {
        let [height, width] = self.shape();
        match cells.iter().find(|[row, column]| *row >= height || *column >= width) {
            Some(cell) => Err(shape("cell", cell.to_vec(), format!("one of {height} x {width}"))),
            None => Ok(()),
        }
    }
}

fn shape(what: &'static str, found: Vec<usize>, expected: String) -> Error {
    Error::Shape { what, found, expected }
}

/// An image `[S, S, 3]` with the pixels of a square in the mean colour of all others; of a square that is the whole image, its own mean.
fn without(pixels: &[f32], owners: &[usize], square: usize) -> Vec<f32> {
    let rest = |pixel: usize| owners[pixel] != square;
    let any = (0..owners.len()).any(rest);
    let (mut sums, mut count) = ([0.0_f64; 3], 0_u32);
    for (pixel, colour) in pixels.chunks_exact(3).enumerate() {
        if rest(pixel) || !any {
            sums.iter_mut()
                .zip(colour)
                .for_each(|(sum, value)| *sum += f64::from(*value));
            count += 1;
        }
    }
    let mean = sums.map(|sum| (sum / f64::from(count.max(1))) as f32);
    let mut image = pixels.to_vec();
    for (pixel, colour) in image.chunks_exact_mut(3).enumerate() {
        if !rest(pixel) {
            colour.copy_from_slice(&mean);
        }
    }
    image
}
