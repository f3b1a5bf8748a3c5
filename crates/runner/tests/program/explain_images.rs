//! `explain-images` as a user runs it: any folder, some of it broken.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use candle_core::{Device, Tensor};
use model::{Architecture, Network};

use crate::place::{fails, succeeds};

/// Random weights of a small ResNet-18 with torchvision's names.
fn write_weights(path: &Path, outputs: usize, change: impl Fn(&mut HashMap<String, Tensor>)) {
    let architecture = Architecture::preset("resnet18").expect("a preset").with_width(4);
    let network = Network::new(&architecture, outputs, 1, &Device::Cpu).expect("a network");
    let mut tensors = network.named_tensors();
    change(&mut tensors);
    candle_core::safetensors::save(&tensors, path).expect("written");
}

fn write_picture(path: &Path, tone: u8) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let picture = image::RgbImage::from_fn(48, 40, |x, y| image::Rgb([tone, (x * 5) as u8, (y * 6) as u8]));
    picture.save(path).expect("written");
}

fn explain(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_biascam"))
        .current_dir(folder)
        .args([
            "explain-images",
            "--weights",
            "weights.safetensors",
            "--architecture",
            "resnet18",
        ])
        .args(["--width", "4", "--size", "64", "--out", "out", "--device", "cpu"])
        .args(arguments)
        .output()
        .expect("the program starts")
}

#[test]
fn a_folder_with_a_broken_picture_is_explained_but_for_it() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 3, |_| ());
    for (name, tone) in [("in/a.png", 10), ("in/a.jpg", 90), ("in/sub/a.png", 200)] {
        write_picture(&folder.join(name), tone);
    }
    fs::write(folder.join("in/broken.jpg"), [0xff, 0xd8, 0xff]).expect("written");
    let message = fails(&explain(folder, &["in", "--method", "cam,hires_cam"]));
    assert!(
        message.contains("not explained") && message.contains("1 of 4"),
        "{message}"
    );
    assert!(message.contains("broken.jpg"), "{message}");
    for name in ["a", "a-2", "sub-a"] {
        let tensors = candle_core::safetensors::load(folder.join(format!("out/{name}/maps.safetensors")), &Device::Cpu)
            .expect("read");
        assert_eq!(tensors["logits"].dims(), [3], "{name}");
        let values = |key: &str| {
            tensors[key]
                .flatten_all()
                .and_then(|t| t.to_vec1::<f32>())
                .expect("numbers")
        };
        assert_eq!(tensors["cam/raw"].dims(), [3, 2, 2]);
        // HiResCAM is CAM over the number of positions.
        for (cam, hires) in values("cam/raw").iter().zip(values("hires_cam/raw")) {
            assert!((cam / 4.0 - hires).abs() <= 1e-6 * cam.abs().max(1.0));
        }
        let overlays = fs::read_dir(folder.join(format!("out/{name}/cam")))
            .expect("a folder")
            .count();
        assert_eq!(overlays, 3, "{name}");
        assert!(
            folder.join(format!("out/sheets/hires_cam/{name}.png")).is_file(),
            "{name}"
        );
    }
    assert!(!folder.join("out/broken").exists());
}

#[test]
fn sheets_of_attributes_and_any_number_of_classes() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 1000, |_| ());
    write_picture(&folder.join("a.png"), 50);
    write_picture(&folder.join("b.png"), 150);
    let options = [
        "--sheets",
        "attribute",
        "--attributes",
        "class_7,999",
        "--colour-map",
        "jet",
    ];
    succeeds(&explain(folder, &[&["a.png", "b.png"], &options[..]].concat()));
    let names = |path: &str| {
        let mut names: Vec<String> = fs::read_dir(folder.join(path))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("out/sheets/hires_cam"), ["class_7.png", "class_999.png"]);
    assert_eq!(names("out"), ["a", "b", "sheets"]);
}

#[test]
fn landmarks_align_and_their_absence_is_named() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 2, |_| ());
    write_picture(&folder.join("a.png"), 50);
    write_picture(&folder.join("b.png"), 50);
    fs::write(folder.join("l.csv"), "a.png,15,10,30,12,22,18,17,25,29,26\n").expect("written");
    let logits = || {
        let tensors =
            candle_core::safetensors::load(folder.join("out/a/maps.safetensors"), &Device::Cpu).expect("read");
        tensors["logits"].to_vec1::<f32>().expect("numbers")
    };
    succeeds(&explain(folder, &["a.png", "--sheets", "none"]));
    let cropped = logits();
    let message = fails(&explain(folder, &["a.png", "b.png", "--landmarks", "l.csv"]));
    assert!(message.contains("no landmarks of `b.png` in l.csv"), "{message}");
    assert_ne!(logits(), cropped, "the picture should be aligned by its landmarks");
}

#[test]
fn broken_weights_and_unknown_names_are_named() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_picture(&folder.join("a.png"), 50);
    write_weights(&folder.join("weights.safetensors"), 2, |tensors| {
        let broken = (tensors["fc.weight"].clone() * f64::NAN).expect("a product");
        tensors.insert("fc.weight".to_owned(), broken);
    });
    let message = fails(&explain(folder, &["a.png"]));
    assert!(
        message.contains("weights.safetensors: `fc.weight`") && message.contains("not finite"),
        "{message}"
    );
    write_weights(&folder.join("weights.safetensors"), 2, |_| ());
    for (option, value, expected) in [
        ("--method", "gradcan", "hires_cam"),
        ("--sheets", "both", "image, attribute, none"),
        ("--colour-map", "rainbow", "inferno"),
        ("--attributes", "Bold", "attribute_0, attribute_1"),
    ] {
        let message = fails(&explain(folder, &["a.png", option, value]));
        assert!(message.contains(option) && message.contains(expected), "{message}");
    }
    fs::create_dir(folder.join("empty")).expect("made");
    assert!(fails(&explain(folder, &["empty"])).contains("no picture"));
}

/// The methods that need passes of their own, at an inner stage where they have one, on pictures of several sizes.
#[test]
fn every_method_explains_pictures() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 2, |_| ());
    write_picture(&folder.join("a.png"), 50);
    image::RgbImage::from_pixel(31, 90, image::Rgb([9, 90, 200]))
        .save(folder.join("b.png"))
        .expect("written");
    let inner = "grad_cam,hires_cam,grad_cam_plus_plus,x_grad_cam,layer_cam,grad_cam_elementwise,eigen_cam,eigen_grad_cam,shapley_cam,\
                 seg_eigen_cam,kpca_cam,fem,refine_cam,score_cam,ablation_cam,full_grad,rise,fame";
    let output = explain(
        folder,
        &[
            "a.png",
            "b.png",
            "--method",
            inner,
            "--layer",
            "stage3",
            "--rise-masks",
            "70",
            "--fame-steps",
            "3",
            "--target",
            "negative",
        ],
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    succeeds(&output);
    for part in [
        "score_cam needs 16 forward passes for each image, 32 in all",
        "ablation_cam needs 16 forward passes behind stage3 for each image",
        "refine_cam needs 6 forward and backward passes behind stage1, stage2 and stage3 for each image",
        "rise needs 70 forward passes for each image",
        "fame needs 6 forward and backward passes for each image",
        "full_grad needs 2 forward and backward passes for each image",
        "the first picture took",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let maps = candle_core::safetensors::load(folder.join("out/b/maps.safetensors"), &Device::Cpu).expect("read");
    for method in inner.split(',') {
        let side = if ["full_grad", "refine_cam", "rise", "fame"].contains(&method) {
            64
        } else {
            4
        };
        let raw = &maps[&format!("{method}/raw")];
        assert_eq!(raw.dims(), [2, side, side], "{method}");
        let values = raw.flatten_all().and_then(|raw| raw.to_vec1::<f32>()).expect("numbers");
        assert!(values.iter().any(|value| *value != 0.0), "{method}");
        assert!(folder.join(format!("out/sheets/{method}/b.png")).is_file(), "{method}");
    }
    for (arguments, expected) in [
        (
            &["--layer", "stage5"][..],
            "`stage5` is not a layer; known: stage1, stage2, stage3, stage4",
        ),
        (
            &["--layer", "stage2", "--method", "cam"],
            "cam is defined at the network's last stage only",
        ),
        (&["--method", "centred_cam"], "--reference"),
        (&["--method", "rise", "--rise-masks", "0"], "rise.masks"),
        (&["--method", "fame", "--fame-steps", "0"], "fame.steps"),
        (&["--target", "label"], "--labels"),
        (&["--upsampling", "nearest"], "corner_aligned"),
    ] {
        let message = fails(&explain(folder, &[&["a.png"], arguments].concat()));
        assert!(message.contains(expected), "{message}");
    }
}

/// The label's side, and what a centred map is centred on.
#[test]
fn labels_and_references_come_from_files() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 2, |_| ());
    write_picture(&folder.join("a.png"), 50);
    write_picture(&folder.join("b.png"), 150);
    let raw = |method: &str| {
        let maps = candle_core::safetensors::load(folder.join("out/a/maps.safetensors"), &Device::Cpu).expect("read");
        maps[&format!("{method}/raw")]
            .flatten_all()
            .and_then(|raw| raw.to_vec1::<f32>())
            .expect("numbers")
    };
    succeeds(&explain(folder, &["a.png", "--target", "positive"]));
    let positive = raw("hires_cam");
    fs::write(folder.join("labels.txt"), "1\nattribute_0 attribute_1\na.png 1 -1\n").expect("written");
    // Tensors have none, and their own size.
    let of_tensors = |arguments: [&str; 2]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .current_dir(folder)
            .args(["explain-images", "--tensors", "t", "--weights"]);
        command.args(["weights.safetensors", "--out", "o"]).args(arguments);
        command.output().expect("the program starts")
    };
    let message = fails(&of_tensors(["--target", "label"]));
    assert!(message.contains("--tensors has no labels"), "{message}");
    assert_eq!(of_tensors(["--size", "64"]).status.code(), Some(2));
    let message = fails(&explain(
        folder,
        &["a.png", "b.png", "--target", "label", "--labels", "labels.txt"],
    ));
    assert!(
        message.contains("no labels of `b.png`") && message.contains("1 of 2"),
        "{message}"
    );
    let expected: Vec<f32> = positive
        .iter()
        .enumerate()
        .map(|(i, value)| if i < 4 { *value } else { -value })
        .collect();
    assert_eq!(raw("hires_cam"), expected);

    // Centred on nothing, the centred map is HiResCAM.
    let reference = |features: Tensor| {
        let count = Tensor::new(&[5_i64], &Device::Cpu).expect("a tensor");
        let tensors = HashMap::from([("mean_features".to_owned(), features), ("count".to_owned(), count)]);
        candle_core::safetensors::save(&tensors, folder.join("reference.safetensors")).expect("written");
    };
    reference(Tensor::zeros((32, 2, 2), candle_core::DType::F32, &Device::Cpu).expect("a tensor"));
    let options = [
        "a.png",
        "--target",
        "positive",
        "--method",
        "centred_cam",
        "--reference",
        "reference.safetensors",
    ];
    succeeds(&explain(folder, &options));
    for (found, expected) in raw("centred_cam").iter().zip(&positive) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    reference(Tensor::zeros((32, 3, 3), candle_core::DType::F32, &Device::Cpu).expect("a tensor"));
    let message = fails(&explain(folder, &options));
    assert!(
        message.contains("reference") && message.contains("[32, 2, 2]"),
        "{message}"
    );
}

/// A network that sees nothing has maps of zeros: they are written, and said to be without activation, and nothing panics.
#[test]
fn maps_of_zeros_are_said_to_be() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 2, |tensors| {
        for name in ["fc.weight", "fc.bias"] {
            let zeros = tensors[name].zeros_like().expect("zeros");
            tensors.insert(name.to_owned(), zeros);
        }
    });
    write_picture(&folder.join("a.png"), 50);
    let methods = "hires_cam,grad_cam_plus_plus,eigen_grad_cam,ablation_cam,score_cam,full_grad,rise,fame";
    succeeds(&explain(
        folder,
        &["a.png", "--method", methods, "--rise-masks", "3", "--fame-steps", "2"],
    ));
    let maps = candle_core::safetensors::load(folder.join("out/a/maps.safetensors"), &Device::Cpu).expect("read");
    for method in [
        "hires_cam",
        "grad_cam_plus_plus",
        "eigen_grad_cam",
        "ablation_cam",
        "rise",
        "fame",
    ] {
        let raw = maps[&format!("{method}/raw")]
            .flatten_all()
            .and_then(|raw| raw.to_vec1::<f32>())
            .expect("numbers");
        assert!(raw.iter().all(|value| *value == 0.0), "{method}");
    }
}

/// The logits that were written for a picture.
fn logits(folder: &Path, name: &str) -> Vec<f32> {
    let file = folder.join(format!("out/{name}/maps.safetensors"));
    let tensors = candle_core::safetensors::load(file, &Device::Cpu).expect("maps");
    tensors["logits"]
        .flatten_all()
        .expect("flat")
        .to_vec1()
        .expect("numbers")
}

/// The bytes of a picture of a disc on `ground`, whose colour beneath full transparency is `hidden`.
fn disc(ground: Option<[u8; 4]>, format: image::ImageFormat) -> Vec<u8> {
    let picture = image::RgbaImage::from_fn(48, 48, |x, y| {
        let inside = x.abs_diff(24).pow(2) + y.abs_diff(24).pow(2) < 300;
        let colour = [(5 * x) as u8, 90, (5 * y) as u8, 255];
        image::Rgba(if inside { colour } else { ground.unwrap_or(colour) })
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::DynamicImage::ImageRgba8(picture);
    let written = match format {
        image::ImageFormat::Jpeg => image::DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut bytes, format),
        _ => picture.write_to(&mut bytes, format),
    };
    written.expect("written");
    bytes.into_inner()
}

#[test]
fn pictures_are_explained_as_they_are_seen_whatever_their_file() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path();
    write_weights(&folder.join("weights.safetensors"), 2, |_| ());
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    };
    let jpeg = disc(None, Jpeg);
    // What telephones append: a film, in which the markers of a JPEG may be.
    let film = b"\0\0\0\x18ftypmp42\xff\xda\0\x0c\xff\xd9\0\xff\xda....";
    write("in/white.png", &disc(Some([255; 4]), Png));
    write("in/black beneath.PNG", &disc(Some([0, 0, 0, 0]), Png));
    write("in/red beneath.png", &disc(Some([255, 0, 0, 0]), Png));
    write("in/webp.webp", &disc(Some([9, 9, 9, 0]), WebP));
    write("in/opaque.png", &disc(None, Png));
    write("in/named-otherwise.jpg", &disc(None, Png));
    write("in/bitmap.bmp", &disc(None, Bmp));
    write("in/gif.gif", &disc(Some([255; 4]), Gif));
    write("in/photo.jpeg", &jpeg);
    write("in/motion.jpg", &[jpeg.as_slice(), film].concat());
    write("in/.ipynb_checkpoints/photo.jpeg", &jpeg);
    write("in/._photo.jpeg", b"resource fork");
    write("in/phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0");
    let output = explain(folder, &["in", "--sheets", "none"]);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("left out: in/._photo.jpeg and 1 more (hidden") && said.contains("in/phone.heic (of a format"),
        "{said}"
    );
    assert_eq!(fs::read_dir(folder.join("out")).expect("a folder").count(), 10);
    for (same, as_this) in [
        ("black beneath", "white"),
        ("red beneath", "white"),
        ("webp", "white"),
        ("named-otherwise", "opaque"),
        ("bitmap", "opaque"),
        ("motion", "photo"),
    ] {
        assert_eq!(logits(folder, same), logits(folder, as_this), "{same} and {as_this}");
    }
    assert_ne!(logits(folder, "white"), logits(folder, "opaque"));
    assert!(logits(folder, "gif").iter().all(|value| value.is_finite()));

    // Named, each says what it is.
    write("empty.png", b"");
    write("page.jpg", b"<!DOCTYPE html><html></html>");
    write("scan.png", b"II*\0\x08\0\0\0\0\0");
    let mut giant = disc(None, Bmp);
    giant[18..26].copy_from_slice(&[0x40, 0x9c, 0, 0, 0x40, 0x9c, 0, 0]);
    write("giant.bmp", &giant);
    let names = ["empty.png", "page.jpg", "scan.png", "giant.bmp", "in/phone.heic"];
    let message = fails(&explain(folder, &names));
    for expected in [
        "empty.png: cannot be read as a picture: the file is empty (0 bytes)",
        "page.jpg: cannot be read as a picture: it is no picture but a web page",
        "scan.png: cannot be read as a picture: it is a TIFF picture, expected JPEG, PNG, WebP, GIF or BMP",
        "giant.bmp: cannot be read as a picture: it has 40000 x 40000 pixels (1600 megapixels), at most 250",
        "phone.heic: cannot be read as a picture: it is a HEIC picture",
    ] {
        assert!(message.contains(expected), "{message}");
    }
}
