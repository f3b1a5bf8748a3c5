//! Gradients inside the network, against finite differences and the network's own scores.

use candle_core::{Device, Tensor, Var};
use model::{Architecture, InputNormalisation, Mode, Network};

/// Values in [0, 1) without order, the same in every run.
fn noise(shape: &[usize]) -> Tensor {
    let value = |i: usize| ((i as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0) as f32;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn network(name: &str) -> Network {
    let architecture = Architecture::preset(name).unwrap().with_width(4);
    let network = Network::new(&architecture, 5, 3, &Device::Cpu).unwrap();
    // Fresh batch norms have no bias: give every vector (biases, scales, running statistics) values of its own.
    let mut tensors = network.named_tensors();
    for (name, tensor) in &mut tensors {
        if tensor.dims().len() == 1 && name != "fc.bias" {
            let noise = (noise(tensor.dims()) + 0.5).unwrap();
            *tensor = if name.ends_with("bias") || name.ends_with("mean") {
                (noise - 1.0).unwrap()
            } else {
                noise
            };
        }
    }
    Network::from_tensors(&architecture, 5, tensors, &Device::Cpu).unwrap()
}

fn images(count: usize) -> Tensor {
    noise(&[count, 3, 64, 64])
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// Central differences along a random direction at every inner stage.
#[test]
fn gradients_are_finite_differences() {
    let network = network("resnet18");
    for layer in ["layer1", "layer2", "layer3", "layer4"] {
        let activations = network.activations(&images(2), layer, Mode::Eval).unwrap();
        let attributes = [4, 1];
        let gradients = network.gradients(layer, &activations, &attributes).unwrap();
        let direction = noise(activations.dims()).affine(2.0, -1.0).unwrap();
        // Small, because every ReLU that changes its side in between is an error of the difference.
        let step = 1e-4;
        let moved = |sign: f64| {
            let moved = (&activations + (&direction * (sign * step)).unwrap()).unwrap();
            let logits = network.forward_from(layer, &moved, Mode::Eval).unwrap().logits;
            logits.to_vec2::<f32>().unwrap()
        };
        assert!(
            values(&gradients).iter().any(|value| value.abs() > 1e-3),
            "{layer}: a dead network"
        );
        let (up, down) = (moved(1.0), moved(-1.0));
        for image in 0..2 {
            for (k, &attribute) in attributes.iter().enumerate() {
                let gradient = gradients.get(image).unwrap().get(k).unwrap();
                let found = (gradient * direction.get(image).unwrap()).unwrap().sum_all().unwrap();
                let found = found.to_scalar::<f32>().unwrap();
                let expected = (up[image][attribute] - down[image][attribute]) / (2.0 * step as f32);
                // The size of a derivative along a random direction. ReLUs that change their side within a step keep the
                // difference some per cent of it from the gradient; a wrong gradient is off by about the whole.
                let norm = |x: Tensor| x.sqr().unwrap().sum_all().unwrap().sqrt().unwrap();
                let size = norm(gradients.get(image).unwrap().get(k).unwrap())
                    .to_scalar::<f32>()
                    .unwrap();
                let off = (found - expected).abs() / (size / 3.0_f32.sqrt());
                assert!(off < 0.1, "{layer} {image} {attribute}: {found} {expected}");
            }
        }
    }
}

#[test]
fn many_rows_are_few_in_pieces() {
    let network = network("resnet18");
    let activations = network.activations(&images(40), "layer3", Mode::Eval).unwrap();
    let all = network.gradients("layer3", &activations, &[0, 3]).unwrap();
    let last = network
        .gradients("layer3", &activations.narrow(0, 39, 1).unwrap(), &[3])
        .unwrap();
    assert_eq!(values(&all.get(39).unwrap().get(1).unwrap()), values(&last));
}

/// z = input part + bias parts + head's bias, to the rounding of float32 sums: 1e-4 of the parts' sizes.
#[test]
fn the_decomposition_is_complete() {
    let normalisation = InputNormalisation {
        mean: [0.4, 0.5, 0.6],
        deviation: [0.3, 0.25, 0.2],
    };
    for (name, normalisation) in [
        ("resnet18", None),
        ("resnet18", Some(normalisation)),
        ("resnet50", None),
    ] {
        let network = network(name).with_normalisation(normalisation);
        let images = images(2);
        let attributes = [0, 4];
        let parts = network.decompose(&images, &attributes).unwrap();
        let convolutions = if name == "resnet18" { 20 } else { 53 };
        assert_eq!(parts.biases.len(), convolutions);
        let logits = network
            .forward(&images, Mode::Eval)
            .unwrap()
            .logits
            .to_vec2::<f32>()
            .unwrap();
        let head = values(&network.head().bias);
        for (image, logits) in logits.iter().enumerate() {
            for (k, &attribute) in attributes.iter().enumerate() {
                let of = |gradient: &Tensor, by: &Tensor| -> f64 {
                    let product = gradient.get(image).unwrap().get(k).unwrap().broadcast_mul(by).unwrap();
                    values(&product).into_iter().map(f64::from).sum()
                };
                let input = of(&parts.input_gradient, &parts.input.get(image).unwrap());
                let biases: Vec<f64> = parts.biases.iter().map(|one| of(&one.gradient, &one.bias)).collect();
                let size: f64 = input.abs() + biases.iter().map(|one| one.abs()).sum::<f64>();
                let sum = input + biases.iter().sum::<f64>() + f64::from(head[attribute]);
                let z = f64::from(logits[attribute]);
                assert!(
                    (sum - z).abs() < 1e-4 * size + 1e-6 * z.abs(),
                    "{name}: {sum} {z} of {size}"
                );
                assert!(size - input.abs() > 0.1 * size, "{biases:?}");
            }
        }
    }
}

#[test]
fn what_does_not_exist_is_named() {
    let network = network("resnet18");
    let activations = network.activations(&images(1), "layer4", Mode::Eval).unwrap();
    let message = network.gradients("layer4", &activations, &[5]).unwrap_err().to_string();
    assert_eq!(message, "attribute: 5, expected less than 5, the network's outputs");
    let message = network.gradients("stage5", &activations, &[0]).unwrap_err().to_string();
    assert!(message.contains("known: stage1, stage2, stage3, stage4"), "{message}");
    assert!(network.decompose(&images(1), &[]).is_err());
}

/// Within 1e-5 of the largest: the order of float32 sums, and a scale that is multiplied into the weights.
#[track_caller]
fn assert_same(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= 1e-5 * largest,
            "{what}: {found} {expected} of {largest}"
        );
    }
}

/// By candle: the gradient by the input of a scalar that is made of the network's results.
fn by_candle(input: &Tensor, scalar: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>) -> Tensor {
    let input = Var::from_tensor(input).unwrap();
    let store = scalar(&input).unwrap().backward().unwrap();
    store.get(&input).unwrap().clone()
}

#[test]
fn gradients_of_rows_by_the_image_are_candles() {
    for name in ["resnet18", "resnet50"] {
        let network = network(name);
        let input = images(2);
        // Three rows of each image, by one forward pass.
        let attributes = [0, 4, 2, 1, 1, 3];
        let found = network.logit_gradients(&input, &attributes).unwrap();
        let logits = network
            .forward(&input, Mode::Eval)
            .unwrap()
            .logits
            .to_vec2::<f32>()
            .unwrap();
        let cells = [[0, 0], [3, 2], [7, 7], [1, 5], [4, 4], [4, 4]];
        let of_cells = network.cell_gradients(&input, "stage2", &cells).unwrap();
        let mut live = 0;
        for row in 0..6 {
            let image = input.narrow(0, row / 3, 1).unwrap();
            let expected = by_candle(&image, |x| {
                let logits = network.forward(x, Mode::Eval).map_err(candle_core::Error::wrap)?.logits;
                logits.narrow(1, attributes[row], 1)?.sum_all()
            });
            assert_same(&found.gradients.narrow(0, row, 1).unwrap(), &expected, name);
            assert!((values(&found.values)[row] - logits[row / 3][attributes[row]]).abs() < 1e-5);
            let [y, x] = cells[row];
            let cell = |input: &Tensor| {
                let a = network
                    .activations(input, "stage2", Mode::Eval)
                    .map_err(candle_core::Error::wrap)?;
                a.narrow(2, y, 1)?.narrow(3, x, 1)?.abs()?.sum_all()
            };
            let expected = by_candle(&image, cell);
            assert_same(&of_cells.gradients.narrow(0, row, 1).unwrap(), &expected, name);
            let expected = cell(&image).unwrap().to_scalar::<f32>().unwrap();
            assert!(
                (values(&of_cells.values)[row] - expected).abs() <= 1e-4 * expected,
                "{name}"
            );
            live += usize::from(expected > 0.0);
        }
        assert!(live >= 4, "{name}: {live} of 6 cells hold something");
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let network = network("resnet18");
    let input = images(2);
    for attributes in [&[][..], &[1], &[1, 2, 3], &[1, 5]] {
        assert!(network.logit_gradients(&input, attributes).is_err(), "{attributes:?}");
    }
    let message = network
        .cell_gradients(&input, "stage2", &[[8, 0], [0, 0]])
        .unwrap_err()
        .to_string();
    assert_eq!(message, "cell: 8, 0, expected one of 8 x 8");
    assert!(network.cell_gradients(&input, "stage9", &[[0, 0]; 2]).is_err());
    assert!(
        network
            .logit_gradients(&input.narrow(1, 0, 2).unwrap(), &[0, 1])
            .is_err()
    );
}

/// What was prepared of the weights for the way back is made anew when they change.
#[test]
fn gradients_follow_the_weights() {
    let network = network("resnet18");
    let activations = network.activations(&images(1), "layer3", Mode::Eval).unwrap();
    let gradients = || network.gradients("layer3", &activations, &[0]).unwrap();
    let before = gradients();
    let (_, weight) = network
        .named_parameters()
        .iter()
        .find(|(name, _)| name == "layer4.1.conv2.weight")
        .unwrap();
    weight.set(&(weight.as_tensor() * -1.0).unwrap()).unwrap();
    let after = gradients();
    assert_ne!(values(&before), values(&after));
    let expected = by_candle(&activations, |x| {
        let logits = network
            .forward_from("layer3", x, Mode::Eval)
            .map_err(candle_core::Error::wrap)?
            .logits;
        logits.narrow(1, 0, 1)?.sum_all()
    });
    assert_same(&after.squeeze(1).unwrap(), &expected, "after the change");
}
