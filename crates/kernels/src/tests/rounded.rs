//! Convolutions of factors rounded to bfloat16, in every way that this processor has, against float32's of rounded numbers.

use super::agreement::CONVOLUTIONS;
use super::{assert_all_close, numbers, with_both_gradients};
use crate::convolution::Convolution;
use crate::simd::{Bf16, InstructionSet};
use candle_core::{CustomOp2, DType, Tensor, Var};
use proptest::prelude::*;

/// Products of two bfloat16 numbers are float32 numbers, so only the order of the sums differs.
const TOLERANCE: f32 = 1e-5;

fn rounded(x: &Tensor) -> Tensor {
    x.to_dtype(DType::BF16).unwrap().to_dtype(DType::F32).unwrap()
}

/// `[n, h, w, cin]`, `[cout, kernel, stride, padding]`.
fn check(x: [usize; 4], [outputs, kernel, stride, padding]: [usize; 4]) {
    let what = format!("{x:?} -> {outputs}, kernel {kernel}, stride {stride}, padding {padding}");
    let (input, weight) = (numbers(&x, 1), numbers(&[outputs, x[3], kernel, kernel], 2));
    let all = |input: &Tensor, weight: &Tensor, gradient: fn(&Tensor) -> Tensor, way: Option<Bf16>| {
        let op = Convolution::new(input, weight, stride, padding, InstructionSet::detect()).unwrap();
        let op = way.map_or(op, |way| op.rounded(way));
        with_both_gradients(op, input, weight, gradient)
    };
    let expected = all(&rounded(&input), &rounded(&weight), rounded, None);
    for way in Bf16::supported() {
        let found = all(&input, &weight, Tensor::clone, Some(way));
        assert_all_close(&found, &expected, TOLERANCE, &format!("{what}, {way:?}"));
    }
}

#[test]
fn factors_are_rounded_and_nothing_else() {
    for (x, layer) in CONVOLUTIONS {
        check(x, layer);
    }
    // Rows of 12 and 14 pixels, which are tiles of their own, in several tasks; and runs of whole tiles, read where they are.
    for (x, layer) in [
        ([3, 14, 14, 32], [64, 3, 1, 1]),
        ([3, 12, 12, 64], [48, 3, 1, 1]),
        ([2, 28, 28, 64], [64, 1, 1, 0]),
        ([2, 28, 28, 64], [96, 3, 2, 1]),
    ] {
        check(x, layer);
    }
}

/// In any number of threads.
#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let (x, weight) = (numbers(&[7, 9, 9, 32], 1), numbers(&[160, 32, 3, 3], 2));
    for way in Bf16::supported() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (x, weight) = (Var::from_tensor(&x).unwrap(), Var::from_tensor(&weight).unwrap());
                let op = Convolution::new(&x, &weight, 2, 1, InstructionSet::detect())
                    .unwrap()
                    .rounded(way);
                let y = op.apply(&x, &weight).unwrap();
                let (of_x, of_weight) = op.bwd(&x, &weight, &y, &numbers(y.dims(), 3)).unwrap();
                super::bits(&[y, of_x.unwrap(), of_weight.unwrap()])
            })
        };
        let expected = run(1);
        for threads in [2, 16, 64] {
            assert!(run(threads) == expected, "{way:?}, {threads} threads");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn factors_are_rounded_and_nothing_else_on_any_shape(
        (n, h, w) in (1usize..4, 1usize..20, 1usize..20),
        (inputs, outputs) in (1usize..70, 1usize..70),
        (kernel, stride, padding) in (1usize..5, 1usize..4, 0usize..3),
    ) {
        prop_assume!(h.min(w) + 2 * padding >= kernel);
        check([n, h, w, inputs], [outputs, kernel, stride, padding]);
    }
}
