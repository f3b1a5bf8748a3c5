//! The fast layers against candle's own operations, on every instruction set of this machine.

use super::convolution::Convolution;
use super::pooling::MaxPool;
use super::reference;
use super::simd::InstructionSet;
use super::{affine, batch_norm, batch_statistics, global_average_pool};
use candle_core::{Device, Result, Tensor, Var};
use proptest::prelude::*;

/// Numbers between -1 and 1 that depend on `seed` alone.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = std::iter::repeat_with(next).take(shape.iter().product()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variable(shape: &[usize], seed: u64) -> Var {
    Var::from_tensor(&numbers(shape, seed)).unwrap()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts equality up to `tolerance` times the largest magnitude: a float32 sum of n products of order 1 is off by
/// about sqrt(n) half-units in the last place (6e-8) times its largest partial sum, and n is at most a few thousand.
#[track_caller]
fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    let scale = expected.iter().fold(1e-3f32, |max, value| max.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * scale,
            "{what}[{i}]: {found}, expected {expected}, of at most {scale}"
        );
    }
}

const TOLERANCE: f32 = 1e-5;

/// Output and gradients of `layer` with respect to `variables`, for a loss that weighs every output differently.
fn with_gradients(variables: &[&Var], layer: impl FnOnce() -> Result<Tensor>) -> Vec<Tensor> {
    let output = layer().unwrap();
    let loss = (&output * numbers(output.dims(), 99)).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    let of = |variable: &&Var| {
        gradients
            .get(variable.as_tensor())
            .expect("a gradient for each variable")
            .clone()
    };
    std::iter::once(output).chain(variables.iter().map(of)).collect()
}

#[track_caller]
fn assert_all_close(found: &[Tensor], expected: &[Tensor], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let part = if i == 0 {
            "output".to_string()
        } else {
            format!("gradient {i}")
        };
        assert_close(found, expected, tolerance, &format!("{what}: {part}"));
    }
}

fn bytes_equal(a: &[Tensor], b: &[Tensor]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let bits = |x: &Tensor| values(x).into_iter().map(f32::to_bits).collect::<Vec<_>>();
            bits(a) == bits(b)
        })
}

/// `[n, h, w, cin]`, `[cout, kernel, stride, padding]`.
fn check_convolution(x: [usize; 4], [outputs, kernel, stride, padding]: [usize; 4]) {
    let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
    let input = variable(&x, 1);
    let weight = variable(&[outputs, x[3], kernel, kernel], 2);
    let expected = with_gradients(&[&input, &weight], || {
        reference::conv2d(&input, &weight, stride, padding)
    });
    let mut fused = Vec::new();
    for set in InstructionSet::supported() {
        let layer = || Convolution::new(&input, &weight, stride, padding, set)?.apply(&input, &weight);
        let found = with_gradients(&[&input, &weight], layer);
        assert_all_close(&found, &expected, TOLERANCE, &format!("{what}, {set:?}"));
        if set != InstructionSet::Portable {
            fused.push(found);
        }
    }
    for pair in fused.windows(2) {
        assert!(bytes_equal(&pair[0], &pair[1]), "{what}: AVX2 and AVX-512 differ");
    }
}

#[test]
fn convolution_equals_candle() {
    for (x, layer) in [
        ([2, 12, 12, 16], [16, 3, 1, 1]),
        ([3, 7, 7, 32], [32, 3, 1, 1]),
        ([2, 14, 14, 16], [32, 3, 2, 1]),
        ([2, 14, 14, 16], [32, 1, 2, 0]),
        ([2, 9, 13, 16], [48, 1, 1, 0]),
        ([1, 37, 29, 3], [16, 7, 2, 3]),
        ([2, 5, 6, 7], [5, 3, 1, 1]),
        ([1, 9, 9, 20], [33, 3, 2, 1]),
        ([4, 4, 4, 64], [80, 3, 1, 1]),
        ([1, 1, 1, 4], [4, 1, 1, 0]),
        ([1, 3, 3, 5], [17, 3, 3, 0]),
        ([2, 6, 7, 40], [24, 3, 1, 0]),
        ([2, 8, 8, 8], [8, 2, 2, 0]),
        ([1, 8, 8, 8], [8, 5, 3, 4]),
        ([40, 4, 4, 16], [16, 3, 1, 1]),
        ([1, 70, 66, 64], [16, 3, 1, 1]),
    ] {
        check_convolution(x, layer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_equals_candle_on_any_shape(
        (n, h, w) in (1usize..4, 1usize..12, 1usize..12),
        (inputs, outputs) in (1usize..36, 1usize..36),
        (kernel, stride, padding) in (1usize..5, 1usize..4, 0usize..3),
    ) {
        prop_assume!(h.min(w) + 2 * padding >= kernel);
        check_convolution([n, h, w, inputs], [outputs, kernel, stride, padding]);
    }

    #[test]
    fn pooling_equals_reference_on_any_shape(
        (n, h, w, c) in (1usize..4, 1usize..12, 1usize..12, 1usize..36),
        (kernel, stride, padding) in (1usize..4, 1usize..4, 0usize..2),
        levels in 2f64..50.0,
    ) {
        prop_assume!(padding <= kernel / 2 && h.min(w) + 2 * padding >= kernel);
        // Few distinct values make ties.
        let x = (numbers(&[n, h, w, c], 3) * levels).unwrap().round().unwrap();
        let x = Var::from_tensor(&x).unwrap();
        let expected = with_gradients(&[&x], || reference::max_pool2d(&x, kernel, stride, padding));
        for set in InstructionSet::supported() {
            let found = with_gradients(&[&x], || MaxPool::new(&x, kernel, stride, padding, set)?.apply(&x));
            // Values are copied; gradients are sums of at most nine numbers, in another order.
            assert_all_close(&found, &expected, 1e-6, &format!("{set:?}"));
        }
        let expected = with_gradients(&[&x], || reference::global_average_pool(&x));
        let found = with_gradients(&[&x], || global_average_pool(&x));
        assert_all_close(&found, &expected, TOLERANCE, "average");
    }

    #[test]
    fn normalisation_equals_reference_on_any_shape(
        (n, h, w, c) in (1usize..4, 1usize..12, 2usize..40, 1usize..40),
        relu in any::<bool>(),
        with_residual in any::<bool>(),
    ) {
        let x = Var::from_tensor(&numbers(&[n, h, w, c], 1).affine(2.0, 0.5).unwrap()).unwrap();
        let (gamma, beta) = (variable(&[c], 2), variable(&[c], 3));
        let residual = variable(&[n, h, w, c], 4);
        let residual_tensor = with_residual.then_some(residual.as_tensor());
        let mut variables = vec![&x, &gamma, &beta];
        if with_residual {
            variables.push(&residual);
        }
        let expected =
            with_gradients(&variables, || reference::batch_norm(&x, &gamma, &beta, 1e-5, residual_tensor, relu));
        let found = with_gradients(&variables, || {
            let statistics = batch_statistics(&x)?;
            batch_norm(&x, &gamma, &beta, &statistics, 1e-5, residual_tensor, relu)
        });
        // With two or three pixels the deviation may be tiny and the gradients large differences of large numbers.
        assert_all_close(&found, &expected, 1e-3, "batch norm");
        let expected = with_gradients(&variables, || reference::affine(&x, &gamma, &beta, residual_tensor, relu));
        let found = with_gradients(&variables, || affine(&x, &gamma, &beta, residual_tensor, relu));
        assert_all_close(&found, &expected, TOLERANCE, "affine");
    }
}
