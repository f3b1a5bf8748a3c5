//! Parity with pytorch-grad-cam on a larger network than `parity.rs` has: values in `../shared/fixtures`, whose README says how they
//! were made. Without that folder these tests say so and pass.

use std::collections::HashMap;
use std::path::Path;

use cam::{Maps, Method, PostProcessing, Resize, Target};
use candle_core::{Device, Tensor};
use model::{Architecture, Mode, Network};
use testing::{largest_difference, relative_difference, shared};

fn load(folder: &Path, name: &str) -> HashMap<String, Tensor> {
    model::tensors_from_bytes(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Maps by our network from the fixtures' images.
fn maps(folder: &Path, method: Method) -> Maps {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(16);
    let weights = load(folder, "weights.safetensors");
    let network = Network::from_tensors(&architecture, 40, weights, &Device::Cpu).unwrap();
    let output = network
        .forward(&load(folder, "inputs.safetensors")["images"], Mode::Eval)
        .unwrap();
    cam::raw_maps(method, Target::Predicted, &output.into(), &network.head().into()).unwrap()
}

#[test]
fn raw_maps_are_the_librarys() {
    let Some(folder) = shared("fixtures") else { return };
    let expected = load(&folder, "expected_cam.safetensors");
    for (method, name, factor) in [
        (Method::GradCam, "gradcam/raw", 1.0),
        (Method::HiresCam, "hirescam/raw", 1.0),
        // Class activation mapping has no 1/(h w) of the pooling in it.
        (Method::Cam, "hirescam/raw", 16.0),
    ] {
        let expected: Vec<f32> = floats(&expected[name]).iter().map(|value| value * factor).collect();
        let maps = maps(&folder, method);
        // Features of float32 are good to 2e-6 of their maximum, and a map is a sum of 128 of them.
        let off = relative_difference(&maps.data, &expected);
        assert!(off < 1e-5, "{method}: {off:e} of the largest value");
    }
}

#[test]
fn final_maps_are_the_librarys() {
    let Some(folder) = shared("fixtures") else { return };
    let tensors = load(&folder, "expected_cam.safetensors");
    let images = tensors["final/image_indices"].to_vec1::<i64>().unwrap();
    let attributes = tensors["final/attribute_indices"].to_vec1::<i64>().unwrap();
    let post_processing = PostProcessing::of_layer(Resize::HalfPixel, [4, 4], 112);
    for (method, name) in [(Method::GradCam, "gradcam"), (Method::HiresCam, "hirescam")] {
        let expected = floats(&tensors[&format!("{name}/final")]);
        let theirs = floats(&tensors[&format!("{name}/raw")]);
        let ours = maps(&folder, method);
        let mut chunks = expected.chunks(112 * 112);
        let mut map = vec![0.0; 112 * 112];
        for image in images.iter().map(|&i| i as usize) {
            for attribute in attributes.iter().map(|&i| i as usize) {
                let expected = chunks.next().unwrap();
                // From the library's own raw map only the rounding of the resize remains: a few 2^-24.
                let start = (image * 40 + attribute) * 16;
                post_processing.finalise(&theirs[start..start + 16], &mut map);
                let off = largest_difference(&map, expected);
                assert!(off < 1e-6, "{name} {image} {attribute}: {off:e}");
                // From ours the raw map's deviation too, which the division by a small maximum enlarges.
                post_processing.finalise(ours.map(image, attribute), &mut map);
                let off = largest_difference(&map, expected);
                assert!(off < 1e-4, "{name} {image} {attribute}: {off:e}");
            }
        }
    }
}
