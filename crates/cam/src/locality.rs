//! How much of what decides a cell of a layer lies in the part of the image that the cell stands for.
//!
//! A class activation map shows cells of a layer in their places in the image. That says something of the image in that place as far as
//! a cell depends on the pixels there and on no others. Here this is measured: the share of a cell's influence inside its own square
//! of the image, and inside that square with its neighbours. A share near the square's area says that the cell's place tells nothing.

use candle_core::Tensor;
use rayon::prelude::*;

use crate::explainable::Objective;
use crate::methods::fame::{self, FameConfig};
use crate::methods::masking::to_vec;
use crate::names::named;
use crate::resize::{Placement, Resize};
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

/// How much lies in a cell's square, in that square grown by one cell on each side, and in the whole image.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CellInfluence {
    /// In the cell's own square.
    pub own: f64,
    /// In it and the squares of its neighbours, up to eight.
    pub grown: f64,
    /// In the whole image.
    pub all: f64,
}

impl CellInfluence {
    /// Own and grown as shares of all, in [0, 1]; `None` where nothing has an influence.
    pub fn shares(&self) -> Option<Shares> {
        (self.all > 0.0).then(|| Shares {
            own: self.own / self.all,
            grown: self.grown / self.all,
        })
    }
}

/// Shares of a cell's influence, in [0, 1].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Inside the cell's own square.
    pub own: f64,
    /// Inside it and the squares of its neighbours.
    pub grown: f64,
}

impl Shares {
    /// The mean of some; `None` of none.
    fn mean(all: impl Iterator<Item = Self>) -> Option<Self> {
        let (mut sum, mut count) = (Self::default(), 0);
        for one in all {
            sum.own += one.own;
            sum.grown += one.grown;
            count += 1;
        }
        (count > 0).then(|| Self {
            own: sum.own / f64::from(count),
            grown: sum.grown / f64::from(count),
        })
    }
}

/// The locality of some cells of a layer on some images.
#[derive(Debug, Clone, PartialEq)]
pub struct Locality {
    /// The cells, row and column.
    pub cells: Vec<[usize; 2]>,
    /// Of each cell, in pixels: what a cell's shares are where every pixel has the same influence.
    pub areas: Vec<CellInfluence>,
    /// `[images, cells]`.
    pub influences: Vec<CellInfluence>,
}

impl Locality {
    /// Of each cell the mean over the images, of which each counts the same; `None` where no pixel of any image has an influence, as on a
    /// cell without value.
    pub fn by_cell(&self) -> Vec<Option<Shares>> {
        let cells = self.cells.len();
        let of = |cell: usize| self.influences.iter().skip(cell).step_by(cells.max(1));
        (0..cells)
            .map(|cell| Shares::mean(of(cell).filter_map(CellInfluence::shares)))
            .collect()
    }

    /// The mean over images and cells; `None` where no pixel has an influence on any.
    pub fn mean(&self) -> Option<Shares> {
        Shares::mean(self.by_cell().into_iter().flatten())
    }

    /// The shares of the image's area, the mean over the cells that have an influence in [`mean`](Self::mean): chance.
    pub fn chance(&self) -> Option<Shares> {
        let counted = self.by_cell().into_iter().zip(&self.areas);
        Shares::mean(counted.filter_map(|(shares, area)| shares.and(area.shares())))
    }
}

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
                        let each = some.par_iter().zip(maps.par_chunks_exact(self.squares.pixels()));
                        let sums: Vec<_> = each
                            .map(|(&cell, map)| self.squares.sums_of_pixels(cell, map))
                            .collect();
                        influences.extend(sums);
                    }
                }
            }
        }
        let ones = vec![1.0; self.squares.pixels()];
        Ok(Locality {
            areas: cells
                .par_iter()
                .map(|&cell| self.squares.sums_of_pixels(cell, &ones))
                .collect(),
            cells: cells.to_vec(),
            influences,
        })
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

/// The squares of the image that the cells of a layer stand for: every pixel belongs to the cell that it is nearest to.
#[derive(Debug, Clone)]
struct Squares {
    /// Rows and columns of cells.
    shape: [usize; 2],
    /// Rows and columns of pixels.
    size: [usize; 2],
    /// The cell's row of each row of pixels, and its column of each column.
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Squares {
    fn new(placement: Placement, shape: [usize; 2], size: [usize; 2]) -> Self {
        Self {
            rows: placement.nearest(shape[0], size[0]),
            columns: placement.nearest(shape[1], size[1]),
            shape,
            size,
        }
    }

    fn count(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn cell_of_pixels(&self) -> Vec<usize> {
        let width = self.shape[1];
        let row = |row: &usize| {
            let row = *row;
            self.columns.iter().map(move |column| row * width + column)
        };
        self.rows.iter().flat_map(row).collect()
    }

    /// Of values of the pixels.
    fn sums_of_pixels(&self, cell: [usize; 2], map: &[f32]) -> CellInfluence {
        let mut sums = CellInfluence::default();
        for (row, values) in self.rows.iter().zip(map.chunks_exact(self.size[1].max(1))) {
            for (column, value) in self.columns.iter().zip(values) {
                add(&mut sums, cell, [*row, *column], f64::from(*value));
            }
        }
        sums
    }

    /// Of values of the squares.
    fn sums_of_squares(&self, cell: [usize; 2], values: &[f32]) -> CellInfluence {
        let width = self.shape[1];
        let mut sums = CellInfluence::default();
        for (square, value) in values.iter().enumerate() {
            add(&mut sums, cell, [square / width, square % width], f64::from(*value));
        }
        sums
    }
}

/// Adds what lies in the square of one cell to what a cell has.
fn add(sums: &mut CellInfluence, of: [usize; 2], at: [usize; 2], value: f64) {
    sums.all += value;
    let away = of[0].abs_diff(at[0]).max(of[1].abs_diff(at[1]));
    if away <= 1 {
        sums.grown += value;
    }
    if away == 0 {
        sums.own += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explainable::tests::TwoLayers;
    use crate::{Decomposition, Head, InputGradients, Layer, Output};
    use candle_core::Device;

    const STEPS: FameConfig = FameConfig {
        steps: 3,
        step_size: 1.0 / 255.0,
    };

    fn measured(network: &dyn Explainable, layer: &str, influence: Influence, resize: Resize) -> Locality {
        let images = TwoLayers::images();
        let probe = LocalityProbe::new(network, layer, resize, &images).unwrap();
        let probe = probe.with_fame(STEPS).unwrap();
        probe.measure(&images, influence, &probe.cells()).unwrap()
    }

    /// Kernels of 1 x 1 and means of 2 x 2 pixels: a cell depends on the pixels of its own square alone.
    #[test]
    fn cells_of_their_own_square_have_a_share_of_one() {
        let network = TwoLayers::new(true);
        for &influence in Influence::ALL {
            for (layer, cells) in [("colours", 64), ("blocks", 16)] {
                let found = measured(&network, layer, influence, Resize::HalfPixel);
                assert_eq!((found.cells.len(), found.influences.len()), (cells, 2 * cells));
                for (cell, shares) in found.by_cell().into_iter().enumerate() {
                    let shares = shares.expect("an influence");
                    assert!(
                        (shares.own - 1.0).abs() < 1e-6,
                        "{influence} {layer} {cell}: {shares:?}"
                    );
                    assert!((shares.grown - 1.0).abs() < 1e-6);
                }
                let chance = found.chance().unwrap();
                assert!((chance.own - 1.0 / cells as f64).abs() < 1e-9, "{chance:?}");
            }
        }
    }

    /// Cells that are said to lie elsewhere, half a cell up and left of where they are: a quarter of a square is theirs.
    #[test]
    fn where_cells_lie_follows_the_resize() {
        let network = TwoLayers::new(true);
        let found = measured(&network, "blocks", Influence::Gradient, Resize::CellCentred);
        // Of 4 cells on 8 pixels, centred at 0, 2, 4 and 6: the first has pixel 0, the second 1 and 2, the last 5, 6 and 7.
        let sizes: Vec<f64> = found.areas[..4].iter().map(|area| area.own).collect();
        assert_eq!(sizes, [1.0, 2.0, 2.0, 3.0]);
        let shares = found.by_cell()[5].unwrap();
        assert!((shares.own - 0.25).abs() < 0.05 && shares.grown > 0.999, "{shares:?}");
    }

    #[test]
    fn a_neighbourhood_is_clipped_at_the_border() {
        let network = TwoLayers::new(true);
        let found = measured(&network, "blocks", Influence::Gradient, Resize::HalfPixel);
        let area = |cell: usize| found.areas[cell];
        assert_eq!((area(0).own, area(0).grown, area(0).all), (4.0, 16.0, 64.0));
        assert_eq!((area(1).grown, area(5).grown), (24.0, 36.0));
    }

    /// One layer of 2 x 2 cells, each the sum of all colours of all pixels.
    #[derive(Debug)]
    struct Everywhere;

    impl Explainable for Everywhere {
        fn layers(&self) -> Vec<Layer> {
            vec![Layer {
                name: "sums".to_owned(),
                channels: 1,
            }]
        }

        fn outputs(&self) -> usize {
            1
        }

        fn activations(&self, images: &Tensor, _: &str) -> Result<Tensor> {
            let sums = images.flatten_from(1)?.sum(1)?;
            Ok(sums
                .reshape(((), 1, 1, 1))?
                .broadcast_as((images.dims()[0], 1, 2, 2))?
                .contiguous()?)
        }

        fn normalise(&self, images: &Tensor) -> Result<Tensor> {
            Ok(images.clone())
        }

        fn input_gradients(&self, input: &Tensor, objective: Objective<'_>) -> Result<InputGradients> {
            let (_, colours, height, width) = input.dims4()?;
            let rows = objective.rows();
            Ok(InputGradients {
                values: vec![1.0; rows],
                gradients: Tensor::ones((rows, colours, height, width), candle_core::DType::F32, &Device::Cpu)?,
            })
        }

        fn forward(&self, _: &Tensor) -> Result<Output> {
            unreachable!("locality asks for activations")
        }

        fn forward_from(&self, _: &str, _: &Tensor) -> Result<Tensor> {
            unreachable!("locality asks for activations")
        }

        fn gradients(&self, _: &str, _: &Tensor, _: &[usize]) -> Result<Tensor> {
            unreachable!("locality asks for gradients by the image")
        }

        fn decompose(&self, _: &Tensor, _: &[usize]) -> Result<Decomposition> {
            unreachable!("locality asks for gradients by the image")
        }

        fn head(&self) -> Option<Head> {
            None
        }
    }

    /// A receptive field of the whole image: the shares are those of the area, by chance.
    #[test]
    fn cells_of_the_whole_image_have_the_areas_share() {
        for influence in [Influence::Gradient, Influence::Fame] {
            let found = measured(&Everywhere, "sums", influence, Resize::HalfPixel);
            for (cell, shares) in found.by_cell().into_iter().enumerate() {
                let shares = shares.expect("an influence");
                assert!((shares.own - 0.25).abs() < 1e-6, "{influence} {cell}: {shares:?}");
                assert_eq!(Some(shares.grown), found.areas[cell].shares().map(|area| area.grown));
            }
        }
        // What hiding a square changes is the same for every cell: of each image their own shares are 1 in all.
        let found = measured(&Everywhere, "sums", Influence::Occlusion, Resize::HalfPixel);
        for image in found.influences.chunks(4) {
            let sum: f64 = image.iter().map(|one| one.shares().unwrap().own).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
    }

    #[test]
    fn maps_hold_what_is_measured() {
        let network = TwoLayers::new(true);
        let images = TwoLayers::images();
        let probe = LocalityProbe::new(&network, "blocks", Resize::HalfPixel, &images).unwrap();
        let probe = probe.with_fame(STEPS).unwrap();
        let cells = [[1, 2], [3, 3]];
        for &influence in Influence::ALL {
            let found = probe.measure(&images, influence, &cells).unwrap();
            let maps = probe.maps(&images.narrow(0, 1, 1).unwrap(), influence, &cells).unwrap();
            for (map, stated) in maps.chunks(64).zip(&found.influences[2..]) {
                let sum: f64 = map.iter().map(|value| f64::from(*value)).sum();
                assert!(
                    (sum - stated.all).abs() < 1e-5 * stated.all,
                    "{influence}: {sum} {stated:?}"
                );
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let (network, images) = (TwoLayers::new(true), TwoLayers::images());
        let probe = |layer: &str| LocalityProbe::new(&network, layer, Resize::HalfPixel, &images);
        assert!(matches!(probe("stage9"), Err(Error::UnknownLayer { .. })));
        let probe = probe("blocks").unwrap();
        let message = probe
            .measure(&images, Influence::Gradient, &[[4, 0]])
            .unwrap_err()
            .to_string();
        assert_eq!(message, "cell: shape [4, 0], expected one of 4 x 4");
        let small = images.narrow(2, 0, 4).unwrap();
        assert!(probe.measure(&small, Influence::Gradient, &[[0, 0]]).is_err());
        assert!(probe.maps(&images, Influence::Gradient, &[[0, 0]]).is_err());
        assert!(probe.with_fame(FameConfig { steps: 0, ..STEPS }).is_err());
    }
}
