//! Raw maps of a batch, and the post-processing of one map.

use std::hint::black_box;

use cam::{Head, Method, Output, PostProcessing, Resize, Target};
use candle_core::{Device, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn benches(criterion: &mut Criterion) {
    let (images, attributes) = (32, 40);
    for (channels, side, size) in [(128, 7, 112), (2048, 7, 224)] {
        let random = |shape: &[usize]| Tensor::randn(0_f32, 1.0, shape, &Device::Cpu).expect("a tensor");
        let output = Output {
            // As networks deliver them: a view of channels-last memory.
            features: random(&[images, side, side, channels])
                .permute((0, 3, 1, 2))
                .expect("a view"),
            logits: random(&[images, attributes]),
        };
        let head = Head {
            weight: random(&[attributes, channels]),
            bias: random(&[attributes]),
        };
        let mut group = criterion.benchmark_group(format!("maps/c{channels}_{side}_to_{size}/cpu"));
        group.throughput(Throughput::Elements((images * attributes) as u64));
        group.bench_function("hires_cam_b32_a40", |bencher| {
            bencher.iter(|| cam::raw_maps(Method::HiresCam, Target::Predicted, &output, &head).expect("maps"));
        });

        let maps = cam::raw_maps(Method::HiresCam, Target::Predicted, &output, &head).expect("maps");
        let post_processing = PostProcessing::of_layer(Resize::HalfPixel, [side, side], size);
        let mut map = vec![0.0; size * size];
        group.throughput(Throughput::Elements(1));
        group.bench_function("finalise", |bencher| {
            bencher.iter(|| post_processing.finalise(black_box(maps.map(3, 5)), &mut map));
        });
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
