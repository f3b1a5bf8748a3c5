//! The GPU's kernels, run on the CPU, against the CPU's own layers.

mod emulator;
mod sampling;

use candle_core::{Device, Result, Tensor, Var};

use super::{assert_close, numbers, values, with_gradients};
use crate::batch_norm::gpu as batch_norm;
use crate::convolution::{Filter, pack, unpack};
use crate::dims::Dims;
use crate::gpu::{Address, Element, Machine};
use crate::optimiser::{Rule, Update, gpu as optimiser};
use crate::pooling::Windows;
use crate::pooling::gpu as pooling;
use crate::{affine, global_average_pool, max_pool2d};
use emulator::{Array, Bf16, Emulator, Number};

/// Relative to the largest magnitude: both sides round in float32, their sums in different orders.
const TOLERANCE: f32 = 1e-5;
/// Of results in bfloat16, which have 8 bits: half of the last one.
const TOLERANCE_BF16: f32 = 1.0 / 256.0;

/// The nearest numbers towards zero that bfloat16 can hold, so that both sides start from the same.
fn coarsened(x: &Tensor) -> Tensor {
    let values = values(x)
        .into_iter()
        .map(|v| f32::from_bits(v.to_bits() & 0xFFFF_0000))
        .collect();
    tensor(values, x)
}

fn coarse(shape: &[usize], seed: u64) -> Tensor {
    coarsened(&numbers(shape, seed))
}

fn tensor(values: Vec<f32>, like: &Tensor) -> Tensor {
    Tensor::from_vec(values, like.shape(), &Device::Cpu).unwrap()
}

/// One array, as a tensor of the expected one's shape, against it.
#[track_caller]
fn compare<T: Number>(found: &Array<T>, expected: &Tensor, tolerance: f32, what: &str) -> Vec<u32> {
    let found = found.values();
    assert_close(&tensor(found.clone(), expected), expected, tolerance, what);
    found.into_iter().map(f32::to_bits).collect()
}

/// What `run` returns has the same bits whatever the order of threads.
#[track_caller]
fn on_both(run: impl Fn(&Emulator) -> Vec<Vec<u32>>) {
    let found: Vec<_> = Emulator::both().iter().map(run).collect();
    for pair in found.windows(2) {
        assert!(pair[0] == pair[1], "the result depends on the order of threads");
    }
}

/// Channels that fill no block or several, with and without wide loads; one pixel, few, and more than one block sums up.
const SHAPES: [[usize; 4]; 8] = [
    [1, 1, 1, 1],
    [2, 3, 5, 3],
    [1, 4, 4, 32],
    [3, 7, 7, 33],
    [2, 1, 9, 70],
    [5, 16, 16, 8],
    [2, 37, 29, 16],
    [1, 5, 3, 264],
];

/// Batch norm in training and scale and shift alone, every combination of residual and ReLU, of one gradient of the result and of two:
/// statistics, running ones, result and gradients.
fn check_batch_norm<T: Number>(element: Element, tolerance: f32) {
    for shape in SHAPES {
        // A mean far from zero, as a wrong order of subtractions would show.
        let x = Var::from_tensor(&coarsened(&(numbers(&shape, 1) + 2.0).unwrap())).unwrap();
        let residual = Var::from_tensor(&coarse(&shape, 2)).unwrap();
        let channels = shape[3];
        let scale = Var::from_tensor(&numbers(&[channels], 3)).unwrap();
        let shift = Var::from_tensor(&numbers(&[channels], 4)).unwrap();
        let weights = [coarse(&shape, 5), coarse(&shape, 8)];
        let running = [6, 7].map(|seed| Var::from_tensor(&numbers(&[channels], seed)).unwrap());
        let before = running.each_ref().map(|running| values(running));
        let statistics = crate::moving_statistics(&x, running.each_ref(), 0.1).unwrap();
        for (of_batch, with_residual, relu, twice) in combinations() {
            if of_batch && shape == [1; 4] {
                // A single value has no gradient: what is left of it is rounding.
                continue;
            }
            let what = format!("{shape:?}, batch {of_batch}, residual {with_residual}, relu {relu}, twice {twice}");
            let other = with_residual.then_some(residual.as_tensor());
            let y = match of_batch {
                true => crate::batch_norm(&x, &scale, &shift, &statistics, 1e-5, other, relu),
                false => affine(&x, &scale, &shift, other, relu),
            }
            .unwrap();
            let weight = if twice {
                (&weights[0] + &weights[1]).unwrap()
            } else {
                weights[0].clone()
            };
            let gradients = (&y * &weight).unwrap().sum_all().unwrap().backward().unwrap();
            let gradient = |var: &Var| gradients.get(var.as_tensor()).unwrap().clone();
            on_both(|machine| {
                let dims = Dims::of(&x, "test").unwrap();
                let len = dims.elements();
                let array = |tensor: &Tensor| Array::<T>::of(&values(tensor));
                let (x_, r_, g_) = (array(&x), array(&residual), weights.each_ref().map(array));
                let parameters = [&scale, &shift].map(|var| Array::<f32>::of(&values(var)));
                let running_ = before.each_ref().map(|values| Array::<f32>::of(values));
                let of_channels = || Array::<f32>::unwritten(channels);
                let (mean, variance, of_scale, of_shift) = (of_channels(), of_channels(), of_channels(), of_channels());
                let of_array = || Array::<T>::unwritten(len);
                let (y_, of_x, before_relu) = (of_array(), of_array(), of_array());
                let moments = [mean.address(), variance.address()];
                let [of_mean, of_variance] = if of_batch { moments } else { [Address::NONE; 2] };
                let layer = batch_norm::Layer {
                    dims,
                    element,
                    mean: of_mean,
                    variance: of_variance,
                    epsilon: 1e-5,
                    scale: parameters[0].address(),
                    shift: parameters[1].address(),
                    residual: if with_residual { r_.address() } else { Address::NONE },
                    relu,
                };
                let masks = twice || (with_residual && relu);
                let moving = batch_norm::Running {
                    mean: running_[0].address(),
                    variance: running_[1].address(),
                    momentum: 0.1,
                };
                // SAFETY: arrays of these types and sizes.
                unsafe {
                    batch_norm::statistics(machine, dims, element, x_.address(), moments, Some(moving)).unwrap();
                    layer.forward(machine, x_.address(), y_.address()).unwrap();
                    let of = batch_norm::Gradients {
                        x: x_.address(),
                        of_result: [g_[0].address(), if twice { g_[1].address() } else { Address::NONE }],
                        of_x: of_x.address(),
                        before_relu: if masks { before_relu.address() } else { Address::NONE },
                        of_scale: of_scale.address(),
                        of_shift: of_shift.address(),
                    };
                    layer.backward(machine, of).unwrap();
                }
                let exactly = |found, expected: &Tensor, name: &str| {
                    compare(found, expected, TOLERANCE, &format!("{what}: {name}"))
                };
                let coarsely = |found, expected: &Tensor, name: &str| {
                    compare(found, expected, tolerance, &format!("{what}: {name}"))
                };
                let mut bits = vec![
                    exactly(&mean, &statistics.mean, "mean"),
                    exactly(&variance, &statistics.variance, "variance"),
                    exactly(&running_[0], &running[0], "running mean"),
                    exactly(&running_[1], &running[1], "running variance"),
                    coarsely(&y_, &y, "result"),
                    compare(&of_scale, &gradient(&scale), tolerance, &format!("{what}: of scale")),
                    compare(&of_shift, &gradient(&shift), tolerance, &format!("{what}: of shift")),
                    // The sum of two gradients is rounded before it is used.
                    compare(
                        &of_x,
                        &gradient(&x),
                        if twice { 2.0 * tolerance } else { tolerance },
                        &format!("{what}: of x"),
                    ),
                ];
                if with_residual && relu {
                    bits.push(coarsely(&before_relu, &gradient(&residual), "of residual"));
                }
                bits
            });
        }
    }
}

fn combinations() -> impl Iterator<Item = (bool, bool, bool, bool)> {
    (0..16).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0, bits & 8 != 0))
}

#[test]
fn batch_norm_is_the_cpus() {
    check_batch_norm::<f32>(Element::F32, TOLERANCE);
}

#[test]
fn batch_norm_in_bf16_is_the_cpus() {
    check_batch_norm::<Bf16>(Element::Bf16, TOLERANCE_BF16);
}

fn check_pooling<T: Number>(element: Element, tolerance: f32) {
    for shape in SHAPES {
        let x = Var::from_tensor(&coarse(&shape, 1)).unwrap();
        let dims = Dims::of(&x, "test").unwrap();
        let expected = with_gradients(&[&x], || global_average_pool(&x));
        on_both(|machine| {
            let (x_, y) = (
                Array::<T>::of(&values(&x)),
                Array::<f32>::unwritten(shape[0] * shape[3]),
            );
            let gradient = Array::<f32>::of(&values(&numbers(expected[0].dims(), 99)));
            let of_x = Array::<T>::unwritten(dims.elements());
            // SAFETY: arrays of these types and sizes.
            unsafe {
                pooling::average(machine, dims, element, x_.address(), y.address()).unwrap();
                pooling::average_gradient(machine, dims, element, gradient.address(), of_x.address()).unwrap();
            }
            vec![
                compare(&y, &expected[0], TOLERANCE, &format!("average of {shape:?}")),
                compare(
                    &of_x,
                    &expected[1],
                    tolerance,
                    &format!("gradient of the average of {shape:?}"),
                ),
            ]
        });
    }
    for (shape, [kernel, stride, padding]) in [
        ([2, 9, 8, 5], [3, 2, 1]),
        ([1, 16, 17, 33], [3, 2, 1]),
        ([2, 6, 7, 4], [2, 2, 0]),
        ([1, 7, 9, 3], [3, 1, 1]),
        ([2, 5, 5, 40], [3, 3, 0]),
    ] {
        // Few different values, for ties.
        let x = (coarse(&shape, 1) * 4.0).unwrap().round().unwrap();
        let x = Var::from_tensor(&x).unwrap();
        let weights = {
            let y = max_pool2d(&x, kernel, stride, padding).unwrap();
            coarse(y.dims(), 5)
        };
        let y = max_pool2d(&x, kernel, stride, padding).unwrap();
        let gradients = (&y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        on_both(|machine| {
            let (x_, g_) = (Array::<T>::of(&values(&x)), Array::<T>::of(&values(&weights)));
            let (y_, of_x) = (
                Array::<T>::unwritten(y.elem_count()),
                Array::<T>::unwritten(x.elem_count()),
            );
            let windows = Windows::new(Dims::of(&x, "test").unwrap(), kernel, stride, padding, "test").unwrap();
            // SAFETY: arrays of these types and sizes.
            unsafe {
                pooling::maximum(machine, windows, element, x_.address(), y_.address()).unwrap();
                let addresses = [x_.address(), g_.address(), of_x.address()];
                pooling::maximum_gradient(machine, windows, element, addresses).unwrap();
            }
            let what = format!("maximum of {shape:?}, {kernel}, {stride}, {padding}");
            let expected = gradients.get(x.as_tensor()).unwrap();
            vec![compare(&y_, &y, 0.0, &what), compare(&of_x, expected, tolerance, &what)]
        });
    }
}

#[test]
fn pooling_is_the_cpus() {
    check_pooling::<f32>(Element::F32, TOLERANCE);
    check_pooling::<Bf16>(Element::Bf16, TOLERANCE_BF16);
}

fn check_weights<T: Number>(element: Element) {
    for [outputs, inputs, side] in [[1, 1, 1], [5, 3, 7], [4, 33, 3], [40, 64, 1]] {
        let filter = Filter {
            outputs,
            inputs,
            height: side,
            width: side,
        };
        let weight = coarse(&[outputs, inputs, side, side], 1);
        let expected = weight.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        on_both(|machine| {
            let from = Array::<f32>::of(&values(&weight));
            let packed = Array::<T>::unwritten(weight.elem_count());
            let back = Array::<f32>::unwritten(weight.elem_count());
            // SAFETY: arrays of these types and sizes.
            unsafe {
                pack(filter, machine, element, from.address(), packed.address()).unwrap();
                unpack(filter, machine, element, packed.address(), back.address()).unwrap();
            }
            vec![
                compare(&packed, &expected, 0.0, "packed"),
                compare(&back, &weight, 0.0, "unpacked"),
            ]
        });
    }
}

#[test]
fn weights_are_rearranged() {
    check_weights::<f32>(Element::F32);
    check_weights::<Bf16>(Element::Bf16);
}

/// Ties, both neighbours, the largest number, infinity and what is no number.
#[test]
fn rounding_to_bfloat16_is_to_nearest_even() -> Result<()> {
    let cases = [
        (1.0, 0x3F80),
        (1.0 + 1.0 / 256.0, 0x3F80),
        (1.0 + 3.0 / 256.0, 0x3F82),
        (1.0 + 1.1 / 256.0, 0x3F81),
        (-1.0 - 3.0 / 256.0, 0xBF82),
        (f32::MAX, 0x7F80),
        (f32::NEG_INFINITY, 0xFF80),
        (0.0, 0),
    ];
    for machine in Emulator::both() {
        let from = Array::<f32>::of(&cases.map(|(value, _)| value));
        let to = Array::<Bf16>::unwritten(cases.len());
        let filter = |inputs| Filter {
            outputs: 1,
            inputs,
            height: 1,
            width: 1,
        };
        // SAFETY: arrays of these types and sizes.
        unsafe {
            pack(
                filter(cases.len()),
                &machine,
                Element::Bf16,
                from.address(),
                to.address(),
            )?
        };
        let found = to.values().into_iter().map(|value| value.to_bits() >> 16);
        assert!(found.eq(cases.map(|(_, bits)| bits)), "{:?}", to.values());
        let nan = Array::<f32>::of(&[f32::from_bits(0x7FFF_FFFF)]);
        let to = Array::<Bf16>::unwritten(1);
        // SAFETY: as above.
        unsafe { pack(filter(1), &machine, Element::Bf16, nan.address(), to.address())? };
        assert!(to.values()[0].is_nan());
    }
    Ok(())
}

/// Three steps of every rule on parameters of less than a chunk, a whole one, and more than one, of which one decays.
#[test]
fn optimiser_steps_are_the_cpus() {
    let sizes = [1_usize, 4096, 10_001];
    let adam = |decoupled| Rule::Adam {
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        decoupled,
    };
    let rms_prop = Rule::RmsProp {
        alpha: 0.99,
        epsilon: 1e-8,
        momentum: 0.0,
    };
    for rule in [Rule::Sgd { momentum: 0.9 }, rms_prop, adam(false), adam(true)] {
        let update = |decay: f64, step: u64| Update::new(rule, 0.01, decay, step);
        let decay = |i: usize| if i == 1 { 0.1 } else { 0.0 };
        let both = rule.memory().len() == 2;
        let start = |i: usize| values(&numbers(&[sizes[i]], i as u64 + 1));
        let gradient = |i: usize, step: u64| values(&numbers(&[sizes[i]], 10 * step + i as u64));
        let expected: Vec<[Vec<f32>; 3]> = (0..sizes.len())
            .map(|i| {
                let mut parameter = start(i);
                let mut memory = [vec![0.0; sizes[i]], vec![0.0; if both { sizes[i] } else { 0 }]];
                for step in 1..=3 {
                    update(decay(i), step).apply(&mut parameter, &gradient(i, step), &mut memory);
                }
                let [first, second] = memory;
                [parameter, first, second]
            })
            .collect();
        on_both(|machine| {
            let state: Vec<[Array<f32>; 3]> = (0..sizes.len())
                .map(|i| {
                    let zeros = vec![0.0; sizes[i]];
                    [
                        Array::of(&start(i)),
                        Array::of(&zeros),
                        Array::of(&zeros[..if both { sizes[i] } else { 0 }]),
                    ]
                })
                .collect();
            for number in 1..=3 {
                let gradients: Vec<Array<f32>> = (0..sizes.len()).map(|i| Array::of(&gradient(i, number))).collect();
                let mut step = optimiser::Step::default();
                for (i, ([parameter, first, second], gradient)) in state.iter().zip(&gradients).enumerate() {
                    let second = if both { second.address() } else { Address::NONE };
                    let addresses = [parameter.address(), gradient.address(), first.address(), second];
                    step.add(&update(decay(i), number), sizes[i], addresses).unwrap();
                }
                let table = Address(step.table().as_ptr() as u64);
                // SAFETY: arrays of these sizes.
                unsafe { step.run(machine, &update(0.0, number), table).unwrap() };
            }
            let mut bits = Vec::new();
            for (i, (found, expected)) in state.iter().zip(&expected).enumerate() {
                for (kind, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let expected = Tensor::from_slice(expected, expected.len(), &Device::Cpu).unwrap();
                    bits.push(compare(found, &expected, TOLERANCE, &format!("{rule:?}, {i}, {kind}")));
                }
            }
            bits
        });
    }
}

/// What cannot be counted in 32 bits is refused, not started.
#[test]
fn too_much_at_once_is_refused() {
    let dims = |images| Dims {
        images,
        height: 1,
        width: 1,
        channels: 1,
    };
    for machine in Emulator::both() {
        // SAFETY: refused before anything is touched.
        let found = unsafe { pooling::average(&machine, dims(1 << 16), Element::F32, Address::NONE, Address::NONE) };
        assert!(found.unwrap_err().to_string().contains("fewer than 2^16 images"));
        let nothing = [Address::NONE; 2];
        // SAFETY: as above.
        let found =
            unsafe { batch_norm::statistics(&machine, dims(1 << 33), Element::F32, Address::NONE, nothing, None) };
        assert!(found.unwrap_err().to_string().contains("fewer than 2^31 pixels"));
        assert!(machine.scratch(3).unwrap().0.iter().all(|value| value.is_nan()));
    }
}
