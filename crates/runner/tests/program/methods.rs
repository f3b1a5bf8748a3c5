//! The explanation stage with other methods, layers and targets than the paper's.

use candle_core::{Device, Tensor};
use metrics::{Filter, Region};
use pipeline::{ReadTable, RowKeys};

use crate::place::{Place, fails, succeeds};

const SIZE: usize = 56;

struct Found {
    energy: ReadTable,
    keys: RowKeys,
    raw: Tensor,
    images: Vec<String>,
}

fn found(place: &Place) -> Found {
    let path = place.results("unbalanced/raw_maps.safetensors");
    let bytes = std::fs::read(&path).expect("raw maps");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("safetensors");
    let images = header.metadata().as_ref().expect("metadata")["images"]
        .split(',')
        .map(str::to_owned);
    let energy = ReadTable::parquet(&place.results("unbalanced/energy.parquet")).expect("energies");
    Found {
        images: images.collect(),
        keys: RowKeys::of(&energy).expect("images times attributes"),
        energy,
        raw: candle_core::safetensors::load(&path, &Device::Cpu)
            .expect("tensors")
            .remove("maps")
            .expect("maps"),
    }
}

fn numbers(table: &ReadTable, name: &str) -> Vec<Option<f64>> {
    table.doubles(name).expect("numbers")
}

/// The paper's regions, by way of the same file as the program's.
fn region(attribute: &str) -> Region {
    let attributes = [attribute.to_owned()];
    runner::regions::celeba(&attributes, SIZE)
        .expect("a region")
        .remove(0)
        .region
}

/// Energies, mask ratios and averages against the final maps of the raw ones that were kept.
fn measures_are_those_of_the_maps(place: &Place, method: cam::Method) {
    let Found {
        energy,
        keys,
        raw,
        images,
    } = found(place);
    let [count, attributes, height, width] = *raw.dims() else {
        panic!("four dimensions")
    };
    assert_eq!((count, attributes), (images.len(), 40));
    let raw = raw.flatten_all().and_then(|raw| raw.to_vec1::<f32>()).expect("numbers");
    let post_processing =
        cam::PostProcessing::new(method, cam::Resize::HalfPixel, [height, width], SIZE).expect("fits");
    let (energies, ratios) = (numbers(&energy, "energy"), numbers(&energy, "mask_ratio"));
    let explained = energy.integers("explained").expect("numbers");
    let scores = ReadTable::parquet(&place.results("unbalanced/predictions.parquet")).expect("scores");
    let labels = scores.integers("label").expect("labels");
    let scores = numbers(&scores, "score");
    let row_of = |image: &String| {
        keys.images
            .iter()
            .position(|known| known == image)
            .expect("a test image")
    };
    let chosen: Vec<usize> = images.iter().map(row_of).collect();
    assert!(chosen.is_sorted());
    for (row, image) in keys.images.iter().enumerate() {
        let expected = i64::from(images.contains(image));
        assert!(
            (0..40).all(|attribute| explained[row * 40 + attribute] == expected),
            "{image}"
        );
        assert!(expected == 1 || (0..40).all(|attribute| energies[row * 40 + attribute].is_none()));
    }
    let averages =
        candle_core::safetensors::load(place.results("unbalanced/maps.safetensors"), &Device::Cpu).expect("read");
    let cells = averages["average/maps"]
        .to_dtype(candle_core::DType::F32)
        .expect("numbers");
    assert_eq!(cells.dims(), [40, 7, height, width]);
    let counts = averages["average/count"].to_vec2::<i64>().expect("numbers");
    let mut map = vec![0.0; SIZE * SIZE];
    let mut some = 0;
    for (attribute, counts) in counts.iter().enumerate() {
        let region = region(&keys.attributes[attribute]);
        let mut sums = vec![(0_i64, vec![0.0_f64; SIZE * SIZE]); 7];
        for (position, &row) in chosen.iter().enumerate() {
            let at = row * 40 + attribute;
            let start = (position * 40 + attribute) * height * width;
            post_processing.finalise(&raw[start..start + height * width], &mut map);
            let expected = metrics::localisation(&map, &region).expect("a map");
            // Shares of sums of 3,136 float32 values; stored as float32.
            let close = |a: Option<f64>, b: Option<f64>, tolerance: f64| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < tolerance,
                (a, b) => a == b,
            };
            assert!(
                close(energies[at], expected.energy, 1e-5),
                "{:?} {:?}",
                energies[at],
                expected.energy
            );
            assert!(
                close(ratios[at], expected.mask_ratio, 1e-6),
                "{:?} {:?}",
                ratios[at],
                expected.mask_ratio
            );
            some += usize::from(expected.energy.is_some());
            let score = scores[at].expect("a score") as f32;
            for (filter, (count, sum)) in Filter::ALL.iter().zip(&mut sums) {
                if filter.selects(labels[at] as i8, score) {
                    *count += 1;
                    sum.iter_mut()
                        .zip(&map)
                        .for_each(|(sum, value)| *sum += f64::from(*value));
                }
            }
        }
        for (filter, (count, sum)) in sums.into_iter().enumerate() {
            assert_eq!(counts[filter], count);
            let cells = cells.get(attribute).and_then(|cells| cells.get(filter));
            let cells = cells
                .and_then(|cells| cells.flatten_all())
                .and_then(|cells| cells.to_vec1::<f32>())
                .expect("cells");
            if count == 0 {
                assert!(cells.iter().all(|cell| cell.is_nan()), "no image, no map");
                continue;
            }
            post_processing.enlarge(&cells, &mut map);
            for (found, sum) in map.iter().zip(sum) {
                assert!((f64::from(*found) - sum / count as f64).abs() < 1e-4);
            }
        }
    }
    assert!(some > 100, "most maps have energy");
}

const ONE: &str = "classifiers={unbalanced: {class_weights: none}}";

#[test]
fn any_method_explains_some_images_at_any_layer() {
    let place = Place::new();
    let mut predicted = None;
    for (method, layer, target) in [
        ("hires_cam", "null", "predicted"),
        ("score_cam", "stage1", "label"),
        ("x_grad_cam", "stage1", "positive"),
        ("rise", "null", "negative"),
        ("fame", "null", "predicted"),
    ] {
        let settings = [
            format!("explain.method={method}"),
            format!("explain.layer={layer}"),
            format!("explain.target={target}"),
            "explain.images=9".to_owned(),
            "explain.keep_maps=true".to_owned(),
            "explain.rise.masks=20".to_owned(),
            "explain.fame.steps=2".to_owned(),
            "training.epochs=1".to_owned(),
            ONE.to_owned(),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let output = place.run("explain", &settings);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        succeeds(&output);
        assert!(said.contains("keeps 9 x 40 maps of "), "{said}");
        if method != "hires_cam" {
            assert!(
                said.contains(&format!("{method} needs ")) && said.contains("the first image took"),
                "{said}"
            );
        }
        measures_are_those_of_the_maps(&place, method.parse().expect("a method"));
        // The parts of the scores are of the last stage and of all images, whatever explains.
        let Found { energy, images, .. } = found(&place);
        let parts = numbers(&energy, "specific_for_inside");
        assert!(parts.iter().all(Option::is_some));
        let parts = predicted.get_or_insert((images.clone(), parts.clone())) == &(images, parts);
        assert!(parts, "{method}: other images or other parts");
    }
    // Everything behind it works on a subset, and the kept maps go when they are no longer asked for.
    let output = place.run(
        "reproduce",
        &[ONE, "training.epochs=1", "explain.images=9", "measure.resamples=100"],
    );
    let printed = succeeds(&output);
    assert!(printed.contains("energies of 9 of them"), "{printed}");
    assert!(!place.results("unbalanced/raw_maps.safetensors").exists());
    for (setting, expected) in [
        ("explain.layer=stage7", "known: stage1, stage2"),
        ("explain.target=wrong", "label"),
        ("explain.upsampling=wrong", "corner_aligned"),
        ("explain.rise.probability=1", "rise.probability"),
        ("explain.fame.step_size=0", "fame.step_size"),
    ] {
        let message = fails(&place.run("explain", &[setting]));
        assert!(message.contains(expected) && message.contains("explain"), "{message}");
    }
}
