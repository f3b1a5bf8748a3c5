//! Every loss with its gradient, for a batch of 32 images and 40 attributes.

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{ClassWeights, Loss, Scheme};
use std::hint::black_box;
use std::time::Duration;

const BATCH: usize = 32;
const ATTRIBUTES: usize = 40;

fn benches(criterion: &mut Criterion) {
    let logits = Var::randn(0_f32, 1.0, (BATCH, ATTRIBUTES), &Device::Cpu).expect("logits");
    let labels = Tensor::rand(0_f32, 1.0, (BATCH, ATTRIBUTES), &Device::Cpu)
        .and_then(|labels| labels.round()?.affine(2.0, -1.0))
        .expect("labels");
    let counts: Vec<(usize, usize)> = (1..=ATTRIBUTES).map(|n| (n, 100 - n)).collect();
    let weights = ClassWeights::new(Scheme::DomainAdaptive, &counts).expect("class weights");
    let mut group = criterion.benchmark_group("loss/b32_a40/cpu");
    group.throughput(Throughput::Elements((BATCH * ATTRIBUTES) as u64));
    for (name, loss) in [("euclidean", Loss::Euclidean), ("cross_entropy", Loss::CrossEntropy)] {
        group.bench_function(format!("{name}/value"), |bencher| {
            let logits = logits.as_detached_tensor();
            bencher.iter(|| black_box(loss.forward(&logits, &labels, &weights).expect("a loss")));
        });
        group.bench_function(format!("{name}/value_and_gradient"), |bencher| {
            bencher.iter(|| {
                let value = loss.forward(&logits, &labels, &weights).expect("a loss");
                black_box(value.backward().expect("a gradient"))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = benches
}
criterion_main!(all);
