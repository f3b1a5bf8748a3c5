//! Every method against pytorch-grad-cam's values in `../shared/fixtures`, closed forms against backpropagation, and bad input.

use std::collections::HashMap;
use std::path::Path;

use cam::{Error, Explainer, ExplainerConfig, FameConfig, Maps, Method, Reference, RiseConfig, Target};
use candle_core::{DType, Device, Tensor, Var};
use model::{Architecture, InputNormalisation, Mode, Network};
use testing::{largest_difference, relative_difference, shared};

fn load(folder: &Path, name: &str) -> HashMap<String, Tensor> {
    model::tensors_from_bytes(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn indices(tensor: &Tensor) -> Vec<usize> {
    let indices = tensor.to_vec1::<i64>().unwrap();
    indices.into_iter().map(|index| index as usize).collect()
}

fn thin18(folder: &Path) -> Network {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(16);
    Network::from_tensors(&architecture, 40, load(folder, "weights.safetensors"), &Device::Cpu).unwrap()
}

fn small() -> (Network, Tensor) {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(4);
    let network = Network::new(&architecture, 3, 5, &Device::Cpu).unwrap();
    (network, Tensor::rand(0_f32, 1.0, (2, 3, 64, 64), &Device::Cpu).unwrap())
}

fn of(method: Method) -> ExplainerConfig {
    ExplainerConfig {
        method,
        ..Default::default()
    }
}

/// The library's name and the largest deviation of raw and final maps that float32 explains: logits and features deviate
/// by 1-2e-6 (2e-6 of their largest value), which differences of logits (Ablation-CAM), small gaps between singular values and
/// the division of a final map by a small maximum enlarge.
const LIBRARY: [(Method, &str, f64, f64); 12] = [
    (Method::GradCam, "gradcam", 1e-5, 1e-4),
    (Method::HiresCam, "hirescam", 1e-5, 1e-4),
    (Method::GradCamPlusPlus, "gradcam++", 1e-5, 1e-4),
    (Method::XGradCam, "xgradcam", 1e-5, 1e-4),
    (Method::LayerCam, "layercam", 1e-5, 1e-4),
    (Method::GradCamElementwise, "gradcam_elementwise", 1e-5, 1e-4),
    (Method::EigenCam, "eigencam", 1e-4, 2e-4),
    (Method::EigenGradCam, "eigengradcam", 2e-4, 5e-4),
    (Method::ShapleyCam, "shapleycam", 1e-5, 1e-4),
    (Method::ScoreCam, "scorecam", 1e-5, 1e-4),
    (Method::AblationCam, "ablationcam", 1e-4, 2e-4),
    (Method::FullGrad, "fullgrad", 0.0, 1e-4),
];

/// On a larger network than `parity.rs` has; without `../shared/fixtures` this test says so and passes.
#[test]
fn every_method_is_the_librarys() {
    let Some(folder) = shared("fixtures") else { return };
    let network = thin18(&folder);
    let tensors = load(&folder, "expected_cam.safetensors");
    let images = &load(&folder, "inputs.safetensors")["images"];
    let chosen_images = indices(&tensors["final/image_indices"]);
    let chosen = indices(&tensors["final/attribute_indices"]);
    let some = images.narrow(0, 0, chosen_images.len()).unwrap();
    assert_eq!(chosen_images, (0..chosen_images.len()).collect::<Vec<_>>());
    let evidence = floats(&tensors["hirescam/raw"]);
    for (method, name, raw_tolerance, final_tolerance) in LIBRARY {
        let explainer = Explainer::new(&network, of(method)).unwrap();
        let maps = explainer.explain(&some, &chosen, None).unwrap().maps;
        // A singular vector has no sign. Ours is that of the target's evidence, the library's is chance.
        let either_sign = matches!(method, Method::EigenCam | Method::EigenGradCam);
        let mut turned = vec![false; maps.images * chosen.len()];
        let mut worst = [0.0_f64; 2];
        if let Some(raw) = tensors.get(&format!("{name}/raw")) {
            let columns = raw.dims()[1];
            let raw = floats(raw);
            for image in 0..maps.images {
                for (k, &attribute) in chosen.iter().enumerate() {
                    let column = if columns == 40 { attribute } else { k };
                    let mut expected = raw[(image * columns + column) * 16..][..16].to_vec();
                    let evidence = &evidence[(image * 40 + attribute) * 16..][..16];
                    let product: f32 = expected.iter().zip(evidence).map(|(a, b)| a * b).sum();
                    if either_sign && product < 0.0 {
                        turned[image * chosen.len() + k] = true;
                        expected.iter_mut().for_each(|value| *value = -*value);
                    }
                    worst[0] = worst[0].max(relative_difference(maps.map(image, k), &expected));
                }
            }
        }
        let expected = floats(&tensors[&format!("{name}/final")]);
        let flipped = either_sign.then(|| floats(&tensors[&format!("{name}/final_flipped")]));
        let mut map = vec![0.0; 112 * 112];
        for row in 0..maps.images * chosen.len() {
            explainer
                .finalise(&maps, row / chosen.len(), row % chosen.len(), &mut map)
                .unwrap();
            let expected = match &flipped {
                Some(flipped) if turned[row] => flipped,
                _ => &expected,
            };
            let off = largest_difference(&map, &expected[row * 112 * 112..][..112 * 112]);
            worst[1] = worst[1].max(off);
        }
        println!(
            "{method}: raw {:.1e} of the largest value, final {:.1e}",
            worst[0], worst[1]
        );
        assert!(
            worst[0] <= raw_tolerance && worst[1] <= final_tolerance,
            "{method}: {worst:?}"
        );
    }
}

/// The gradients of the last stage by backpropagation instead of the closed form, all 40 attributes: same maps.
#[test]
fn closed_forms_are_backpropagation() {
    let (network, images) = small();
    let output = network.forward(&images, Mode::Eval).unwrap();
    let gradients = network.gradients("layer4", &output.features, &[0, 1, 2]).unwrap();
    let weight = network.head().weight.to_vec2::<f32>().unwrap();
    let (_, channels, height, width) = output.features.dims4().unwrap();
    for (row, gradient) in floats(&gradients).chunks(channels * height * width).enumerate() {
        for (channel, values) in gradient.chunks(height * width).enumerate() {
            let expected = weight[row % 3][channel] / (height * width) as f32;
            assert!(values.iter().all(|value| (value - expected).abs() < 1e-6));
        }
    }
}

/// Ablation-CAM's closed form against forward passes without each channel.
#[test]
fn ablation_has_a_closed_form() {
    let (network, images) = small();
    let output = network.forward(&images, Mode::Eval).unwrap();
    for target in [Target::Predicted, Target::Positive, Target::Negative] {
        let config = ExplainerConfig {
            target,
            ..of(Method::AblationCam)
        };
        let maps = Explainer::new(&network, config)
            .unwrap()
            .explain(&images, &[1], None)
            .unwrap()
            .maps;
        let channels = output.features.dims()[1];
        for image in 0..2 {
            let features = output.features.narrow(0, image, 1).unwrap().contiguous().unwrap();
            let score = |features: &Tensor| {
                let logits = network.forward_from("layer4", features, Mode::Eval).unwrap().logits;
                let logit = logits.to_vec2::<f32>().unwrap()[0][1];
                match target {
                    Target::Predicted => logit.abs(),
                    Target::Negative => -logit,
                    _ => logit,
                }
            };
            let whole = score(&features);
            let mut expected = vec![0.0; maps.height * maps.width];
            for channel in 0..channels {
                let keep: Vec<f32> = (0..channels).map(|c| f32::from(u8::from(c != channel))).collect();
                let keep = Tensor::from_vec(keep, (1, channels, 1, 1), &Device::Cpu).unwrap();
                let weight = (whole - score(&features.broadcast_mul(&keep).unwrap())) / whole.abs();
                let values = floats(&features.narrow(1, channel, 1).unwrap());
                expected.iter_mut().zip(values).for_each(|(sum, a)| *sum += weight * a);
            }
            // Differences of float32 logits near 0.1, a few 1e-8 each, over the score.
            assert!(relative_difference(maps.map(image, 0), &expected) < 1e-4, "{target}");
        }
    }
}

/// All methods but the one that needs a reference, which its own tests look at.
fn without_reference() -> impl Iterator<Item = &'static Method> {
    Method::ALL.iter().filter(|method| **method != Method::CentredCam)
}

fn explain(network: &Network, images: &Tensor, config: &ExplainerConfig, attributes: &[usize]) -> Maps {
    let explainer = Explainer::new(network, config.clone()).unwrap();
    explainer.explain(images, attributes, None).unwrap().maps
}

/// All methods, targets and layers: a subset of the attributes and of the images has the maps of the whole.
#[test]
fn subsets_have_the_same_maps_at_any_layer() {
    let (network, images) = small();
    for &method in without_reference() {
        for layer in [None, Some("layer2".to_owned())] {
            if method == Method::Cam && layer.is_some() {
                continue;
            }
            let config = ExplainerConfig {
                layer: layer.clone(),
                rise: RiseConfig {
                    masks: 20,
                    ..Default::default()
                },
                fame: FameConfig {
                    steps: 5,
                    ..Default::default()
                },
                ..of(method)
            };
            let all = explain(&network, &images, &config, &[0, 1, 2]);
            let some = explain(&network, &images.narrow(0, 1, 1).unwrap(), &config, &[2, 0]);
            for (k, attribute) in [(0, 2), (1, 0)] {
                // Sums may be ordered otherwise in a batch of another size.
                let off = relative_difference(some.map(0, k), all.map(1, attribute));
                assert!(off < 1e-4, "{method} {layer:?}: {off}");
            }
            // A map of 2 x 2 cells has no cell that stands out by two deviations.
            let is_zero = method == Method::Fem && layer.is_none();
            assert_eq!(
                all.data.iter().all(|value| *value == 0.0),
                is_zero,
                "{method} {layer:?}"
            );
        }
    }
}

/// The equalities that `docs/understand/methods.md` states. Deviations are of float32: the same sums in another order, and XGrad-CAM's epsilon.
#[test]
fn methods_coincide_where_the_theory_says() {
    let (network, images) = small();
    let maps = |method, layer: &str, target| {
        let config = ExplainerConfig {
            layer: Some(layer.to_owned()),
            target,
            ..of(method)
        };
        explain(&network, &images, &config, &[0, 1, 2]).data
    };
    let same = |a: &[f32], b: &[f32]| relative_difference(a, b) < 1e-5;
    for target in [Target::Predicted, Target::Positive, Target::Negative] {
        let at_last = |method| maps(method, "layer4", target);
        let hires = at_last(Method::HiresCam);
        let positions = 4.0;
        let cam: Vec<f32> = at_last(Method::Cam).iter().map(|value| value / positions).collect();
        for (name, other) in [
            ("cam", cam),
            ("grad_cam", at_last(Method::GradCam)),
            ("x_grad_cam", at_last(Method::XGradCam)),
            ("shapley_cam", at_last(Method::ShapleyCam)),
        ] {
            assert!(same(&hires, &other), "{name} {target}");
        }
        assert!(
            !same(&hires, &at_last(Method::LayerCam)),
            "{target}: a test that cannot fail"
        );
        for layer in ["layer1", "layer2", "layer3", "layer4"] {
            let at = |method| maps(method, layer, target);
            assert!(same(&at(Method::GradCam), &at(Method::ShapleyCam)), "{layer} {target}");
            // Behind a ReLU activations are not negative.
            let (positive, elementwise) = (at(Method::LayerCam), at(Method::GradCamElementwise));
            assert!(same(&positive, &elementwise), "{layer} {target}");
            if layer != "layer4" {
                assert!(
                    !same(&at(Method::GradCam), &at(Method::HiresCam)),
                    "{layer}: gradients differ by position"
                );
            }
        }
    }
    for layer in ["layer2", "layer4"] {
        for method in [Method::HiresCam, Method::GradCam] {
            let positive = maps(method, layer, Target::Positive);
            let turned: Vec<f32> = maps(method, layer, Target::Negative)
                .iter()
                .map(|value| -value)
                .collect();
            assert!(same(&positive, &turned), "{method} {layer}");
        }
    }
    // FullGrad's map is of sizes, which have no direction, and of no layer.
    assert!(same(
        &maps(Method::FullGrad, "layer2", Target::Positive),
        &maps(Method::FullGrad, "layer4", Target::Negative)
    ));
    // Centred on nothing.
    let mut reference = Reference::new();
    reference
        .add(&Tensor::zeros((1, 32, 2, 2), DType::F32, &Device::Cpu).unwrap())
        .unwrap();
    let config = ExplainerConfig {
        reference: Some(reference),
        ..of(Method::CentredCam)
    };
    let centred = explain(&network, &images, &config, &[0, 1, 2]).data;
    assert!(same(&maps(Method::HiresCam, "layer4", Target::Predicted), &centred));
}

/// FEM looks at the features alone, Seg-Eigen-CAM at the size of gradients, whatever is explained.
#[test]
fn some_methods_do_not_see_what_is_explained() {
    let (network, images) = small();
    let maps = |method, layer: &str, target| {
        let config = ExplainerConfig {
            layer: Some(layer.to_owned()),
            target,
            ..of(method)
        };
        explain(&network, &images, &config, &[0, 1, 2])
    };
    for layer in ["layer1", "layer3"] {
        let fem = maps(Method::Fem, layer, Target::Positive);
        assert_eq!(fem, maps(Method::Fem, layer, Target::Negative));
        assert!((1..3).all(|attribute| fem.map(1, attribute) == fem.map(1, 0)));
        let seg_eigen = maps(Method::SegEigenCam, layer, Target::Positive);
        assert_eq!(seg_eigen, maps(Method::SegEigenCam, layer, Target::Negative));
        assert_ne!(seg_eigen.map(1, 1), seg_eigen.map(1, 0));
    }
}

/// RefineCAM by its definition: the product of final Grad-CAM++ maps, each of its own explainer.
#[test]
fn refine_cam_multiplies_the_maps_of_its_layers() {
    let (network, images) = small();
    let side = 64;
    for (target, labels) in [
        (Target::Predicted, None),
        (Target::Label, Some([1, -1, -1, -1].as_slice())),
    ] {
        let mut expected = vec![1.0_f32; 4 * side * side];
        for layer in ["stage1", "stage2", "stage3", "stage4"] {
            let config = |method| ExplainerConfig {
                layer: Some(layer.to_owned()),
                target,
                ..of(method)
            };
            let part = Explainer::new(&network, config(Method::GradCamPlusPlus)).unwrap();
            let maps = part.explain(&images, &[2, 0], labels).unwrap().maps;
            for (row, product) in expected.chunks_exact_mut(side * side).enumerate() {
                let mut map = vec![0.0; side * side];
                part.finalise(&maps, row / 2, row % 2, &mut map).unwrap();
                product
                    .iter_mut()
                    .zip(map)
                    .for_each(|(product, value)| *product *= value);
            }
            let refined = Explainer::new(&network, config(Method::RefineCam)).unwrap();
            let found = refined.explain(&images, &[2, 0], labels).unwrap().maps;
            assert_eq!((found.height, found.width), (side, side));
            assert!(relative_difference(&found.data, &expected) < 1e-6, "{target} {layer}");
        }
        assert!(expected.iter().any(|value| *value > 0.0));
    }
    let oblong = Tensor::zeros((1, 3, 64, 32), DType::F32, &Device::Cpu).unwrap();
    let refined = Explainer::new(&network, of(Method::RefineCam)).unwrap();
    let message = refined.explain(&oblong, &[0], None).unwrap_err().to_string();
    assert!(
        message.ends_with("[N, 3, S, S]: RefineCAM's maps are square"),
        "{message}"
    );
}

/// What `docs/understand/methods.md` and the program's announcements say of passes.
#[test]
fn costs_are_said() {
    let (network, _) = small();
    let said = |method, layer: &str| {
        let config = ExplainerConfig {
            layer: Some(layer.to_owned()),
            ..of(method)
        };
        Explainer::new(&network, config).unwrap().cost(3).to_string()
    };
    for (method, layer, expected) in [
        (Method::HiresCam, "stage4", "no further pass"),
        (Method::AblationCam, "layer4", "no further pass"),
        (
            Method::HiresCam,
            "stage3",
            "3 forward and backward passes behind stage3",
        ),
        (
            Method::EigenCam,
            "layer1",
            "3 forward and backward passes behind stage1",
        ),
        (Method::ScoreCam, "layer4", "32 forward passes"),
        (Method::AblationCam, "layer2", "8 forward passes behind stage2"),
        (Method::Fem, "layer2", "no further pass"),
        (Method::KpcaCam, "layer2", "3 forward and backward passes behind stage2"),
        (
            Method::RefineCam,
            "layer4",
            "9 forward and backward passes behind stage1, stage2 and stage3",
        ),
        (
            Method::RefineCam,
            "layer1",
            "3 forward and backward passes behind stage1",
        ),
        (Method::FullGrad, "layer4", "3 forward and backward passes"),
        (Method::Rise, "layer4", "4000 forward passes"),
        (Method::Fame, "layer4", "300 forward and backward passes"),
    ] {
        assert_eq!(said(method, layer), expected, "{method} {layer}");
    }
}

/// RISE's masks come in batches; their maps do not depend on which images come together.
#[test]
fn rise_is_the_same_in_any_batch() {
    let (network, images) = small();
    let config = ExplainerConfig {
        rise: RiseConfig {
            masks: 150,
            ..Default::default()
        },
        ..of(Method::Rise)
    };
    let both = explain(&network, &images, &config, &[0, 2]);
    let second = explain(&network, &images.narrow(0, 1, 1).unwrap(), &config, &[2]);
    assert!(relative_difference(second.map(0, 0), both.map(1, 1)) < 1e-5);
    // By the definition, mask by mask.
    let black = Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap();
    let found = explain(&network, &black, &config, &[0]);
    let score = network
        .forward(&black, Mode::Eval)
        .unwrap()
        .logits
        .to_vec2::<f32>()
        .unwrap()[0][0]
        .abs();
    // The score is the same behind every mask, so the map is score * mean mask / 0.5: within five standard errors of 150 masks.
    let mean = found.data.iter().sum::<f32>() / found.data.len() as f32;
    assert!(
        (mean / score - 1.0).abs() < 5.0 * 0.5 / 0.5 / 150.0_f32.sqrt(),
        "{mean} {score}"
    );
}

#[test]
fn labels_choose_the_side() {
    let (network, images) = small();
    let side = |target| ExplainerConfig {
        target,
        ..of(Method::HiresCam)
    };
    let positive = explain(&network, &images, &side(Target::Positive), &[1, 2]);
    let explainer = Explainer::new(&network, side(Target::Label)).unwrap();
    let maps = explainer.explain(&images, &[1, 2], Some(&[1, -1, -1, 1])).unwrap().maps;
    assert_eq!(maps.map(0, 0), positive.map(0, 0));
    let turned: Vec<f32> = positive.map(0, 1).iter().map(|value| -value).collect();
    assert_eq!(maps.map(0, 1), turned);
    assert!(matches!(
        explainer.explain(&images, &[1, 2], Some(&[1, 0, 1, 1])),
        Err(Error::NoLabel { image: 0, attribute: 1 })
    ));
    assert!(matches!(
        explainer.explain(&images, &[1], None),
        Err(Error::NoLabel { .. })
    ));
}

#[test]
fn bad_input_is_named() {
    let (network, images) = small();
    let at = |layer: &str, method| {
        let layer = Some(layer.to_owned());
        Explainer::new(&network, ExplainerConfig { layer, ..of(method) }).map(|_| ())
    };
    let message = at("stage5", Method::GradCam).unwrap_err().to_string();
    assert_eq!(
        message,
        "`stage5` is not a layer; known: stage1, stage2, stage3, stage4"
    );
    assert!(matches!(at("layer3", Method::Cam), Err(Error::LastStageOnly { .. })));
    let mut tensors = network.named_tensors();
    let broken = (tensors["fc.weight"].ones_like().unwrap() * f64::NAN).unwrap();
    tensors.insert("fc.weight".to_owned(), broken);
    let broken = Network::from_tensors(network.architecture(), 3, tensors, &Device::Cpu).unwrap();
    let flat = Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap();
    for &method in without_reference() {
        let config = ExplainerConfig {
            rise: RiseConfig {
                masks: 5,
                ..Default::default()
            },
            ..of(method)
        };
        let explainer = Explainer::new(&network, config.clone()).unwrap();
        let message = explainer.explain(&images, &[3], None).unwrap_err().to_string();
        assert_eq!(
            message, "attribute: 3, expected less than 3, the network's outputs",
            "{method}"
        );
        let wrong = Tensor::zeros((2, 64, 64, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(
            matches!(explainer.explain(&wrong, &[0], None), Err(Error::Network(_))),
            "{method}"
        );
        assert!(explainer.explain(&flat, &[0], None).is_ok(), "{method}: a black image");
        let maps = explainer.explain(&images, &[], None).unwrap().maps;
        assert_eq!((maps.images, maps.attributes), (2, 0));
        assert!(explainer.finalise(&maps, 0, 0, &mut [0.0; 16]).is_err());
        let found = Explainer::new(&broken, config).unwrap().explain(&images, &[1], None);
        // The own values of Eigen-CAM and KPCA-CAM do not depend on the head, only their sign does; FEM's are of the features alone.
        if !matches!(method, Method::EigenCam | Method::KpcaCam | Method::Fem) {
            assert!(
                matches!(found, Err(Error::NotFinite { image: 0, attribute: 0 })),
                "{method}: {found:?}"
            );
        }
    }
}

/// FAME's steps once more, with candle's gradients, on images in the network's units: of every target, also where |z| turns its side on
/// the way. 1e-3: float32 over 12 steps, in a map whose largest value is 1; on another processor rounding may part a few, at a ReLU.
#[test]
fn fame_descends_the_targets_loss() {
    let (network, _) = small();
    let wave: Vec<f32> = (0..2 * 3 * 64 * 64)
        .map(|i| 0.5 + 0.5 * (0.37 * i as f32).sin())
        .collect();
    let images = Tensor::from_vec(wave, (2, 3, 64, 64), &Device::Cpu).unwrap();
    let normalisation = InputNormalisation {
        mean: [0.4, 0.5, 0.6],
        deviation: [0.3, 0.25, 0.2],
    };
    let row = |values: [f32; 3]| {
        Tensor::new(&values, &Device::Cpu)
            .unwrap()
            .reshape((1, 3, 1, 1))
            .unwrap()
    };
    let centred = images.broadcast_sub(&row(normalisation.mean)).unwrap();
    let start = centred.broadcast_div(&row(normalisation.deviation)).unwrap();
    let step_size = 0.05;
    let labels = [1_i8, -1, 1, -1, 1, 1];
    let by_hand = |target: Target, image: usize, k: usize, attribute: usize| {
        let start = start.narrow(0, image, 1).unwrap();
        let (mut x, mut sides) = (start.clone(), Vec::new());
        for _ in 0..12 {
            let var = Var::from_tensor(&x).unwrap();
            let z = network
                .forward(&var, Mode::Eval)
                .unwrap()
                .logits
                .narrow(1, attribute, 1)
                .unwrap();
            let z = z.sum_all().unwrap();
            sides.push(z.to_scalar::<f32>().unwrap() > 0.0);
            let loss = match target {
                Target::Predicted => z.abs().unwrap(),
                Target::Positive => z,
                Target::Negative => z.neg().unwrap(),
                Target::Label => (z * f64::from(labels[image * 3 + k])).unwrap(),
            };
            let gradient = loss.backward().unwrap().get(&var).unwrap().clone();
            let largest = gradient.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            x = (x - (gradient * (step_size / f64::from(largest))).unwrap()).unwrap();
        }
        let grey = |x: &Tensor| x.broadcast_mul(&row([0.2989, 0.587, 0.114])).unwrap().sum(1).unwrap();
        let map = (grey(&x) - grey(&start)).unwrap().abs().unwrap();
        let map = map.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let largest = map.iter().fold(0.0_f32, |most, value| most.max(*value));
        let turned = sides.iter().any(|side| *side != sides[0]);
        (map.iter().map(|value| value / largest).collect::<Vec<f32>>(), turned)
    };
    let (mut turned, mut parted) = (0, Vec::new());
    let (plain, _) = small();
    let known = plain.with_normalisation(Some(normalisation));
    for &target in Target::ALL {
        let config = ExplainerConfig {
            target,
            fame: FameConfig { steps: 12, step_size },
            ..of(Method::Fame)
        };
        let explainer = Explainer::new(&known, config).unwrap();
        let attributes = [2, 0, 1];
        let maps = explainer.explain(&images, &attributes, Some(&labels)).unwrap().maps;
        for image in 0..2 {
            for (k, &attribute) in attributes.iter().enumerate() {
                let (expected, turns) = by_hand(target, image, k, attribute);
                turned += usize::from(turns && target == Target::Predicted);
                let off = largest_difference(maps.map(image, k), &expected);
                if off > 1e-3 {
                    parted.push((target, image, attribute, off));
                }
            }
        }
    }
    assert!(parted.len() <= 2, "of 24: {parted:?}");
    assert!(turned > 0, "no |z| turned its side");
}
