//! Tests of the fast layers, on every instruction set of this machine.

mod agreement;
mod behaviour;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(unix)]
mod gpu;
mod gradients;
#[cfg(any(feature = "cuda", unix))]
mod pixels;
mod rounded;
mod rows;
mod scaling;
mod winograd;

use crate::convolution::Convolution;
use candle_core::{CustomOp2, Device, Result, Tensor, Var};

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
    assert!(scale.is_finite(), "{what}: anything is within a part of infinity");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * scale,
            "{what}[{i}]: {found}, expected {expected}, of at most {scale}"
        );
    }
}

/// Output of a convolution, and its gradients with respect to input and weight.
fn with_both_gradients(
    op: Convolution,
    input: &Tensor,
    weight: &Tensor,
    gradient: fn(&Tensor) -> Tensor,
) -> [Tensor; 3] {
    let (input, weight) = (Var::from_tensor(input).unwrap(), Var::from_tensor(weight).unwrap());
    let y = op.apply(&input, &weight).unwrap();
    let (of_input, of_weight) = op.bwd(&input, &weight, &y, &gradient(&numbers(y.dims(), 3))).unwrap();
    [y, of_input.unwrap(), of_weight.unwrap()]
}

/// Output and gradients of `layer` with respect to `variables`, for a loss that weighs every output differently.
fn with_gradients(variables: &[&Var], layer: impl FnOnce() -> Result<Tensor>) -> Vec<Tensor> {
    let output = layer().unwrap();
    let loss = (&output * numbers(output.dims(), 99)).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    let of = |variable: &&Var| {
        let gradient = gradients.get(variable.as_tensor());
        gradient.expect("a gradient for each variable").clone()
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

/// The bits of all numbers.
fn bits(tensors: &[Tensor]) -> Vec<u32> {
    tensors.iter().flat_map(values).map(f32::to_bits).collect()
}
