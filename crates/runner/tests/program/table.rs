//! A table of one's own from the file to the report, as a user runs it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use pipeline::{ReadTable, RowKeys};

use crate::place::{fails, succeeds};

const NETWORK: &str = "
model:
  architecture:
    block: basic
    stem: {kernel: 3, stride: 2, max_pool: true}
    stages: [{width: 8, blocks: 1, stride: 1, kernel: 3}]
training: {epochs: 1, batch_size: 16, augmentation: {scale: 0, rotation: 0, shift: 0, blur: 0, mirror: 0.5}}
measure: {resamples: 100}
figures: {examples: 2}
";

/// Pictures of shapes as the example experiment has them, but few.
const SHAPES: &str = "data:
  source: table
  image_size: 32
  table:
    file: labels.csv
    images: images
    image_column: file
    resize: pad
    masks: masks
    shapes: {images: 240, seed: 3}
";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(data: &str) -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        place.write("mine.yaml", format!("{data}{NETWORK}"));
        place
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    fn run(&self, stage: &str, settings: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .args([stage, "mine.yaml", "--device", "cpu", "--replace"])
            .current_dir(self.folder.path());
        for setting in settings {
            command.args(["--set", setting]);
        }
        command.output().expect("the program starts")
    }

    fn check(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(["check", "mine.yaml"]).current_dir(self.folder.path());
        command.output().expect("the program starts")
    }

    fn table(&self, relative: &str) -> ReadTable {
        let path = self.path("results/mine").join(relative);
        match path.extension() {
            Some(extension) if extension == "csv" => ReadTable::csv(&path),
            _ => ReadTable::parquet(&path),
        }
        .expect("a table")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// How many of the stages whose names begin so had nothing to do.
fn unchanged(said: &str, stages: &[&str]) -> usize {
    let kept = said.lines().filter(|line| line.ends_with("unchanged"));
    kept.filter(|line| stages.iter().any(|stage| line.starts_with(stage)))
        .count()
}

#[test]
fn a_table_with_masks_and_unknown_labels_runs_to_the_report() {
    let place = Place::new(SHAPES);
    let output = place.run("reproduce", &[]);
    let printed = succeeds(&output);
    assert!(
        said(&output).contains("test images (all), 5 attributes"),
        "{}",
        said(&output)
    );
    assert!(
        printed.contains("open_ring") && printed.contains("report.html"),
        "{printed}"
    );

    let scores = place.table("unbalanced/predictions.parquet");
    let keys = RowKeys::of(&scores).expect("images times attributes");
    let (labels, values) = (
        scores.integers("label").expect("labels"),
        scores.doubles("score").expect("scores"),
    );
    let of_bar: Vec<(i64, f64)> = labels
        .iter()
        .zip(&values)
        .skip(4)
        .step_by(5)
        .map(|(&label, value)| (label, value.expect("a score")))
        .collect();
    assert!(
        of_bar.iter().any(|(label, _)| *label == 0),
        "some labels of bent_bar are unknown"
    );

    // The report's examples show each picture's own mask.
    let examples = fs::read_to_string(place.path("results/mine/examples.json")).expect("text");
    let examples: serde_json::Value = serde_json::from_str(&examples).expect("JSON");
    let ring = &examples["attributes"].as_array().expect("a list")[0]["examples"];
    let regions: Vec<&str> = ring
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|example| example["region"]["cells"].as_str())
        .collect();
    assert!(!regions.is_empty());
    for region in regions {
        assert_eq!(region.len(), 32 * 32);
        assert!(region.contains('1') && region.contains('0'));
    }

    // So does the figure, whose file keeps the masks.
    let chosen = fs::read(place.path("results/mine/chosen.safetensors")).expect("a file");
    let chosen = candle_core::safetensors::load_buffer(&chosen, &candle_core::Device::Cpu).expect("tensors");
    let inside: Vec<u8> = chosen["regions"]
        .flatten_all()
        .and_then(|all| all.to_vec1())
        .expect("bytes");
    assert_eq!(inside.len(), place.table("chosen.parquet").height() * 32 * 32);
    assert!(inside.contains(&1) && inside.contains(&0));

    // Error rates are over the annotated images only.
    let table = place.table("tables/attributes.csv");
    let row = table
        .texts("attribute")
        .expect("names")
        .iter()
        .position(|name| name == "bent_bar")
        .expect("a row");
    for (column, label) in [("unbalanced_fnr", 1), ("unbalanced_fpr", -1)] {
        let all = of_bar.iter().filter(|(of, _)| *of == label).count();
        let wrong = of_bar
            .iter()
            .filter(|(of, score)| *of == label && (*score >= 0.0) != (label > 0))
            .count();
        let found = table.doubles(column).expect("numbers")[row].expect("a rate");
        assert!(
            (found - wrong as f64 / all as f64).abs() < 1e-12,
            "{column}: {found}, {wrong} of {all}"
        );
    }

    // Energies are those in each image's own mask.
    let energy = place.table("unbalanced/energy.parquet");
    assert_eq!(RowKeys::of(&energy).expect("images times attributes"), keys);
    let energies = energy.doubles("energy").expect("numbers");
    assert_eq!(energies, energy.doubles("energy_exact").expect("numbers"));
    let areas: Vec<f64> = energy
        .doubles("region_area")
        .expect("numbers")
        .into_iter()
        .map(Option::unwrap)
        .collect();
    assert!(areas.iter().all(|area| (0.005..0.2).contains(area)));
    assert!(areas.iter().any(|area| *area != areas[0]), "shapes differ in size");
    let means = table.doubles("region_area").expect("numbers");
    let mean = areas.iter().skip(4).step_by(5).sum::<f64>() / (areas.len() / 5) as f64;
    assert!((means[row].expect("an area") - mean).abs() < 1e-6);
    assert!(place.path("results/mine/report.html").is_file());
}

#[test]
fn one_attribute_without_any_region_runs_to_the_report() {
    let place = Place::new(SHAPES);
    let settings = ["data.table.attributes=[hollow_square]", "data.table.masks=null"];
    let printed = succeeds(&place.run("reproduce", &settings));
    assert!(
        printed.contains("hollow_square") && printed.contains("TOO LITTLE DATA"),
        "{printed}"
    );
    let energy = place.table("balanced/energy.parquet");
    let known: Vec<f64> = energy
        .doubles("energy")
        .expect("numbers")
        .into_iter()
        .flatten()
        .collect();
    assert!(
        !known.is_empty() && known.iter().all(|energy| *energy == 1.0),
        "the whole image is the region"
    );
    assert!(
        energy
            .doubles("energy_exact")
            .expect("numbers")
            .iter()
            .all(Option::is_none)
    );
    let resolved = fs::read_to_string(place.path("results/mine/experiment.yaml")).expect("text");
    assert!(resolved.contains("regions: none"), "{resolved}");
    for figure in [
        "error_rates",
        "energies",
        "bias_reliance",
        "average_cams",
        "examples",
        "training_curves",
    ] {
        assert!(
            place.path(&format!("results/mine/figures/{figure}.pdf")).is_file(),
            "{figure}"
        );
    }

    // A regions file gives it a place.
    place.write(
        "regions.yaml",
        "regions: {middle: {attributes: [hollow_square], boxes: [{x: [0.25, 0.75], y: [0.25, 0.75]}]}}\n",
    );
    let settings = [settings[0], settings[1], "measure.regions=regions.yaml"];
    let output = place.run("reproduce", &settings);
    succeeds(&output);
    let again = said(&output);
    let kept = unchanged(&again, &["train/", "predict/"]);
    assert_eq!(kept, 4, "nothing is trained or scored again: {again}");
    assert_eq!(
        place
            .table("tables/attributes.csv")
            .doubles("region_area")
            .expect("numbers"),
        [Some(0.25)]
    );
}

/// The images of a results folder's predictions.
fn scored(place: &Place) -> Vec<String> {
    RowKeys::of(&place.table("unbalanced/predictions.parquet"))
        .expect("regular")
        .images
}

/// Damages four images in four ways: missing, cut off, no image, empty. Returns their names, the
/// last of them a test image, and the bytes of the missing one.
fn damage(place: &Place, test_image: &str) -> (Vec<String>, Vec<u8>) {
    let images = place.path("data/shapes-v1-240-seed3/images");
    let names: Vec<String> = ["00001.jpg", "00002.jpg", "00004.png"]
        .map(str::to_owned)
        .into_iter()
        .filter(|name| name != test_image)
        .chain([test_image.to_owned()])
        .collect();
    let missing = fs::read(images.join(&names[0])).expect("an image");
    for (way, name) in names.iter().enumerate() {
        let path = images.join(name);
        match way {
            0 => fs::remove_file(&path).expect("removed"),
            1 => {
                let bytes = fs::read(&path).expect("read");
                fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
            }
            2 => fs::write(&path, "<html>404 Not Found</html>").expect("written"),
            _ => fs::write(&path, "").expect("written"),
        }
    }
    (names, missing)
}

#[test]
fn bad_images_end_a_run_or_are_left_out_of_all_of_it() {
    let place = Place::new(SHAPES);
    let one = "classifiers={unbalanced: {class_weights: none}}";
    succeeds(&place.run("predict", &[one]));
    let before = scored(&place);
    let (bad, missing) = damage(&place, &before[5].clone());

    let output = place.run("reproduce", &[one, "seed=2"]);
    let message = fails(&output);
    assert!(
        bad.iter()
            .any(|name| message.contains(name.split('.').next().expect("a stem")))
            && message.contains("`data.on_bad_image: skip`"),
        "{message}"
    );

    let skip = [one, "data.on_bad_image=skip"];
    let output = place.run("explain", &[skip[0], skip[1], "data.bad_images_limit=3"]);
    let message = fails(&output);
    assert!(
        message.contains("more than data.bad_images_limit: 3 allows"),
        "{message}"
    );
    assert!(
        !place.path("results/mine/bad_images.csv").exists(),
        "a refused run leaves no list"
    );

    let output = place.run("explain", &skip);
    succeeds(&output);
    assert!(
        said(&output).contains("4 that cannot be used left out"),
        "{}",
        said(&output)
    );
    let list = place.table("bad_images.csv");
    let mut listed = list.texts("image").expect("names");
    listed.sort();
    let mut expected = bad.clone();
    expected.sort();
    assert_eq!(listed, expected);
    let after = scored(&place);
    let kept: Vec<String> = before.iter().filter(|name| !bad.contains(name)).cloned().collect();
    assert_eq!(after, kept, "predictions are of all others");
    let energy = RowKeys::of(&place.table("unbalanced/energy.parquet")).expect("regular");
    assert_eq!(energy.images, after, "and energies of the same");
    let manifest = fs::read_to_string(place.path("results/mine/manifest.json")).expect("text");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["skipped_images"].as_array().expect("a list").len(), 4);

    // Again: nothing to do. With one more bad image than listed, the run ends; with one repaired, all is made anew.
    let output = place.run("explain", &skip);
    succeeds(&output);
    let again = said(&output);
    let stages = ["bad_images", "train/", "predict/", "explain/"];
    assert_eq!(unchanged(&again, &stages), 4, "{again}");
    let repaired = place.path("data/shapes-v1-240-seed3/images").join(&bad[0]);
    fs::write(repaired, missing).expect("written");
    let output = place.run("explain", &skip);
    succeeds(&output);
    assert!(
        said(&output).contains("3 that cannot be used left out"),
        "{}",
        said(&output)
    );
    // It is a test image: the training stays what it was.
    assert_eq!(
        unchanged(&said(&output), &["bad_images", "predict/", "explain/"]),
        0,
        "{}",
        said(&output)
    );
    assert_eq!(unchanged(&said(&output), &["train/"]), 1, "{}", said(&output));
}

#[test]
fn what_is_wrong_with_a_table_is_said_in_a_paragraph() {
    let table = "data: {source: table, image_size: 32, table: {file: labels.csv, images: images}}\n";
    let place = Place::new(table);
    let message = fails(&place.run("train", &[]));
    for part in [
        "data.table.file: data/labels.csv is not there",
        "data.table.images: data/images is not there",
        "--data",
    ] {
        assert!(message.contains(part), "{message}");
    }
    place.write("data/images/a.png", "");
    for (rows, settings, expected) in [
        ("image,crack\na.png,1\n", &[][..], "the data set has no test images; "),
        ("image,crack\na.png,3\n", &[], "data/labels.csv:2: crack is \"3\""),
        (
            "image,crack\n../a.png,1\n",
            &[],
            "data/labels.csv:2: image name \"../a.png\"",
        ),
        (
            "image,crack\na.png,1\n",
            &["data.table.image_column=file"],
            "no column `file`, expected one of image, crack",
        ),
        (
            "image,crack\na.png,1\n",
            &["data.table.split_column=part"],
            "no column `part`",
        ),
        (
            "image,crack\na.png,1\n",
            &["data.table.split={test: 0.9, validation: 0.1}"],
            "data.table.split",
        ),
        (
            "image,crack\na.png,1\n",
            &["measure.regions=masks"],
            "expected data.table.masks",
        ),
        ("image,crack\na.png,1\n", &["data.table=null"], "data.table: missing"),
        (
            "image,crack\na.png,1\n",
            &["data.table.resize=squash"],
            "squash, expected one of crop, pad, stretch",
        ),
        (
            "image,crack\na.png,1\n",
            &["data.on_bad_image=ignore"],
            "ignore, expected one of fail, skip",
        ),
        (
            "image,crack,split\na.png,1,train\nb.png,,train\nc.png,1,test\n",
            &["data.table.split_column=split"],
            "crack has 1 positives and 0 negatives among the training images",
        ),
        (
            "image,crack,split\na.png,1,train\nb.png,0,train\nc.png,1,test\n",
            &["data.table.split_column=split", "measure.regions=celeba"],
            "no region for crack",
        ),
    ] {
        place.write("data/labels.csv", rows);
        let message = fails(&place.run("reproduce", settings));
        assert!(message.contains(expected), "{message:?} should contain {expected:?}");
    }
    assert!(
        !place.path("results/mine/experiment.yaml").exists(),
        "a refused run writes nothing"
    );
}

#[test]
fn groups_stay_together_and_go_into_the_predictions() {
    let place = flowers();
    let labels = fs::read_to_string(place.path("data/flowers/labels.csv")).expect("text");
    // Four pictures of each plant, whom the given split, in pairs, tears apart.
    let mut table = "image,wilted,potted,split,plant\n".to_owned();
    for (row, line) in labels.lines().skip(1).enumerate() {
        table += &format!("{line},{}\n", 1000 + row / 4);
    }
    place.write("data/flowers/labels.csv", &table);
    let plant_of = |image: &str| {
        let mut rows = table.lines().filter(|line| line.starts_with(image));
        let row = rows.next().expect("a row");
        row.rsplit(',').next().expect("a plant").to_owned()
    };
    let column = "data.table.group_column=plant";

    let output = place.run("measure", &[column]);
    succeeds(&output);
    let heard = said(&output);
    assert!(
        heard.contains(
            "data                     groups (data.table.group_column: plant): 3 of the 6 in test images are in training images too, \
             such as 1002 (training 2, test 2): errors on whom"
        ),
        "{heard}"
    );
    assert!(
        heard.contains("12 test images (all) of 6 groups, 2 attributes"),
        "{heard}"
    );
    let check = |place: &Place| {
        let scores = place.table("unbalanced/predictions.parquet");
        assert_eq!(scores.columns(), ["image", "attribute", "label", "score", "person"]);
        let people = scores.texts("person").expect("names");
        let images = scores.texts("image").expect("names");
        for (image, person) in images.iter().zip(&people) {
            assert_eq!(*person, plant_of(image), "{image}");
        }
        people.into_iter().collect::<std::collections::BTreeSet<String>>()
    };
    assert_eq!(check(&place).len(), 6);

    // A split that is made keeps them together, of a share of 0.2 three of fifteen plants.
    let made = [
        column,
        "data.table.split_column=null",
        "data.table.attributes=[wilted, potted]",
    ];
    let output = place.run("predict", &made);
    succeeds(&output);
    let heard = said(&output);
    assert!(!heard.contains("in training images too"), "{heard}");
    assert!(
        heard.contains("44 training, 4 validation, 12 test images (all) of 3 groups"),
        "{heard}"
    );
    assert_eq!(check(&place).len(), 3);

    // Without the column the table of scores has none either.
    succeeds(&place.run("predict", &made[1..]));
    let scores = place.table("unbalanced/predictions.parquet");
    assert_eq!(scores.columns(), ["image", "attribute", "label", "score"]);

    let rows = labels.lines().skip(1).map(|line| format!("{line},one\n"));
    let one = "image,wilted,potted,split,plant\n".to_owned() + &rows.collect::<String>();
    let nobody = table.replace("0005.jpg,0,1,train,1001", "0005.jpg,0,1,train,");
    assert_ne!(nobody, table);
    for (content, settings, expected) in [
        (
            nobody.as_str(),
            &[column][..],
            "data/flowers/labels.csv:6: plant is \"\", expected a name in every row of the group_column",
        ),
        (
            &table,
            &["data.table.group_column=tree"],
            "data/flowers/labels.csv:1: no column `tree`, expected one of image, wilted, potted, split, plant as group_column",
        ),
        (
            &table,
            &["data.table.group_column=split"],
            "data.table.group_column: `split`, expected another column than those of data.table.split_column",
        ),
        (
            &one,
            &made,
            "the data set has no test images; data.table.split keeps the images of a group together, and data.table.group_column: plant \
             makes 1 group of the 60 images",
        ),
    ] {
        place.write("data/flowers/labels.csv", content);
        let message = fails(&place.run("predict", settings));
        assert!(message.contains(expected), "{message:?} should contain {expected:?}");
    }
}

/// The blocks of YAML on the page "your own data".
fn page() -> Vec<&'static str> {
    let text = include_str!("../../../../docs/do/your-own-data.md");
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().expect("a block")).collect()
}

/// The page's flowers: pictures whose labels are their colours, some of them unknown, one below another folder.
fn flowers() -> Place {
    let blocks = page();
    let place = Place::new(&blocks[0].replace("image_size: 112", "image_size: 32"));
    place.write("regions.yaml", blocks[3]);
    let mut table = "image,wilted,potted,split\n".to_owned();
    fs::create_dir_all(place.path("data/flowers/images/more")).expect("made");
    for index in 0..60 {
        let (wilted, potted) = (index % 3 == 0, index % 2 == 0);
        let name = match index {
            2 => "more/0003.png".to_owned(),
            _ => format!("{:04}.jpg", index + 1),
        };
        let colour = image::Rgb([
            if wilted { 90 } else { 220 },
            if potted { 160 } else { 40 },
            3 * index as u8,
        ]);
        let path = place.path("data/flowers/images").join(&name);
        image::RgbImage::from_pixel(30, 40, colour).save(path).expect("written");
        let potted = if index == 1 {
            String::new()
        } else {
            u8::from(potted).to_string()
        };
        let split = ["train", "train", "train", "val", "test"][index / 2 % 5];
        table += &format!("{name},{},{potted},{split}\n", u8::from(wilted));
    }
    place.write("data/flowers/labels.csv", table);
    place
}

#[test]
fn the_page_for_your_own_data_says_what_runs() {
    let place = flowers();
    let blocks = page();
    assert_eq!(blocks.len(), 4, "experiment, split, augmentation, regions: {blocks:?}");
    let printed = succeeds(&place.run("reproduce", &["measure.regions=regions.yaml"]));
    assert!(
        printed.contains("wilted") && printed.contains("report.html"),
        "{printed}"
    );
    let table = place.table("tables/attributes.csv");
    let areas = table.doubles("region_area").expect("numbers");
    let names = table.texts("attribute").expect("names");
    // Six tenths by a half; columns 1 to 5 and rows 5 and 6 of the 7.
    for (name, expected) in [("wilted", 0.3), ("potted", 10.0 / 49.0)] {
        let row = names.iter().position(|one| one == name).expect("a row");
        let area = areas[row].expect("an area");
        // Cells and boxes are cut at the centres of 32 x 32 pixels.
        assert!((area - expected).abs() < 0.03, "{name}: {area} {expected}");
    }

    // The page's other lines, as settings.
    let line = |block: usize, key: &str| {
        let found = blocks[block].lines().find_map(|line| line.trim().strip_prefix(key));
        found.expect("the key is in this block").to_owned()
    };
    let split = format!("data.table.split={}", line(1, "split: "));
    let augmentation = format!("training.augmentation={}", line(2, "augmentation: "));
    fs::write(place.path("data/flowers/images/0002.jpg"), "no picture").expect("written");
    let settings = [
        "data.table.split_column=null",
        &split,
        &augmentation,
        "data.table.attributes=[wilted, potted]",
        "data.on_bad_image=skip",
    ];
    succeeds(&place.run("train", &settings));
    let bad = fs::read_to_string(place.path("results/mine/bad_images.csv")).expect("a list");
    assert!(bad.contains("0002.jpg"), "{bad}");
}

#[test]
fn transparent_pictures_and_masks_of_sixteen_bits_mean_what_they_look_like() {
    let place = Place::new(
        "data: {source: table, image_size: 16, table: {file: labels.csv, images: images, split_column: split, masks: masks}}\n",
    );
    let mut rows = "image,a,b,split\n".to_owned();
    for number in 0..12_u8 {
        rows += &format!(
            "{number}.png,{},{},{}\n",
            number % 2,
            number / 2 % 2,
            ["train", "test"][usize::from(number > 6)]
        );
        // The colour beneath differs from image to image; nobody sees it.
        let picture = image::RgbaImage::from_fn(20, 20, |x, _| match x {
            0..7 => image::Rgba([10 * number, 80, 9, 255]),
            _ => image::Rgba([20 * number, 255 - 20 * number, 0, 0]),
        });
        let mask = |value: u16| {
            image::ImageBuffer::<image::Luma<u16>, _>::from_fn(20, 20, |x, y| {
                image::Luma([if x < 7 && y < 10 { value } else { 0 }])
            })
        };
        for (attribute, value) in [("a", 1), ("b", u16::MAX)] {
            let file = place.path(&format!("data/masks/{attribute}/{number}.png"));
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            mask(value).save(file).expect("written");
        }
        fs::create_dir_all(place.path("data/images")).expect("made");
        picture
            .save(place.path(&format!("data/images/{number}.png")))
            .expect("written");
    }
    place.write("data/labels.csv", rows);
    succeeds(&place.run(
        "measure",
        &[
            "measure.occlusion.images=0",
            "measure.faithfulness.images=0",
            "training.batch_size=4",
        ],
    ));
    // 7 x 10 of 20 x 20 pixels, on 16 x 16 cells.
    let areas = place.table("tables/attributes.csv");
    for area in areas.doubles("region_area").expect("numbers").into_iter().flatten() {
        assert!((area - 0.175).abs() < 0.05, "{area}");
    }
    let manifest = fs::read_to_string(place.path("results/mine/manifest.json")).expect("a manifest");
    assert!(
        manifest.contains("transparent parts of images"),
        "results of hidden colours are made again"
    );

    // Several labels in one mask: which is meant nobody knows.
    let labels = image::GrayImage::from_fn(20, 20, |x, _| image::Luma([(x / 7) as u8]));
    labels.save(place.path("data/masks/a/11.png")).expect("written");
    let message = fails(&place.run("measure", &["training.batch_size=4"]));
    assert!(
        message.contains(
            "masks/a/11.png: a picture with several labels (0, 1, 2), expected a mask of two kinds of pixels"
        ),
        "{message}"
    );
}

/// Pictures of which the left half is bright where `Lung Opacity` is yes, and a table of them as a spreadsheet saves it.
fn opacities(place: &Place) {
    let mut rows = "sep=;\r\nimage;Lung Opacity;\"50 % of a/b; c\";split\r\n".to_owned();
    let mut boxes = "image;attribute;x;y;width;height\r\n".to_owned();
    for index in 0..48_u32 {
        let (bright, split) = (
            index % 2 == 0,
            ["train", "train", "train", "val", "test", "test"][index as usize % 6],
        );
        let other = if (index / 6) % 2 == 0 { "Yes" } else { "" };
        let other = if (index / 12) % 2 == 0 { other } else { "no" };
        rows += &format!(
            ".\\images\\{index:02}.jpg;{};{other};{split}\r\n",
            if bright { "YES" } else { "No" }
        );
        boxes += &format!("{index:02}.PNG;Lung Opacity;0;0;8;16\r\n{index:02}.PNG;Lung Opacity;8;0;2;4\r\n");
        let value = |x: u32| if bright && x < 8 { 200 } else { 20 + index as u8 };
        let picture = image::RgbImage::from_fn(16, 16, |x, y| image::Rgb([value(x), 3 * y as u8, value(x)]));
        let path = place.path(&format!("data/images/{index:02}.PNG"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        picture
            .save_with_format(path, image::ImageFormat::Png)
            .expect("written");
    }
    place.write("data/labels.csv", rows + ";;;\r\n\r\n");
    place.write("data/boxes.csv", boxes);
}

const OPACITIES: &str = "\u{feff}data:
  source: table
  image_size: 16
  table: {file: labels.csv, images: images, split_column: split, boxes: boxes.csv}
";

#[test]
fn a_table_as_a_spreadsheet_on_windows_saves_it_runs_to_the_report() {
    let place = Place::new(OPACITIES);
    opacities(&place);
    let output = place.run("reproduce", &["training.augmentation.mirror=0"]);
    let printed = succeeds(&output);
    let found = "48 images were found under other names: .\\images\\00.jpg is 00.PNG";
    assert!(said(&output).contains(found), "{}", said(&output));
    assert!(printed.contains("Lung Opacity"), "{printed}");
    let latex = fs::read_to_string(place.path("results/mine/tables/tables.tex")).expect("tables");
    assert!(!latex.contains("frontal"), "{latex}");
    let table = fs::read_to_string(place.path("results/mine/tables/attributes.tex")).expect("a table");
    assert!(
        table.contains("Lung Opacity") && table.contains("50 \\% of a/b; c"),
        "{table}"
    );

    // The boxes of an image are its region: half of it, and a corner of the other half.
    let energy = place.table("unbalanced/energy.parquet");
    let (attributes, areas) = (
        energy.texts("attribute").expect("names"),
        energy.doubles("region_area").expect("numbers"),
    );
    for (attribute, area) in attributes.iter().zip(areas) {
        let expected = (attribute == "Lung Opacity").then_some((8 * 16 + 2 * 4) as f64 / 256.0);
        assert_eq!(area.filter(|area| *area > 0.0), expected, "{attribute}");
    }
    let again = place.run("reproduce", &["training.augmentation.mirror=0"]);
    assert_eq!(unchanged(&said(&again), &["train/", "explain/"]), 4, "{}", said(&again));
    let boxes = fs::read_to_string(place.path("data/boxes.csv")).expect("text");
    place.write("data/boxes.csv", boxes.replace(";8;16\r", ";8;8\r"));
    let again = place.run("reproduce", &["training.augmentation.mirror=0"]);
    assert_eq!(unchanged(&said(&again), &["train/", "explain/"]), 2, "{}", said(&again));
}

#[test]
fn images_are_looked_for_before_anything_is_trained() {
    let place = Place::new(OPACITIES);
    opacities(&place);
    for index in [4, 5, 10] {
        fs::remove_file(place.path(&format!("data/images/{index:02}.PNG"))).expect("removed");
    }
    let message = fails(&place.run("train", &[]));
    assert!(
        message.contains("image .\\images\\04.jpg") || message.contains("image 04.jpg"),
        "{message}"
    );
    assert!(
        message.contains("the first of 3 images that cannot be read"),
        "{message}"
    );
    assert!(!place.path("results/mine/unbalanced").exists());

    // What is there and no picture is found by reading all.
    opacities(&place);
    place.write("data/images/10.PNG", "no picture");
    let message = fails(&place.run("train", &["data.check_images=true"]));
    assert!(
        message.contains("data.check_images: 1 image that cannot be used"),
        "{message}"
    );
    assert!(
        message.contains("10.PNG") && message.contains("on_bad_image"),
        "{message}"
    );
    assert!(!place.path("results/mine/unbalanced").exists());
}

/// A box beyond its picture or a mask that cannot be used would end a run hours later, when maps are measured.
#[test]
fn what_a_check_finds_beside_a_table_a_run_finds_before_it_trains() {
    let place = Place::new(OPACITIES);
    opacities(&place);
    let printed = succeeds(&place.check());
    assert!(printed.contains("nothing is wrong with them"), "{printed}");

    let boxes = fs::read_to_string(place.path("data/boxes.csv")).expect("text");
    place.write("data/boxes.csv", boxes + "04.PNG;Lung Opacity;90;0;8;8\r\n");
    let beyond = |message: &str| {
        assert!(
            message.contains("boxes.csv:98") && message.contains("no pixel of the image in it"),
            "{message}"
        );
    };
    beyond(&fails(&place.check()));
    beyond(&fails(&place.run("reproduce", &[])));
    assert!(!place.path("results/mine/unbalanced").exists());

    place.write(
        "mine.yaml",
        format!("{}{NETWORK}", OPACITIES.replace("boxes: boxes.csv", "masks: masks")),
    );
    let labels = image::GrayImage::from_fn(16, 16, |x, _| image::Luma([(x % 4) as u8]));
    fs::create_dir_all(place.path("data/masks/Lung Opacity")).expect("made");
    labels
        .save(place.path("data/masks/Lung Opacity/04.png"))
        .expect("written");
    for output in [place.check(), place.run("reproduce", &[])] {
        let message = fails(&output);
        assert!(message.contains("04.png") && message.contains("label"), "{message}");
    }
    assert!(!place.path("results/mine/unbalanced").exists());
}
