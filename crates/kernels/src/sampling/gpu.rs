//! Images of a batch from decoded pixels: the kernels of `sampling.cuh`.

use super::batch::{SampledView, SamplerInput};
use crate::gpu::{Address, Machine, Matrix, arguments};
use candle_core::{Result, bail};

/// A view as `View` of `sampling.cuh`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Row {
    transform: [f64; 4],
    start: u64,
    width: u32,
    height: u32,
    mirror: u32,
    first_tap: u32,
    taps: u32,
    contrast: f32,
    brightness: f32,
    unused: u32,
}

/// A checked batch, and its layout in the machine's memory: views, weights of the blurs, pixels and labels in one piece.
#[derive(Debug)]
pub(crate) struct Sampling<'a> {
    batch: SamplerInput<'a>,
    squares: Matrix,
    rows: Vec<Row>,
}

impl<'a> Sampling<'a> {
    /// # Errors
    /// When a view names pixels or weights that are not in the batch, or the batch is too large to be counted in 32 bits.
    pub(crate) fn of(batch: SamplerInput<'a>) -> Result<Self> {
        let squares = Matrix::new(batch.views.len().saturating_mul(batch.size), batch.size)?;
        if squares.rows == 0 {
            bail!(
                "sampling: expected images and a size of at least 1, got {} of {}",
                batch.views.len(),
                batch.size
            );
        }
        // A piece of another length would put the labels behind it between two words.
        if !batch.pixels.len().is_multiple_of(4) {
            bail!("sampling: expected 4 bytes a pixel, got {} bytes", batch.pixels.len());
        }
        let rows = batch
            .views
            .iter()
            .map(|view| row(view, &batch))
            .collect::<Result<_>>()?;
        Ok(Self { batch, squares, rows })
    }

    /// What [`run`](Self::run) wants one after the other in the machine's memory, at a multiple of 8 bytes.
    pub(crate) fn parts(&self) -> [&[u8]; 4] {
        [
            bytes(&self.rows),
            bytes(self.batch.taps),
            self.batch.pixels,
            bytes(self.batch.labels),
        ]
    }

    /// Where the parts are when the first is at `parts`.
    fn addresses(&self, parts: Address) -> [Address; 4] {
        let mut next = parts;
        self.parts().map(|part| {
            let this = next;
            // All parts are of whole 32-bit words.
            next = this.behind(part.len() / 4);
            this
        })
    }

    /// Where the labels are.
    pub(crate) fn labels(&self, parts: Address) -> Address {
        self.addresses(parts)[3]
    }

    /// Float32 numbers of the result.
    pub(crate) fn len(&self) -> usize {
        3 * self.batch.views.len() * self.batch.size * self.batch.size
    }

    /// Fills `images` `[N, S, S, 3]` float32.
    ///
    /// # Safety
    /// `parts` is the address of copies of [`parts`](Self::parts), `images` of such an array.
    pub(crate) unsafe fn run<M: Machine>(&self, machine: &M, parts: Address, images: Address) -> Result<()> {
        let Matrix { rows, channels: size } = self.squares;
        let count = rows / size;
        let grid = self.squares.each_element();
        let [views, taps, pixels, _] = self.addresses(parts);
        // SAFETY: the kernels' own arguments, and the caller's promise.
        unsafe {
            machine.launch("sample_views", grid, arguments![views, pixels, images, count, size])?;
            if self.rows.iter().any(|row| row.taps > 0) {
                let (_memory, between) = machine.scratch(self.len())?;
                machine.launch(
                    "blur_columns",
                    grid,
                    arguments![views, taps, images, between, count, size],
                )?;
                machine.launch("blur_rows", grid, arguments![views, taps, between, images, count, size])?;
            }
        }
        Ok(())
    }
}

fn row(view: &SampledView, batch: &SamplerInput<'_>) -> Result<Row> {
    let end = view
        .width
        .checked_mul(view.height)
        .and_then(|pixels| pixels.checked_add(view.start));
    let pixels = batch.pixels.len() / 4;
    if view.width.min(view.height) < 2 || end.is_none_or(|end| end > pixels) {
        let SampledView {
            start, width, height, ..
        } = view;
        bail!("sampling: expected at least 2 x 2 of {pixels} pixels, got {width} x {height} from {start} on");
    }
    if batch.taps.get(view.taps.clone()).is_none() {
        bail!(
            "sampling: expected some of {} weights, got {:?}",
            batch.taps.len(),
            view.taps
        );
    }
    let Matrix {
        rows: width,
        channels: height,
    } = Matrix::new(view.width, view.height)?;
    let Matrix {
        rows: first_tap,
        channels: taps,
    } = Matrix::new(view.taps.start, view.taps.len())?;
    Ok(Row {
        transform: view.transform,
        start: view.start as u64,
        width,
        height,
        mirror: view.mirror.into(),
        first_tap,
        taps,
        contrast: view.contrast,
        brightness: view.brightness,
        unused: 0,
    })
}

/// Numbers as they are copied to a GPU.
fn bytes<T: Plain>(numbers: &[T]) -> &[u8] {
    // SAFETY: any byte of a plain type may be read.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// Types without padding.
trait Plain: Copy {}
impl Plain for f32 {}
// Four 64-bit numbers, one more, and eight of 32 bits.
impl Plain for Row {}
