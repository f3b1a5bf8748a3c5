//! Images sampled by the GPU's kernels against the loader's.

use super::emulator::{Array, Emulator};
use super::{compare, on_both};
use crate::gpu::Address;
use crate::sampling::gpu::Sampling;
use crate::tests::pixels::{batches, borrowed, views};
use crate::{SampledView, SamplerInput};
use candle_core::{Device, Tensor};

/// The parts as they would lie in the GPU's memory, at a multiple of 8 bytes, and where.
fn laid_out(sampling: &Sampling<'_>) -> (Vec<u64>, Address) {
    let mut bytes = sampling.parts().concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let words: Vec<u64> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|word| u64::from_ne_bytes(*word))
        .collect();
    let address = Address(words.as_ptr() as u64);
    (words, address)
}

fn sampled(machine: &Emulator, sampling: &Sampling<'_>) -> Array<f32> {
    let (_words, parts) = laid_out(sampling);
    let images = Array::unwritten(sampling.len());
    // SAFETY: arrays of these sizes.
    unsafe { sampling.run(machine, parts, images.address()).unwrap() };
    images
}

/// The labels among the parts, which are the last, where they are said to be.
fn labels(sampling: &Sampling<'_>) -> Vec<f32> {
    let start = sampling.labels(Address(0)).0 as usize;
    let bytes = sampling.parts().concat();
    let numbers = bytes[start..].as_chunks().0.iter();
    numbers.map(|number| f32::from_ne_bytes(*number)).collect()
}

/// Squares of fewer and more pixels than a block has columns. Values are in [0, 1]; positions in single precision are off by 2e-5 pixels
/// of an image of 218, in which a step from pixel to pixel is at most 1.
#[test]
fn sampled_images_are_the_loaders() {
    for (size, batch_size) in [(1, 8), (31, 3), (70, 8)] {
        for (pixels, images) in batches(size, batch_size) {
            let views = views(&pixels);
            let sampling = Sampling::of(borrowed(&pixels, &views)).unwrap();
            let shape = (pixels.indices.len(), size, size, 3);
            let expected = Tensor::from_slice(&images.images, shape, &Device::Cpu).unwrap();
            assert_eq!(labels(&sampling), images.labels);
            on_both(|machine| {
                let found = sampled(machine, &sampling);
                vec![compare(&found, &expected, 2e-5, &format!("squares of {size}"))]
            });
        }
    }
}

/// What the loader leaves out when it changes nothing, and light without blur.
#[test]
fn an_identity_copies_and_light_is_held_to_its_range() {
    let pixels = [10, 20, 30, 0, 200, 210, 220, 9, 0, 255, 51, 0, 102, 153, 204, 7];
    let view = SampledView {
        start: 0,
        width: 2,
        height: 2,
        transform: [1.0, 0.0, 0.0, 0.0],
        mirror: false,
        taps: 0..0,
        contrast: 1.0,
        brightness: 0.0,
    };
    let bright = SampledView {
        mirror: true,
        contrast: 2.0,
        brightness: 0.25,
        ..view.clone()
    };
    let nowhere = SampledView {
        transform: [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN],
        ..view.clone()
    };
    let batch = SamplerInput {
        size: 2,
        pixels: &pixels,
        views: &[view, bright, nowhere],
        taps: &[],
        labels: &[],
    };
    let sampling = Sampling::of(batch).unwrap();
    for machine in Emulator::both() {
        let found = sampled(&machine, &sampling).values();
        let values = |order: [usize; 4]| order.map(|pixel| [0, 1, 2].map(|c| f32::from(pixels[4 * pixel + c]) / 255.0));
        let plain = values([0, 1, 2, 3]);
        let lit = values([1, 0, 3, 2]).map(|pixel| pixel.map(|v| ((v - 0.5) * 2.0 + 0.75).clamp(0.0, 1.0)));
        for (found, expected) in found.iter().zip(plain.as_flattened().iter().chain(lit.as_flattened())) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert!(found[24..].iter().all(|value| (0.0..=1.0).contains(value)), "{found:?}");
    }
}

#[test]
fn views_of_what_is_not_there_are_refused() {
    let good = SampledView {
        start: 0,
        width: 2,
        height: 2,
        transform: [1.0, 0.0, 0.0, 0.0],
        mirror: false,
        taps: 0..2,
        contrast: 1.0,
        brightness: 0.0,
    };
    let refused = |view: SampledView| {
        let batch = SamplerInput {
            size: 4,
            pixels: &[0; 16],
            views: &[view],
            taps: &[0.5, 0.25],
            labels: &[1.0],
        };
        Sampling::of(batch).err().map(|error| error.to_string())
    };
    assert_eq!(refused(good.clone()), None);
    for (view, message) in [
        (
            SampledView {
                start: 1,
                ..good.clone()
            },
            "2 x 2 from 1 on",
        ),
        (
            SampledView {
                width: 1,
                ..good.clone()
            },
            "1 x 2 from 0 on",
        ),
        (
            SampledView {
                height: usize::MAX,
                ..good.clone()
            },
            "of 4 pixels",
        ),
        (
            SampledView {
                taps: 1..3,
                ..good.clone()
            },
            "of 2 weights, got 1..3",
        ),
    ] {
        let found = refused(view).unwrap();
        assert!(found.contains(message), "{found}");
    }
    let broken = SamplerInput {
        size: 4,
        pixels: &[0; 18],
        views: &[good],
        taps: &[0.5, 0.25],
        labels: &[1.0],
    };
    let message = Sampling::of(broken).unwrap_err().to_string();
    assert!(message.contains("4 bytes a pixel, got 18"), "{message}");
    let empty = SamplerInput {
        size: 4,
        pixels: &[],
        views: &[],
        taps: &[],
        labels: &[],
    };
    assert!(Sampling::of(empty).is_err());
}
