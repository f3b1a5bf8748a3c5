//! The layers on a GPU against the CPU's. Without a GPU these tests say so and pass.

use super::pixels::{batches, borrowed, views};
use super::{assert_all_close, numbers};
use crate::{
    InputGradient, Sampler, affine, batch_norm, batch_statistics, conv2d, global_average_pool, max_pool2d,
    max_pool2d_gradient, relu_gradient,
};
use candle_core::{DType, Device, Result, Tensor, Var};

/// Relative to the largest magnitude; both sides round in float32, their sums in different orders.
const TOLERANCE: f32 = 1e-5;

fn gpu() -> Option<Device> {
    match crate::gpu(0) {
        Ok(device) => Some(device),
        Err(error) => {
            eprintln!("skipped, no GPU: {error}");
            None
        }
    }
}

/// Output and gradients of a layer of variables of these shapes, on a device, brought to the CPU.
fn run(device: &Device, shapes: &[&[usize]], layer: impl Fn(&[Var]) -> Result<Tensor>) -> Result<Vec<Tensor>> {
    let variable =
        |(seed, shape): (usize, &&[usize])| Var::from_tensor(&numbers(shape, seed as u64 + 1).to_device(device)?);
    let variables = shapes.iter().enumerate().map(variable).collect::<Result<Vec<_>>>()?;
    let output = layer(&variables)?;
    let weights = numbers(output.dims(), 99).to_device(device)?;
    let gradients = (&output * weights)?.sum_all()?.backward()?;
    let gradient = |variable: &Var| {
        let gradient = gradients
            .get(variable.as_tensor())
            .expect("a gradient for each variable");
        gradient.to_device(&Device::Cpu)
    };
    std::iter::once(output.detach().to_device(&Device::Cpu))
        .chain(variables.iter().map(gradient))
        .collect()
}

#[track_caller]
fn check(gpu: &Device, what: &str, shapes: &[&[usize]], layer: impl Fn(&[Var]) -> Result<Tensor>) {
    let expected = run(&Device::Cpu, shapes, &layer).unwrap();
    let found = run(gpu, shapes, &layer).unwrap();
    assert_all_close(&found, &expected, TOLERANCE, what);
}

#[test]
fn convolution_is_the_cpus() {
    let Some(gpu) = gpu() else { return };
    // Those of ResNet-18 and ResNet-50, and some whose channels fill no vector or whose windows miss the last rows.
    for (x, [outputs, kernel, stride, padding]) in [
        ([2, 32, 32, 3], [64, 7, 2, 3]),
        ([2, 14, 14, 64], [64, 3, 1, 1]),
        ([2, 14, 14, 64], [128, 3, 2, 1]),
        ([2, 14, 14, 64], [128, 1, 2, 0]),
        ([3, 7, 7, 32], [48, 1, 1, 0]),
        ([2, 9, 13, 5], [7, 3, 2, 1]),
        ([1, 6, 7, 40], [24, 3, 1, 0]),
    ] {
        let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
        check(&gpu, &what, &[&x, &[outputs, kernel, kernel, x[3]]], |variables| {
            // Fewer than 4096 products of order 1 a sum; weights in torchvision's layout, as a view.
            conv2d(&variables[0], &variables[1].permute((0, 3, 1, 2))?, stride, padding)
        });
    }
}

#[test]
fn the_other_layers_are_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let x: &[usize] = &[4, 9, 8, 24];
    check(&gpu, "batch norm", &[x, &[24], &[24], x], |v| {
        batch_norm(&v[0], &v[1], &v[2], &batch_statistics(&v[0])?, 1e-5, Some(&v[3]), true)
    });
    check(&gpu, "scale and shift", &[x, &[24], &[24], x], |v| {
        affine(&v[0], &v[1], &v[2], Some(&v[3]), true)
    });
    check(&gpu, "maximum", &[x], |v| max_pool2d(&v[0], 3, 2, 1));
    check(&gpu, "average", &[x], |v| global_average_pool(&v[0]));
}

/// What takes many gradients of an evaluated network back to its input.
#[test]
fn gradients_of_rows_are_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let rows = |device: &Device| -> Result<Vec<Tensor>> {
        let here = |shape: &[usize], seed: u64| numbers(shape, seed).to_device(device);
        let (weight, scale) = (here(&[24, 5, 3, 3], 1)?, here(&[24], 2)?);
        let (x, of_y) = (here(&[2, 9, 8, 24], 3)?, here(&[6, 9, 8, 24], 4)?);
        let result = max_pool2d(&x, 3, 2, 1)?;
        let found = [
            InputGradient::new(&weight, &scale, 2, 1)?.apply(&of_y, [17, 16])?,
            relu_gradient(&x, std::slice::from_ref(&of_y))?,
            relu_gradient(&x, &[of_y.clone(), here(&[6, 9, 8, 24], 5)?])?,
            max_pool2d_gradient(&x, &result, &here(&[6, 5, 4, 24], 6)?, [3, 2, 1])?,
        ];
        found.iter().map(|one| one.to_device(&Device::Cpu)).collect()
    };
    assert_all_close(&rows(&gpu).unwrap(), &rows(&Device::Cpu).unwrap(), TOLERANCE, "rows");
}

/// The same layers on images in bfloat16: factors are what it can hold, sums are float32's, and results are rounded to its 8 bits.
#[test]
fn layers_in_bfloat16_are_the_cpus() {
    let Some(gpu) = gpu() else { return };
    // Convolutions whose channels engines take 16 bytes at a time, and those that they do not.
    for (x, [outputs, kernel, stride, padding]) in [
        ([2, 32, 32, 3], [64, 7, 2, 3]),
        ([2, 14, 14, 64], [64, 3, 1, 1]),
        ([2, 14, 14, 64], [128, 3, 2, 1]),
        ([2, 14, 14, 64], [128, 1, 2, 0]),
        ([2, 9, 13, 5], [7, 3, 2, 1]),
    ] {
        let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
        check_bfloat16(&gpu, &what, &[&x, &[outputs, x[3], kernel, kernel]], |v, images| {
            conv2d(&images(&v[0])?, &v[1], stride, padding)
        });
    }
    for channels in [24, 21] {
        let x: &[usize] = &[4, 9, 8, channels];
        let c: &[usize] = &[channels];
        check_bfloat16(&gpu, "batch norm", &[x, c, c, x], |v, images| {
            let (x, residual) = (images(&v[0])?, images(&v[3])?);
            batch_norm(&x, &v[1], &v[2], &batch_statistics(&x)?, 1e-5, Some(&residual), true)
        });
        check_bfloat16(&gpu, "maximum", &[x], |v, images| max_pool2d(&images(&v[0])?, 3, 2, 1));
        check_bfloat16(&gpu, "average", &[x], |v, images| global_average_pool(&images(&v[0])?));
    }
}

#[track_caller]
fn check_bfloat16(
    gpu: &Device,
    what: &str,
    shapes: &[&[usize]],
    layer: impl Fn(&[Var], &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor>,
) {
    // Rounded on both sides, so that both start from the same; the result is compared in float32.
    let rounded = |x: &Tensor| x.to_dtype(DType::BF16)?.to_dtype(DType::F32);
    let expected = run(&Device::Cpu, shapes, |v| layer(v, &rounded)).unwrap();
    let found = run(gpu, shapes, |v| {
        layer(v, &|x| x.to_dtype(DType::BF16))?.to_dtype(DType::F32)
    })
    .unwrap();
    // Weights are rounded on the GPU alone: half of the last of 8 bits for each factor, and once more for the result.
    assert_all_close(&found, &expected, 3.0 / 256.0, &format!("{what}, bfloat16"));
}

/// Batches one after the other without waiting, so that buffers are used again while copies and kernels are under way, and grow.
#[test]
fn sampled_images_are_the_loaders() {
    let Some(gpu) = gpu() else { return };
    let mut sampler = Sampler::new(&gpu).unwrap().unwrap();
    let all: Vec<_> = [(31, 3), (224, 8), (70, 1)]
        .into_iter()
        .flat_map(|(size, batch_size)| batches(size, batch_size))
        .collect();
    let found: Vec<_> = all
        .iter()
        .map(|(pixels, _)| sampler.batch(borrowed(pixels, &views(pixels))).unwrap())
        .collect();
    drop(sampler);
    for ((found, labels), (pixels, expected)) in found.iter().zip(&all) {
        let (images, size) = (pixels.indices.len(), pixels.size);
        let expected_images = Tensor::from_slice(&expected.images, (images, size, size, 3), &Device::Cpu).unwrap();
        let expected_labels = Tensor::from_slice(&expected.labels, (images, 3), &Device::Cpu).unwrap();
        let here = |tensor: &Tensor| tensor.to_device(&Device::Cpu).unwrap();
        let found = here(found).permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        // As in the CPU's test of the kernels.
        assert_all_close(&[found], &[expected_images], 2e-5, "images");
        assert_all_close(&[here(labels)], &[expected_labels], 0.0, "labels");
    }
}
