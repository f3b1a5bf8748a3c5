//! What the layers promise beyond their formulas.

use super::{bits, numbers, values, variable, with_gradients};
use crate::batch_norm::moments;
use crate::dims::Dims;
use crate::simd::InstructionSet;
use crate::{affine, batch_norm, batch_statistics, conv2d, global_average_pool, max_pool2d};
use candle_core::{DType, Device, Tensor};

/// A small network's output and gradients, on `threads` threads.
fn network_on(threads: usize) -> Vec<u32> {
    let x = variable(&[5, 30, 26, 3], 1);
    let (stem, second) = (variable(&[20, 3, 7, 7], 2), variable(&[40, 20, 3, 3], 3));
    let shortcut = variable(&[40, 20, 1, 1], 4);
    let (gamma, beta) = (variable(&[20], 5), variable(&[20], 6));
    let layers = || {
        let y = conv2d(&x, &stem, 2, 3)?;
        let y = batch_norm(&y, &gamma, &beta, &batch_statistics(&y)?, 1e-5, None, true)?;
        let y = max_pool2d(&y, 3, 2, 1)?;
        let residual = conv2d(&y, &shortcut, 2, 0)?;
        let y = conv2d(&y, &second, 2, 1)?;
        let ones = Tensor::ones(40, DType::F32, &Device::Cpu)?;
        let y = batch_norm(&y, &ones, &ones, &batch_statistics(&y)?, 1e-5, Some(&residual), true)?;
        global_average_pool(&y)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| bits(&with_gradients(&[&x, &stem, &second, &shortcut, &gamma, &beta], layers)))
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let one = network_on(1);
    for threads in [2, 3, 7, 16, 64] {
        assert!(one == network_on(threads), "{threads} threads");
    }
}

#[test]
fn statistics_survive_a_mean_far_from_zero() {
    // Deviations of order 1 around 4096, the float32 spacing being 1/2048 there.
    let noise = values(&numbers(&[3, 40, 30, 18], 7));
    let x: Vec<f32> = noise.iter().map(|value| value + 4096.0).collect();
    let dims = Dims {
        images: 3,
        height: 40,
        width: 30,
        channels: 18,
    };
    for set in InstructionSet::supported() {
        let (mean, variance) = moments(&x, dims, set);
        for channel in 0..18 {
            let of_channel = || x[channel..].iter().step_by(18).map(|value| f64::from(*value));
            let exact_mean = of_channel().sum::<f64>() / 3600.0;
            let exact = of_channel().map(|value| (value - exact_mean).powi(2)).sum::<f64>() / 3600.0;
            // The mean is rounded to float32 once; the variance is a float32 sum in chunks of 455 pixels.
            assert!(
                (f64::from(mean[channel]) - exact_mean).abs() <= 2.5e-4,
                "{set:?}: {}",
                mean[channel]
            );
            assert!(
                (f64::from(variance[channel]) - exact).abs() <= 1e-5 * exact,
                "{set:?}: {}",
                variance[channel]
            );
        }
    }
}

#[test]
fn statistics_count_pixels() {
    let statistics = batch_statistics(&numbers(&[2, 3, 4, 5], 1)).unwrap();
    assert_eq!(statistics.count, 24);
    assert_eq!(
        (statistics.mean.dims(), statistics.variance.dims()),
        (&[5][..], &[5][..])
    );
}

#[test]
fn constants_and_images_get_no_gradient() {
    let images = numbers(&[1, 6, 6, 3], 1);
    let weight = variable(&[4, 3, 3, 3], 2);
    let gradients = conv2d(&images, &weight, 1, 1)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    assert!(gradients.get(&images).is_none());
    assert!(gradients.get(&weight).is_some());
    let gradients = conv2d(&weight.permute((0, 2, 3, 1)).unwrap(), &numbers(&[4, 3, 3, 3], 2), 1, 1).unwrap();
    assert!(gradients.sum_all().unwrap().backward().unwrap().get(&weight).is_some());
}

#[test]
fn the_first_maximum_takes_the_gradient() {
    let x = variable(&[1, 2, 2, 1], 1);
    x.set(
        &Tensor::new(&[-1f32, -0.5, -0.5, -0.5], &Device::Cpu)
            .unwrap()
            .reshape((1, 2, 2, 1))
            .unwrap(),
    )
    .unwrap();
    // Every window sees one pixel, below zero, and the padding, which never wins.
    let y = max_pool2d(&x, 2, 2, 1).unwrap();
    assert_eq!(values(&y), [-1.0, -0.5, -0.5, -0.5]);
    let y = max_pool2d(&x, 2, 1, 0).unwrap();
    assert_eq!(values(&y), [-0.5]);
    let gradients = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(values(gradients.get(&x).unwrap()), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn what_is_not_a_number_stays_visible() {
    let mut poisoned = values(&numbers(&[1, 4, 4, 20], 1));
    poisoned[20 + 7] = f32::NAN;
    let x = Tensor::from_vec(poisoned, (1, 4, 4, 20), &Device::Cpu).unwrap();
    let ones = Tensor::ones(20, DType::F32, &Device::Cpu).unwrap();
    for y in [
        max_pool2d(&x, 3, 2, 1),
        affine(&x, &ones, &ones, None, true),
        global_average_pool(&x),
    ] {
        let found: Vec<usize> = values(&y.unwrap())
            .iter()
            .enumerate()
            .filter(|(_, y)| y.is_nan())
            .map(|(i, _)| i % 20)
            .collect();
        assert!(
            !found.is_empty() && found.iter().all(|channel| *channel == 7),
            "{found:?}"
        );
    }
}

#[test]
fn views_are_read_as_what_they_show() {
    let channels_first = numbers(&[2, 3, 6, 5], 1);
    let view = channels_first.permute((0, 2, 3, 1)).unwrap();
    let weight = numbers(&[3, 4, 3, 3], 2);
    let transposed = weight.transpose(0, 1).unwrap();
    let expected = conv2d(
        &view.force_contiguous().unwrap(),
        &transposed.force_contiguous().unwrap(),
        1,
        1,
    )
    .unwrap();
    assert_eq!(values(&conv2d(&view, &transposed, 1, 1).unwrap()), values(&expected));
    let part = numbers(&[4, 6, 5, 3], 1).narrow(0, 1, 2).unwrap();
    let copy = part.force_contiguous().unwrap();
    assert_eq!(
        values(&global_average_pool(&part).unwrap()),
        values(&global_average_pool(&copy).unwrap())
    );
}

#[test]
fn errors_say_what_was_expected() {
    let x = numbers(&[1, 4, 5, 3], 1);
    let weight = numbers(&[8, 3, 3, 3], 2);
    let three = numbers(&[3], 3);
    let statistics = || batch_statistics(&x).unwrap();
    let integers = x.to_dtype(DType::U32).unwrap();
    for (result, expected) in [
        (
            conv2d(&x.flatten_to(1).unwrap(), &weight, 1, 1),
            "[N, H, W, C], got shape [4, 5, 3]",
        ),
        (conv2d(&integers, &weight, 1, 1), "input of type float32, got U32"),
        (conv2d(&x, &three, 1, 1), "a weight [Cout, Cin, kh, kw], got shape [3]"),
        (
            conv2d(&x, &numbers(&[8, 4, 3, 3], 2), 1, 1),
            "expects 4 input channels, the input [1, 4, 5, 3] has 3",
        ),
        (conv2d(&x, &weight, 0, 1), "a stride of at least 1, got 0"),
        (
            conv2d(&x, &numbers(&[8, 3, 7, 7], 2), 1, 1),
            "kernel 7 x 7 exceeds the input 4 x 5 with padding 1",
        ),
        (
            batch_norm(&x, &numbers(&[4], 3), &three, &statistics(), 1e-5, None, true),
            "gamma) of shape [3]",
        ),
        (
            batch_norm(&x, &three, &three, &statistics(), 1e-5, Some(&weight), true),
            "a residual of the result's shape",
        ),
        (
            affine(&x, &three, &numbers(&[3, 1], 3), None, true),
            "beta) of shape [3], one value a channel, got [3, 1]",
        ),
        (max_pool2d(&x, 0, 1, 0), "at least 1, got 0 and 1"),
        (max_pool2d(&x, 3, 1, 2), "at most half the kernel 3, got 2"),
        (max_pool2d(&x, 5, 1, 0), "the kernel 5 exceeds the input 4 x 5"),
        (global_average_pool(&x.narrow(0, 0, 0).unwrap()), "a non-empty input"),
    ] {
        let message = result.map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message:?} should contain {expected:?}");
    }
}
