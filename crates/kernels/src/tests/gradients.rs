//! Gradients against central differences.

use super::{numbers, values, variable};
use crate::{Precision, Tape, affine, batch_norm, batch_statistics, conv2d, global_average_pool, max_pool2d};
use candle_core::{DType, Device, Result, Tensor, Var};

/// Compares the gradient of `loss = sum(weights * layer)` with `(loss(x + h) - loss(x - h)) / 2 h` for every element
/// of every variable.
///
/// The outputs are float32 of order 1, so a difference of two losses is off by about 1e-6 for each output that
/// changes, and the quotient by 1e-6 / h: 1e-5 at h = 0.1 and 1e-4 at h = 0.01, times a few. Where the layer is not
/// linear in the variable the difference is off by h^2 times the third derivative, too.
#[track_caller]
fn check(variables: &[&Var], h: f32, tolerance: f64, layer: impl Fn() -> Result<Tensor>) {
    let output = layer().unwrap();
    let weights = numbers(output.dims(), 99);
    let gradients = (&output * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let loss = || -> f64 {
        let (y, w) = (values(&layer().unwrap()), values(&weights));
        y.iter().zip(&w).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum()
    };
    for (v, variable) in variables.iter().enumerate() {
        let gradient = values(
            gradients
                .get(variable.as_tensor())
                .expect("a gradient for each variable"),
        );
        let original = values(variable);
        for i in 0..original.len() {
            let shifted = |by: f32| {
                let mut moved = original.clone();
                moved[i] += by;
                let moved = Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap();
                variable.set(&moved).unwrap();
                loss()
            };
            let expected = (shifted(h) - shifted(-h)) / (2.0 * f64::from(h));
            shifted(0.0);
            let found = f64::from(gradient[i]);
            let bound = tolerance * expected.abs().max(1.0);
            assert!(
                (found - expected).abs() <= bound,
                "variable {v}, element {i}: {found}, by differences {expected}"
            );
        }
    }
}

#[test]
fn of_convolution() {
    for ([h, w, inputs, outputs], [kernel, stride, padding]) in [
        ([5, 4, 3, 5], [3, 1, 1]),
        ([6, 5, 2, 17], [3, 2, 1]),
        ([5, 5, 4, 3], [1, 2, 0]),
        ([8, 7, 3, 2], [7, 2, 3]),
        ([3, 3, 18, 2], [1, 1, 0]),
    ] {
        let x = variable(&[2, h, w, inputs], 1);
        let weight = variable(&[outputs, inputs, kernel, kernel], 2);
        // Linear in each variable: a large step is exact but for rounding.
        check(&[&x, &weight], 0.5, 2e-5, || conv2d(&x, &weight, stride, padding));
    }
}

#[test]
fn of_batch_norm() {
    let x = variable(&[2, 3, 4, 5], 1);
    let (gamma, beta) = (variable(&[5], 2), variable(&[5], 3));
    let residual = variable(&[2, 3, 4, 5], 4);
    let normalise = |residual: Option<&Tensor>, relu: bool| {
        batch_norm(&x, &gamma, &beta, &batch_statistics(&x)?, 1e-5, residual, relu)
    };
    check(&[&x, &gamma, &beta], 1e-2, 2e-3, || normalise(None, false));
    check(&[&x, &gamma, &beta, &residual], 1e-2, 2e-3, || {
        normalise(Some(&residual), false)
    });
    // Away from the kink: some sums are above 1 and some below -1, none between.
    let residual = (residual.sign().unwrap() * 5.0).unwrap();
    let residual = Var::from_tensor(&residual).unwrap();
    check(&[&x, &gamma, &beta, &residual], 1e-2, 2e-3, || {
        normalise(Some(&residual), true)
    });
}

/// On a tape a layer keeps its input as it was given, such as images whose channels come first.
#[test]
fn of_views_on_a_tape() {
    let view = numbers(&[2, 3, 6, 5], 1).permute((0, 2, 3, 1)).unwrap();
    let copy = view.force_contiguous().unwrap();
    let weight = variable(&[4, 3, 3, 3], 2);
    let (gamma, beta) = (variable(&[3], 3), variable(&[3], 4));
    type Layer<'a> = &'a dyn Fn(&Tape, &Tensor) -> Result<Tensor>;
    let layers: [Layer<'_>; 4] = [
        &|tape, x| tape.conv2d(x, &weight, 1, 1),
        &|tape, x| tape.batch_norm(x, &gamma, &beta, &batch_statistics(x)?, 1e-5, Some(x), true),
        &|tape, x| tape.max_pool2d(x, 3, 2, 1),
        &|tape, x| tape.global_average_pool(x),
    ];
    for layer in layers {
        let gradients = |x: &Tensor| {
            let tape = Tape::new(Precision::Float32, true);
            let of_result = numbers(layer(&tape, x).unwrap().dims(), 99);
            let mut found = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap().backward().unwrap();
            tape.backward(of_result, &mut found).unwrap();
            [&weight, &gamma, &beta].map(|variable| found.get(variable).map(values))
        };
        assert_eq!(gradients(&view), gradients(&copy));
    }
}

#[test]
fn of_affine() {
    let x = variable(&[2, 3, 2, 18], 1);
    let (scale, shift) = (variable(&[18], 2), variable(&[18], 3));
    let residual = variable(&[2, 3, 2, 18], 4);
    check(&[&x, &scale, &shift, &residual], 0.1, 1e-4, || {
        affine(&x, &scale, &shift, Some(&residual), false)
    });
    let residual = Var::from_tensor(&(residual.sign().unwrap() * 5.0).unwrap()).unwrap();
    check(&[&x, &scale, &shift, &residual], 0.1, 1e-4, || {
        affine(&x, &scale, &shift, Some(&residual), true)
    });
}

#[test]
fn of_pooling() {
    // All values differ by more than two steps: no maximum changes hands.
    let mut distinct: Vec<f32> = (0..2 * 5 * 6 * 3).map(|i| ((i * 77) % 180) as f32 / 10.0).collect();
    distinct.rotate_left(5);
    let x = Var::from_vec(distinct, (2, 5, 6, 3), &Device::Cpu).unwrap();
    check(&[&x], 0.03, 1e-3, || max_pool2d(&x, 3, 2, 1));
    check(&[&x], 0.03, 1e-3, || max_pool2d(&x, 2, 2, 0));
    check(&[&x], 0.03, 1e-3, || global_average_pool(&x));
}
