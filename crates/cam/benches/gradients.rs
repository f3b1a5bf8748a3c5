//! Gradients of 40 logits by an inner stage's activations, and by the image: the linearisation against candle's `backward`, which goes
//! forward once for every row. One run prints both and their ratio.
//!
//! The networks are that of `experiments/embedded.yaml` and a ResNet-18, both on images of 112 x 112 pixels.

use std::hint::black_box;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{Architecture, Block, Mode, Network, Stage, Stem};

/// As in the program: the same large buffers come and go in every pass.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ATTRIBUTES: usize = 40;
const IMAGES: usize = 2;
const ROUNDS: usize = 7;

fn embedded() -> Architecture {
    let stage = |width, stride, kernel, entry_kernel| Stage {
        width,
        blocks: 2,
        stride,
        kernel,
        entry_kernel,
    };
    Architecture {
        block: Block::Basic,
        stem: Stem {
            kernel: 7,
            stride: 2,
            max_pool: true,
        },
        stages: vec![
            stage(16, 1, 3, None),
            stage(32, 2, 3, None),
            stage(64, 2, 1, Some(3)),
            stage(128, 1, 1, None),
        ],
    }
}

/// Image and attribute of every row, an image's rows together.
fn repeated(x: &Tensor) -> Tensor {
    let rows: Vec<u32> = (0..IMAGES * ATTRIBUTES).map(|row| (row / ATTRIBUTES) as u32).collect();
    let index = Tensor::new(rows.as_slice(), &Device::Cpu).expect("an index");
    x.index_select(&index, 0).expect("rows")
}

/// The sum of each row's logit, so that its gradient by the rows is that of each row's own logit.
fn chosen(logits: &Tensor) -> Tensor {
    let attributes: Vec<u32> = (0..IMAGES * ATTRIBUTES).map(|row| (row % ATTRIBUTES) as u32).collect();
    let index = Tensor::from_vec(attributes, (IMAGES * ATTRIBUTES, 1), &Device::Cpu).expect("an index");
    logits
        .gather(&index, 1)
        .and_then(|chosen| chosen.sum_all())
        .expect("a sum")
}

fn by_candle(network: &Network, activations: &Tensor, layer: &str) -> Tensor {
    let rows = repeated(
        &activations
            .permute((0, 2, 3, 1))
            .and_then(|x| x.contiguous())
            .expect("channels last"),
    );
    let rows = Var::from_tensor(&rows).expect("a variable");
    let view = rows.permute((0, 3, 1, 2)).expect("a view");
    let output = network.forward_from(layer, &view, Mode::Eval).expect("logits");
    let store = chosen(&output.logits).backward().expect("gradients");
    store.get(&rows).expect("a gradient").clone()
}

/// Both ways alternately, and the ratio of their fastest rounds.
fn ratio(name: &str, mut earlier: impl FnMut(), mut now: impl FnMut()) {
    let (mut slow, mut fast) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        for (best, work) in [(&mut slow, &mut earlier as &mut dyn FnMut()), (&mut fast, &mut now)] {
            let start = Instant::now();
            work();
            *best = (*best).min(start.elapsed());
        }
    }
    let ratio = slow.as_secs_f64() / fast.as_secs_f64();
    println!("{name}: candle {slow:.2?}, linearisation {fast:.2?}, ratio {ratio:.2}");
}

fn benches(criterion: &mut Criterion) {
    let images = Tensor::rand(0_f32, 1.0, (IMAGES, 112, 112, 3), &Device::Cpu)
        .and_then(|images| images.permute((0, 3, 1, 2)))
        .expect("images");
    let attributes: Vec<usize> = (0..ATTRIBUTES).collect();
    let networks = [
        ("embedded", embedded()),
        ("resnet18", Architecture::preset("resnet18").expect("a preset")),
    ];
    for (name, architecture) in networks {
        let network = Network::new(&architecture, ATTRIBUTES, 1, &Device::Cpu).expect("a valid network");
        let mut group = criterion.benchmark_group(format!("gradients/{name}_112_a40/cpu"));
        group.throughput(Throughput::Elements((IMAGES * ATTRIBUTES) as u64));
        for layer in ["layer1", "layer2", "layer3"] {
            let activations = network.activations(&images, layer, Mode::Eval).expect("activations");
            let now = || network.gradients(layer, &activations, &attributes).expect("gradients");
            let found = now()
                .permute((0, 1, 3, 4, 2))
                .and_then(|x| x.flatten(0, 1))
                .expect("rows");
            let expected = by_candle(&network, &activations, layer);
            let apart = (found - &expected)
                .and_then(|x| x.abs()?.max_all())
                .expect("a difference");
            let largest = expected.abs().and_then(|x| x.max_all()).expect("a number");
            let apart = (apart / largest).and_then(|x| x.to_scalar::<f32>()).expect("a number");
            assert!(apart < 1e-5, "both ways give the same gradients: {apart}");
            ratio(
                &format!("{name}/{layer}"),
                || drop(black_box(by_candle(&network, &activations, layer))),
                || drop(black_box(now())),
            );
            group.bench_function(layer, |bencher| bencher.iter(|| black_box(now())));
        }
        group.finish();
    }
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = benches
}
criterion_main!(all);
