//! Maps of inner stages as pytorch-grad-cam makes them; `inner/make.py` says how the values were made.

use cam::{Explainer, ExplainerConfig, Method};
use candle_core::{Device, Tensor};
use model::{Architecture, Mode, Network};
use serde_json::Value;

const SIDE: usize = 64;
const ATTRIBUTES: usize = 3;

/// Uniform in [-1, 1): 32-bit hashes of the position and the stream, as in `make.py`.
fn noise(stream: u64, length: usize) -> impl Iterator<Item = f64> {
    (0..length as u64).map(move |position| {
        let mut x = position + (stream << 24);
        for multiplier in [0x7FEB_352D_u64, 0x846C_A68B] {
            x ^= x >> 16;
            x = x.wrapping_mul(multiplier) & 0xFFFF_FFFF;
        }
        x ^= x >> 16;
        x as f64 / f64::from(1_u32 << 31) - 1.0
    })
}

fn fill(name: &str, stream: u64, shape: &[usize]) -> Tensor {
    let fan_in: usize = shape[1..].iter().product();
    let scale = (6.0 / fan_in as f64).sqrt();
    let value = |u: f64| match shape.len() {
        _ if name.ends_with("running_var") => 1.0 + 0.5 * u,
        1 if name.ends_with("weight") => 1.0 + 0.4 * u,
        _ if name.ends_with("weight") => u * scale,
        _ => 0.2 * u,
    };
    let values: Vec<f32> = noise(stream, shape.iter().product()).map(|u| value(u) as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn example() -> (Network, Tensor) {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(8);
    let shapes = Network::new(&architecture, ATTRIBUTES, 1, &Device::Cpu).unwrap();
    let shapes = shapes.named_tensors();
    let mut names: Vec<&String> = shapes.keys().collect();
    names.sort();
    let tensors = (0..)
        .zip(names)
        .map(|(stream, name)| (name.clone(), fill(name, stream, shapes[name].dims())));
    let network = Network::from_tensors(&architecture, ATTRIBUTES, tensors.collect(), &Device::Cpu).unwrap();
    let images: Vec<f32> = noise(255, 2 * 3 * SIDE * SIDE)
        .map(|u| (0.5 + 0.5 * u) as f32)
        .collect();
    (
        network,
        Tensor::from_vec(images, (2, 3, SIDE, SIDE), &Device::Cpu).unwrap(),
    )
}

fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap() as f32)
        .collect()
}

/// Largest difference relative to the largest expected value; after turning the sign, if that is open.
fn off(found: &[f32], expected: &[f32], either_sign: bool) -> f32 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let with = |sign: f32| {
        let pairs = found.iter().zip(expected);
        pairs.fold(0.0_f32, |most, (a, b)| most.max((sign * a - b).abs())) / scale
    };
    if either_sign {
        with(1.0).min(with(-1.0))
    } else {
        with(1.0)
    }
}

/// Prints the agreement that `docs/methods.md` states: `cargo test --release -p cam --test inner -- --nocapture`.
///
/// Logits deviate by 1e-6 of their size. A ReLU near 0 may fall on the other side, which the tolerance of gradients allows for; the
/// file has seven digits.
#[test]
fn inner_stages_are_the_librarys() {
    let expected: Value = serde_json::from_str(include_str!("inner/expected.json")).unwrap();
    let (network, images) = example();
    let logits = network.forward(&images, Mode::Eval).unwrap().logits;
    let logits = logits.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(off(&logits, &floats(&expected["logits"]), false) < 1e-5, "{logits:?}");
    for (layer, methods) in expected["layers"].as_object().unwrap() {
        assert_eq!(methods.as_object().unwrap().len(), 11);
        for (name, maps) in methods.as_object().unwrap() {
            let method: Method = name.parse().unwrap();
            let config = ExplainerConfig {
                method,
                layer: Some(layer.clone()),
                ..Default::default()
            };
            let explainer = Explainer::new(&network, config).unwrap();
            let found = explainer.explain(&images, &[0, 1, 2], None).unwrap().maps;
            let length = found.height * found.width;
            assert_eq!(length, if layer == "layer2" { 64 } else { 16 });
            let maps = floats(maps);
            assert_eq!(maps.len(), found.data.len(), "{layer} {name}");
            let either_sign = matches!(method, Method::EigenCam | Method::EigenGradCam);
            let pairs = found.data.chunks(length).zip(maps.chunks(length));
            let worst = pairs.map(|(a, b)| off(a, b, either_sign)).fold(0.0, f32::max);
            println!("{layer} {name}: {worst:.1e} of the largest value");
            assert!(worst < 1e-4, "{layer} {name}: {worst:e}");
        }
    }
}
