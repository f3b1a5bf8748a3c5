//! Every method, for one image: a width-16 ResNet-18 on 112 x 112 pixels, 128 channels of 4 x 4 at the last stage.
//!
//! Each is measured for 1 and for 40 attributes: methods that look at the network through forward passes share these between all
//! attributes, so the second must not cost 40 times the first. FullGrad and FAME, which share nothing, take seconds for 40 and are
//! measured for 4; RISE has 64 masks here, not 4,000, and FAME 10 steps, not 100.

use cam::{Explainer, ExplainerConfig, FameConfig, Method, Reference, RiseConfig};
use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use model::{Architecture, Mode, Network};
use std::hint::black_box;
use std::time::Duration;

/// As in the program: the same large buffers come and go in every pass.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ATTRIBUTES: usize = 40;

fn benches(criterion: &mut Criterion) {
    let architecture = Architecture::preset("resnet18").expect("a preset").with_width(16);
    let network = Network::new(&architecture, ATTRIBUTES, 1, &Device::Cpu).expect("a valid network");
    let image = Tensor::rand(0_f32, 1.0, (1, 112, 112, 3), &Device::Cpu)
        .and_then(|image| image.permute((0, 3, 1, 2)))
        .expect("an image");
    let mut reference = Reference::new();
    let output = network.forward(&image, Mode::Eval).expect("a forward pass");
    reference.add(&output.features).expect("features");

    let mut group = criterion.benchmark_group("methods/resnet18_w16_112/cpu");
    let stages = Method::ALL.iter().map(|&method| (method, None)).chain([
        // With gradients, and with forward passes, of the stages behind it.
        (Method::HiresCam, Some("layer3")),
        (Method::AblationCam, Some("layer3")),
    ]);
    for (method, layer) in stages {
        let config = ExplainerConfig {
            method,
            layer: layer.map(str::to_owned),
            rise: RiseConfig {
                masks: 64,
                ..RiseConfig::default()
            },
            fame: FameConfig {
                steps: 10,
                ..FameConfig::default()
            },
            reference: Some(reference.clone()),
            ..ExplainerConfig::default()
        };
        let explainer = Explainer::new(&network, config).expect("a method of this layer");
        let many = if matches!(method, Method::FullGrad | Method::Fame) {
            4
        } else {
            ATTRIBUTES
        };
        for count in [1, many] {
            let attributes: Vec<usize> = (0..count).collect();
            group.bench_function(format!("{method}/{}/a{count}", layer.unwrap_or("layer4")), |bencher| {
                bencher.iter(|| black_box(explainer.explain(&image, &attributes, None).expect("maps")));
            });
        }
    }
    group.finish();
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
