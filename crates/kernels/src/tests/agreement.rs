//! The fast layers against candle's own operations.

use super::{assert_all_close, assert_close, bits, numbers, variable, with_gradients};
use crate::batch_norm::{BatchNorm, apply};
use crate::convolution::Convolution;
use crate::dims::Dims;
use crate::pooling::MaxPool;
use crate::simd::InstructionSet;
use crate::{FusedConvolution, batch_statistics, global_average_pool, reference};
use candle_core::{Result, Tensor, Var};
use proptest::prelude::*;

const TOLERANCE: f32 = 1e-5;

/// Compares output and gradients of a layer on every instruction set with the reference's. AVX2 and AVX-512 agree in
/// every bit.
#[track_caller]
fn check(
    variables: &[&Var],
    expected: &[Tensor],
    tolerance: f32,
    what: &str,
    layer: impl Fn(InstructionSet) -> Result<Tensor>,
) {
    let mut fused = Vec::new();
    for set in InstructionSet::supported() {
        let found = with_gradients(variables, || layer(set));
        assert_all_close(&found, expected, tolerance, &format!("{what}, {set:?}"));
        if set != InstructionSet::Portable {
            fused.push(bits(&found));
        }
    }
    for pair in fused.windows(2) {
        assert!(pair[0] == pair[1], "{what}: AVX2 and AVX-512 differ");
    }
}

/// `[n, h, w, cin]`, `[cout, kernel, stride, padding]`.
fn check_convolution(x: [usize; 4], [outputs, kernel, stride, padding]: [usize; 4]) {
    let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
    let input = variable(&x, 1);
    let weight = variable(&[outputs, x[3], kernel, kernel], 2);
    let expected = with_gradients(&[&input, &weight], || {
        reference::conv2d(&input, &weight, stride, padding)
    });
    check(&[&input, &weight], &expected, TOLERANCE, &what, |set| {
        Convolution::new(&input, &weight, stride, padding, set)?.apply(&input, &weight)
    });
}

/// On every instruction set the fused layers give the bytes of the single ones.
fn check_fused(x: [usize; 4], [outputs, kernel, stride, padding]: [usize; 4]) {
    let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
    let input = numbers(&x, 1);
    let weight = numbers(&[outputs, x[3], kernel, kernel], 2);
    let (scale, shift) = (numbers(&[outputs], 3), numbers(&[outputs], 4));
    for set in InstructionSet::supported() {
        let fused = FusedConvolution::for_set(&weight, [&scale, &shift], stride, padding, set).unwrap();
        let convolution = Convolution::new(&input, &weight, stride, padding, set).unwrap();
        let y = convolution.apply(&input, &weight).unwrap();
        let residual = numbers(y.dims(), 5);
        for (residual, relu) in [
            (None, false),
            (None, true),
            (Some(&residual), false),
            (Some(&residual), true),
        ] {
            let layer = BatchNorm {
                set,
                ..BatchNorm::affine(Dims::of(&y, "test").unwrap(), relu)
            };
            let expected = apply(layer, &y, [&scale, &shift], residual).unwrap();
            let found = fused.forward(&input, residual, relu).unwrap();
            assert_eq!(found.dims(), expected.dims(), "{what}");
            assert!(bits(&[found]) == bits(&[expected]), "{what}, {set:?}, relu {relu}");
        }
    }
}

/// Shapes that every branch of the kernels sees.
pub(super) const CONVOLUTIONS: [([usize; 4], [usize; 4]); 26] = [
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
    // 1 x 1: several tasks, a tile cut short, pixels that are copied apart, and strides.
    ([3, 11, 13, 24], [40, 1, 1, 0]),
    ([1, 6, 5, 1024], [33, 1, 1, 0]),
    ([2, 7, 7, 1024], [16, 1, 2, 0]),
    ([2, 9, 6, 32], [64, 1, 3, 0]),
    // Pixels of the source behind the last window, of which the gradient's one convolution for all parities has one too many.
    ([1, 4, 4, 17], [1, 3, 3, 0]),
    ([2, 5, 7, 3], [9, 2, 2, 0]),
    // So many outputs and images that the filter gradient copies its windows: in tiles of 12, 14 and 11 floats.
    ([16, 5, 6, 20], [128, 3, 1, 1]),
    ([16, 6, 5, 12], [128, 3, 2, 1]),
    ([16, 7, 7, 28], [64, 1, 1, 0]),
    ([16, 9, 9, 3], [64, 7, 2, 3]),
];

#[test]
fn convolution_equals_candle() {
    for (x, layer) in CONVOLUTIONS {
        check_convolution(x, layer);
        check_fused(x, layer);
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
        check_fused([n, h, w, inputs], [outputs, kernel, stride, padding]);
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
        // Values are copied; gradients are sums of at most nine numbers, in another order.
        check(&[&x], &expected, 1e-6, "maximum", |set| MaxPool::new(&x, kernel, stride, padding, set)?.apply(&x));
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
        let dims = Dims::of(&x, "test").unwrap();
        let statistics = batch_statistics(&x).unwrap();
        let expected = reference::batch_statistics(&x).unwrap();
        assert_close(&statistics.mean, &expected.mean, TOLERANCE, "mean");
        assert_close(&statistics.variance, &expected.variance, TOLERANCE, "variance");
        let expected =
            with_gradients(&variables, || reference::batch_norm(&x, &gamma, &beta, 1e-5, residual_tensor, relu));
        // With two or three pixels the deviation may be tiny and the gradients large differences of large numbers.
        check(&variables, &expected, 1e-3, "batch norm", |set| {
            let layer = BatchNorm { set, ..BatchNorm::by_batch(dims, &statistics, 1e-5, relu) };
            apply(layer, &x, [&gamma, &beta], residual_tensor)
        });
        let expected = with_gradients(&variables, || reference::affine(&x, &gamma, &beta, residual_tensor, relu));
        // Gradients of scale and shift are sums of up to 1,300 numbers of either sign, in another order.
        check(&variables, &expected, 3.0 * TOLERANCE, "affine", |set| {
            let layer = BatchNorm { set, ..BatchNorm::affine(dims, relu) };
            apply(layer, &x, [&gamma, &beta], residual_tensor)
        });
    }
}
