//! Every kernel on the shapes of a width-16 ResNet-18 at 112 x 112 pixels, and its residual blocks, batches of 32.
//!
//! `cargo bench -p kernels --bench kernels`, and `RAYON_NUM_THREADS=1` before it for one core. Gradients are measured as
//! candle's `backward` calls them, with its own additions. With `CANDLE_NUM_THREADS=1` those do not wake candle's own
//! thread pool; see `docs/develop/performance.md`.

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use kernels::{
    ConvolutionAlgorithm, FusedConvolution, Precision, Tape, affine, batch_norm, batch_statistics, conv2d,
    global_average_pool, max_pool2d,
};
use std::hint::black_box;
use std::time::Duration;

/// As in the program: the same large buffers come and go in every step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 32;

fn random(shape: &[usize]) -> Var {
    Var::randn(0_f32, 1.0, shape, &Device::Cpu).expect("random numbers")
}

fn ones(channels: usize) -> Var {
    Var::ones(channels, DType::F32, &Device::Cpu).expect("ones")
}

/// Measures a layer forward, and each of its gradients by itself: `gradients` name the layer with some of its
/// arguments constant.
fn layer(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    forward: impl Fn() -> Result<Tensor>,
    gradients: &[(&str, &dyn Fn() -> Result<Tensor>)],
) {
    group.bench_function(format!("{name}/forward"), |bencher| {
        bencher.iter(|| black_box(forward().expect("a forward pass")));
    });
    for (gradient, layer) in gradients {
        let output = layer().expect("a forward pass");
        group.bench_function(format!("{name}/{gradient}"), |bencher| {
            bencher.iter(|| black_box(output.backward().expect("a backward pass")));
        });
    }
}

fn convolutions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conv2d");
    group.sample_size(10);
    for (batch, side, inputs, outputs, kernel, stride) in [
        (BATCH, 112, 3, 16, 7, 2),
        (BATCH, 28, 16, 16, 3, 1),
        (BATCH, 28, 16, 32, 3, 2),
        (BATCH, 28, 16, 32, 1, 2),
        (BATCH, 14, 32, 32, 3, 1),
        (BATCH, 7, 64, 64, 3, 1),
        (BATCH, 4, 128, 128, 3, 1),
        // Of the standard width.
        (BATCH, 112, 3, 64, 7, 2),
        (BATCH, 28, 64, 64, 3, 1),
        (BATCH, 14, 128, 128, 3, 1),
        (BATCH, 7, 256, 256, 3, 1),
        (BATCH, 4, 512, 512, 3, 1),
        // Of bottlenecks.
        (8, 56, 64, 256, 1, 1),
        (8, 56, 256, 64, 1, 1),
        (8, 14, 256, 256, 3, 1),
        (8, 14, 1024, 256, 1, 1),
        (8, 14, 256, 1024, 1, 1),
        (8, 14, 1024, 2048, 1, 2),
        (8, 7, 512, 512, 3, 1),
        (8, 7, 2048, 512, 1, 1),
        (8, 7, 512, 2048, 1, 1),
    ] {
        let x = random(&[batch, side, side, inputs]);
        let weight = random(&[outputs, inputs, kernel, kernel]);
        let (scale, shift) = (ones(outputs), ones(outputs));
        let convolve = |x: &Tensor, weight: &Tensor| conv2d(x, weight, stride, kernel / 2);
        let products = side.div_ceil(stride).pow(2) * inputs * outputs * kernel * kernel;
        group.throughput(Throughput::Elements((batch * products) as u64));
        let name = format!("b{batch}_{side}x{side}_{inputs}_to_{outputs}_k{kernel}_s{stride}");
        let data = || convolve(&x, &weight.detach());
        let filter = || convolve(&x.detach(), &weight);
        layer(
            &mut group,
            &name,
            || convolve(&x.detach(), &weight.detach()),
            &[("data_gradient", &data), ("filter_gradient", &filter)],
        );
        if (kernel, stride) == (3, 1) && inputs.min(outputs) >= 32 {
            let fast = |x: &Tensor, weight: &Tensor| {
                let tape = Tape::new(Precision::Float32, true).by(ConvolutionAlgorithm::Fast);
                tape.conv2d(x, weight, stride, kernel / 2)
            };
            group.bench_function(format!("{name}/fast"), |bencher| {
                bencher.iter(|| black_box(fast(&x.detach(), &weight.detach()).expect("a forward pass")));
            });
        }
        let fused = FusedConvolution::new(&weight, &scale, &shift, stride, kernel / 2).expect("a layer");
        let residual = convolve(&x.detach(), &weight.detach()).expect("a forward pass");
        group.bench_function(format!("{name}/fused"), |bencher| {
            bencher.iter(|| black_box(fused.forward(&x, Some(&residual), true).expect("a forward pass")));
        });
    }
}

fn elementwise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("elementwise/b32");
    group.sample_size(10);
    for (side, channels) in [(56, 16), (28, 16), (4, 128)] {
        let x = random(&[BATCH, side, side, channels]);
        let residual = random(&[BATCH, side, side, channels]);
        let (gamma, beta) = (ones(channels), ones(channels));
        let statistics = batch_statistics(&x).expect("statistics");
        let name = |op: &str| format!("{op}/{side}x{side}x{channels}");
        group.throughput(Throughput::Bytes((x.elem_count() * 4) as u64));
        group.bench_function(name("batch_statistics"), |bencher| {
            bencher.iter(|| black_box(batch_statistics(&x).expect("statistics")));
        });
        let normalise = || batch_norm(&x, &gamma, &beta, &statistics, 1e-5, None, true);
        layer(
            &mut group,
            &name("batch_norm_relu"),
            normalise,
            &[("gradient", &normalise)],
        );
        let normalise = || batch_norm(&x, &gamma, &beta, &statistics, 1e-5, Some(&residual), true);
        layer(
            &mut group,
            &name("batch_norm_add_relu"),
            normalise,
            &[("gradient", &normalise)],
        );
        let scale = || affine(&x, &gamma, &beta, Some(&residual), true);
        layer(&mut group, &name("affine_add_relu"), scale, &[]);
        let pool = || max_pool2d(&x, 3, 2, 1);
        layer(&mut group, &name("max_pool2d"), pool, &[("gradient", &pool)]);
        let pool = || global_average_pool(&x);
        layer(&mut group, &name("global_average_pool"), pool, &[("gradient", &pool)]);
    }
}

/// Basic blocks: two convolutions, each normalised, the second added to the input.
fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("basic_block/b32");
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
    for (side, channels) in [(28, 16), (14, 32), (7, 64), (4, 128), (28, 64), (4, 512)] {
        let x = random(&[BATCH, side, side, channels]);
        let weights = [(); 2].map(|()| random(&[channels, channels, 3, 3]));
        let (gamma, beta) = (ones(channels), ones(channels));
        let block = || -> Result<Tensor> {
            let y = conv2d(&x, &weights[0], 1, 1)?;
            let y = batch_norm(&y, &gamma, &beta, &batch_statistics(&y)?, 1e-5, None, true)?;
            let y = conv2d(&y, &weights[1], 1, 1)?;
            batch_norm(&y, &gamma, &beta, &batch_statistics(&y)?, 1e-5, Some(&x), true)
        };
        group.bench_function(format!("{side}x{side}x{channels}/forward"), |bencher| {
            bencher.iter(|| black_box(block().expect("a forward pass")));
        });
        group.bench_function(format!("{side}x{side}x{channels}/forward_backward"), |bencher| {
            bencher.iter(|| black_box(block().and_then(|y| y.backward()).expect("a backward pass")));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    targets = convolutions, elementwise, blocks
}
criterion_main!(benches);
