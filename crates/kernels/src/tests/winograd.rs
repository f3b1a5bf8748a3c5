//! Winograd's products against the definition's.

use super::agreement::CONVOLUTIONS;
use super::{assert_all_close, bits, numbers, with_both_gradients};
use crate::ConvolutionAlgorithm;
use crate::convolution::Convolution;
use crate::simd::InstructionSet;
use candle_core::Tensor;
use proptest::prelude::*;

/// Of the largest number: sums in another order, of numbers that are up to four times as large.
const TOLERANCE: f32 = 2e-5;

fn check(x: [usize; 4], [outputs, kernel, stride, padding]: [usize; 4]) {
    let (input, weight) = (numbers(&x, 1), numbers(&[outputs, x[3], kernel, kernel], 2));
    for set in InstructionSet::supported() {
        let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}, {set:?}");
        let all = |algorithm| {
            let op = Convolution::new(&input, &weight, stride, padding, set).unwrap();
            with_both_gradients(op.by(algorithm), &input, &weight, Tensor::clone)
        };
        let [direct, fast] = [ConvolutionAlgorithm::Direct, ConvolutionAlgorithm::Fast].map(all);
        assert_all_close(&fast, &direct, TOLERANCE, &what);
        let taken = (kernel, stride) == (3, 1) && x[3].min(outputs) >= 32;
        assert_eq!(bits(&fast[..1]) != bits(&direct[..1]), taken, "{what}");
        assert_eq!(
            bits(&fast[2..]),
            bits(&direct[2..]),
            "{what}: the weight's gradient is the direct one"
        );
    }
}

#[test]
fn winograd_s_products_are_the_definition_s() {
    for (x, layer) in CONVOLUTIONS {
        check(x, layer);
    }
    for (x, layer) in [
        ([3, 14, 14, 64], [64, 3, 1, 1]),
        ([2, 7, 7, 128], [96, 3, 1, 1]),
        ([2, 4, 4, 512], [33, 3, 1, 1]),
        ([1, 3, 5, 32], [32, 3, 1, 0]),
    ] {
        check(x, layer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_size(
        images in 1_usize..4, height in 3_usize..12, width in 3_usize..12, inputs in 30_usize..70, outputs in 30_usize..70,
        padding in 0_usize..3,
    ) {
        check([images, height, width, inputs], [outputs, 3, 1, padding]);
    }
}
