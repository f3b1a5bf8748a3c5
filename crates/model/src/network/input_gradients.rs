//! Gradients by the image of one value a row: a logit, or what a cell of a layer holds.

use candle_core::{DType, Tensor};

use super::linearisation::Stem;
use super::resnet::{channels_first, channels_last};
use crate::{Error, Mode, Network, Result};

/// One value a row, and its gradient by the row's input.
#[derive(Debug, Clone)]
pub struct InputGradients {
    /// `[R]`.
    pub values: Tensor,
    /// `[R, 3, S, S]`, a view of channels-last memory.
    pub gradients: Tensor,
}

impl Network {
    /// The logit of each row's attribute, and its gradient by the row's input, in one forward and one backward pass.
    ///
    /// `input` `[N, 3, S, S]` is normalised already ([`Network::normalise`]). There are R rows, a multiple of N: row r belongs to image
    /// r / (R / N), and the rows of an image share its forward pass. All activations of the N images are in memory together.
    ///
    /// # Errors
    /// [`Error::Setting`] for an attribute that the network does not have, and rows that are no multiple of the images;
    /// [`Error::Shape`] for another input.
    pub fn logit_gradients(&self, input: &Tensor, attributes: &[usize]) -> Result<InputGradients> {
        self.check_attributes(attributes)?;
        let each = rows_an_image(input, attributes.len())?;
        self.inside_pool(|| {
            let stem = self.stem_at(&channels_last(&input.detach())?)?;
            let at = self.stages_at(0..self.stage_count(), stem.result())?;
            let logits = self.run_head(at.result(), Mode::Eval)?.logits;
            let index = self.index(attributes)?.reshape(((), each))?;
            let of_result = self.logit_gradients_by(at.result(), attributes)?;
            let values = logits.gather(&index, 1)?.flatten_all()?;
            finish(values, &stem, &at.gradients(of_result, &mut |_, _| Ok(()))?)
        })
    }

    /// The sum over the channels k of |a_k(i, j)| of each row's cell `[i, j]` of a layer's activations, and its gradient by the row's
    /// input. Rows and input as in [`Network::logit_gradients`]; the stages behind the layer take no part.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`]; [`Error::Setting`] for a cell that the layer does not have, and as there.
    pub fn cell_gradients(&self, input: &Tensor, layer: &str, cells: &[[usize; 2]]) -> Result<InputGradients> {
        let stages = 0..self.stage_index(layer)? + 1;
        let each = rows_an_image(input, cells.len())?;
        self.inside_pool(|| {
            let stem = self.stem_at(&channels_last(&input.detach())?)?;
            let at = self.stages_at(stages, stem.result())?;
            let (_, height, width, channels) = at.result().dims4()?;
            if let Some(cell) = cells.iter().find(|[row, column]| *row >= height || *column >= width) {
                let found = format!("{}, {}", cell[0], cell[1]);
                return Err(Error::setting("cell", found, format!("one of {height} x {width}")));
            }
            let position = |(row, [y, x]): (usize, &[usize; 2])| ((row / each * height + y) * width + x) as u32;
            let positions: Vec<u32> = cells.iter().enumerate().map(position).collect();
            let positions = Tensor::new(positions.as_slice(), self.device())?;
            let found = at.result().reshape(((), channels))?.index_select(&positions, 0)?;
            // The rest of the way back is linear: the derivative of |a| is put where the cell is, into zeros elsewhere.
            let mask: Vec<f32> = cells
                .iter()
                .flat_map(|[y, x]| (0..height * width).map(move |at| if at == y * width + x { 1.0 } else { 0.0 }))
                .collect();
            let mask = Tensor::from_vec(mask, (cells.len(), height, width, 1), self.device())?;
            let signs = found.sign()?.reshape((cells.len(), 1, 1, channels))?;
            let of_result = mask.broadcast_mul(&signs)?;
            finish(
                found.abs()?.sum(1)?,
                &stem,
                &at.gradients(of_result, &mut |_, _| Ok(()))?,
            )
        })
    }
}

fn finish(values: Tensor, stem: &Stem<'_>, of_stem: &[Tensor]) -> Result<InputGradients> {
    let gradients = stem.gradient(of_stem, &mut |_, _| Ok(()))?;
    Ok(InputGradients {
        values,
        gradients: channels_first(&gradients)?,
    })
}

/// How many rows an image has.
fn rows_an_image(input: &Tensor, rows: usize) -> Result<usize> {
    match *input.dims() {
        [images, 3, height, width] if images * height * width > 0 && input.dtype() == DType::F32 => {
            if rows == 0 || !rows.is_multiple_of(images) {
                let expected = format!("a multiple of the {images} images");
                return Err(Error::setting("rows", rows, expected));
            }
            Ok(rows / images)
        }
        _ => Err(Error::Shape {
            what: "input",
            found: input.dims().to_vec(),
            expected: "[N, 3, S, S] float32, not empty".to_owned(),
        }),
    }
}
