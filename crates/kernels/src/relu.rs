//! Gradients on their way back through a ReLU, many for each image.

use crate::dims::Dims;
use crate::host::{Unwritten, host_floats};
use crate::parallel::for_each;
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
use crate::sum::sum;
use candle_core::{DType, Result, Tensor, bail};

const NAME: &str = "gradient of a ReLU (channels last)";

/// Gradients `[R, H, W, C]`, of which there is at least one and which count together, before the ReLU that gave `result`
/// `[N, H, W, C]`: their sum where the result is above 0, elsewhere 0.
///
/// R is a multiple of N: row r belongs to image r / (R / N), whose result all its rows share. All are float32. Not differentiable.
///
/// # Errors
/// No gradient, and shapes that do not belong together.
pub fn relu_gradient(result: &Tensor, gradients: &[Tensor]) -> Result<Tensor> {
    let dims = Dims::of(result, NAME)?;
    let Some((first, rest)) = gradients.split_first() else {
        bail!("{NAME}: expected at least one gradient");
    };
    let rows = Dims::of(first, NAME)?;
    let fits = (Dims {
        images: rows.images,
        ..dims
    }) == rows
        && rows.images.is_multiple_of(dims.images);
    if !fits || rest.iter().any(|other| other.dims() != first.dims()) {
        let found: Vec<_> = gradients.iter().map(Tensor::dims).collect();
        bail!(
            "{NAME}: expected gradients of one shape [R, H, W, C] with R a multiple of N in {:?}, got {found:?}",
            result.dims()
        );
    }
    let each = rows.images / dims.images;
    let other = match rest {
        [] => None,
        rest => Some(sum(rest)?.contiguous()?),
    };
    let (result, first) = (result.contiguous()?, first.contiguous()?);
    if !result.device().is_cpu() {
        let gradient = match &other {
            Some(other) => (first + other)?,
            None => first,
        };
        let by_image = (dims.images, each, dims.height, dims.width, dims.channels);
        let passes = result.gt(0.0)?.to_dtype(DType::F32)?.unsqueeze(1)?;
        let gradient = gradient.reshape(by_image)?.broadcast_mul(&passes)?;
        return gradient.reshape(rows.shape());
    }
    let other = other.as_ref().map(Tensor::storage_and_layout);
    let other = match &other {
        Some((storage, layout)) => Some(host_floats(storage, layout, NAME)?),
        None => None,
    };
    let (r_storage, r_layout) = result.storage_and_layout();
    let (f_storage, f_layout) = first.storage_and_layout();
    let result = host_floats(&r_storage, r_layout, NAME)?;
    let gradient = host_floats(&f_storage, f_layout, NAME)?;

    // A stretch of all three arrays fits the second-level cache.
    const STRETCH: usize = 1 << 15;
    let set = InstructionSet::detect();
    let length = dims.height * dims.width * dims.channels;
    let stretches = length.div_ceil(STRETCH);
    let mut output = Unwritten::new(rows.elements());
    let pointer = output.pointer();
    for_each(rows.images * stretches, |task| {
        let (row, stretch) = (task / stretches, task % stretches);
        let within = stretch * STRETCH..((stretch + 1) * STRETCH).min(length);
        let (start, count) = (row * length + within.start, within.len());
        let kernel = Gated {
            result: &result[row / each * length + within.start..][..count],
            gradient: &gradient[start..][..count],
            other: other.map(|other| &other[start..][..count]),
            // SAFETY: within the output.
            output: unsafe { pointer.at(start) },
        };
        // SAFETY: the set is supported, and the stretch of the output is this task's alone.
        unsafe { set.run(kernel) }
    });
    // SAFETY: the stretches cover all rows.
    let values = unsafe { output.finish() };
    Tensor::from_vec(values, rows.shape(), first.device())
}

/// `output = gradient + other` where the result is above 0, elsewhere 0. All are of one length.
struct Gated<'a> {
    result: &'a [f32],
    gradient: &'a [f32],
    other: Option<&'a [f32]>,
    output: *mut f32,
}

impl Kernel for Gated<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let length = self.gradient.len();
        for at in (0..length).step_by(LANES) {
            let present = length - at;
            // SAFETY: all slices, and the output, have so many floats behind `at`.
            unsafe {
                let mut gradient = V::load_partial(self.gradient.as_ptr().add(at), present);
                if let Some(other) = self.other {
                    gradient = gradient.add(V::load_partial(other.as_ptr().add(at), present));
                }
                let result = V::load_partial(self.result.as_ptr().add(at), present);
                gradient
                    .where_positive(result)
                    .store_partial(self.output.add(at), present);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Two images of three rows each, longer than a vector.
    #[test]
    fn rows_share_their_images_result() {
        let tensor = |images: usize, value: &dyn Fn(usize) -> f32| {
            let values: Vec<f32> = (0..images * 38).map(value).collect();
            Tensor::from_vec(values, (images, 1, 2, 19), &Device::Cpu).unwrap()
        };
        // 0 is not above 0, and neither is what is not a number.
        let values = [-1.0, 2.0, 0.0, 3.0, f32::NAN];
        let result = tensor(2, &|i| values[i % 5]);
        let (one, other) = (tensor(6, &|i| i as f32), tensor(6, &|i| 0.5 * i as f32));
        for gradients in [
            vec![one.clone()],
            vec![one.clone(), other.clone()],
            vec![one, other.clone(), other],
        ] {
            let factor = [1.0, 1.5, 2.0][gradients.len() - 1];
            let found = relu_gradient(&result, &gradients).unwrap();
            let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (i, found) in found.into_iter().enumerate() {
                let (row, within) = (i / 38, i % 38);
                let passes = values[(row / 3 * 38 + within) % 5] > 0.0;
                assert_eq!(found, if passes { factor * i as f32 } else { 0.0 }, "{i}");
            }
        }
        for (images, gradients) in [(4, vec![tensor(6, &|_| 1.0)]), (2, vec![])] {
            assert!(relu_gradient(&tensor(images, &|_| 1.0), &gradients).is_err());
        }
    }
}
