//! Many gradients for each image of an evaluated network, against candle's `backward` of the same layers.

use super::{assert_close, numbers, values};
use crate::{InputGradient, affine, conv2d, max_pool2d, max_pool2d_gradient};
use candle_core::{Device, Result, Tensor, Var};

/// The gradient of `sum(of_y * layer(x))` by `x`.
fn expected(x: &Tensor, of_y: &Tensor, layer: impl FnOnce(&Tensor) -> Result<Tensor>) -> Tensor {
    let x = Var::from_tensor(x).unwrap();
    let loss = (layer(&x).unwrap() * of_y).unwrap().sum_all().unwrap();
    loss.backward().unwrap().get(&x).unwrap().clone()
}

#[test]
fn of_convolution_and_scale() {
    for ([h, w, inputs, outputs], [kernel, stride, padding]) in [
        ([5, 4, 3, 5], [3, 1, 1]),
        ([6, 5, 2, 17], [3, 2, 1]),
        ([7, 7, 16, 32], [1, 1, 0]),
        ([7, 6, 16, 33], [1, 2, 0]),
        // Few channels at a stride: all parities as one convolution; the last in a source smaller than the stride.
        ([8, 7, 3, 2], [7, 2, 3]),
        ([16, 16, 3, 20], [7, 2, 3]),
        ([9, 10, 1, 6], [5, 4, 1]),
        ([1, 2, 3, 4], [3, 3, 1]),
        ([5, 6, 2, 3], [1, 2, 0]),
    ] {
        let x = numbers(&[3, h, w, inputs], 1);
        let weight = numbers(&[outputs, inputs, kernel, kernel], 2);
        let (scale, shift) = (numbers(&[outputs], 3), numbers(&[outputs], 4));
        let layer = |x: &Tensor| affine(&conv2d(x, &weight, stride, padding)?, &scale, &shift, None, false);
        let of_y = numbers(layer(&x).unwrap().dims(), 5);
        let transposed = InputGradient::new(&weight, &scale, stride, padding).unwrap();
        let found = transposed.apply(&of_y, [h, w]).unwrap();
        let what = format!("{h} x {w}, {inputs} -> {outputs}, kernel {kernel}, stride {stride}");
        assert_close(&found, &expected(&x, &of_y, layer), 1e-5, &what);
        // Prepared once, for inputs of any size.
        let x = numbers(&[1, h + 3, w + 2, inputs], 6);
        let of_y = numbers(layer(&x).unwrap().dims(), 7);
        let found = transposed.apply(&of_y, [h + 3, w + 2]).unwrap();
        assert_close(&found, &expected(&x, &of_y, layer), 1e-5, &what);
    }
}

#[test]
fn of_maximum_pooling() {
    let (images, each) = (2, 3);
    let x = numbers(&[images, 9, 8, 5], 1);
    let pool = |x: &Tensor| max_pool2d(x, 3, 2, 1);
    let result = pool(&x).unwrap();
    let of_y = numbers(&[images * each, 5, 4, 5], 2);
    let found = max_pool2d_gradient(&x, &result, &of_y, [3, 2, 1]).unwrap();
    for row in 0..images * each {
        let expected = expected(
            &x.narrow(0, row / each, 1).unwrap(),
            &of_y.narrow(0, row, 1).unwrap(),
            pool,
        );
        assert_eq!(
            values(&found.narrow(0, row, 1).unwrap()),
            values(&expected),
            "row {row}"
        );
    }
}

#[test]
fn gradients_of_another_shape_are_refused() {
    let weight = numbers(&[4, 3, 3, 3], 1);
    let transposed = InputGradient::new(&weight, &numbers(&[4], 2), 2, 1).unwrap();
    assert!(transposed.apply(&numbers(&[2, 4, 4, 4], 3), [8, 8]).is_ok());
    for shape in [[2, 4, 4, 3], [2, 5, 4, 4]] {
        assert!(transposed.apply(&numbers(&shape, 3), [8, 8]).is_err(), "{shape:?}");
    }
    assert!(InputGradient::new(&weight, &numbers(&[3], 2), 2, 1).is_err());
    assert!(InputGradient::new(&weight, &numbers(&[4], 2), 0, 1).is_err());
    let x = Tensor::zeros((2, 8, 8, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
    let result = max_pool2d(&x, 3, 2, 1).unwrap();
    assert!(max_pool2d_gradient(&x, &result, &numbers(&[3, 4, 4, 3], 3), [3, 2, 1]).is_err());
    assert!(max_pool2d_gradient(&x, &x, &numbers(&[2, 4, 4, 3], 3), [3, 2, 1]).is_err());
}
