//! `experiments/smoke.yaml` from procedural faces to the report, as a user runs it: through the program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::place::{Place, fails, succeeds};
use pipeline::{ReadTable, RowKeys};

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_whole_run() {
    let place = Place::empty();
    let printed = succeeds(&place.run("reproduce", &[]));
    // Eight seconds teach a network next to nothing, and the run says so.
    let caution = "Caution. The mean AUROC is 0.5";
    for part in [
        "Wearing_Hat",
        "minority error",
        "The paper's claims",
        caution,
        "report.html",
    ] {
        assert!(printed.contains(part), "the output should contain {part:?}:\n{printed}");
    }

    let report = String::from_utf8(read(&place.results("report.html"))).expect("text");
    assert!(report.contains(caution) && !report.contains("Caution: maps have"));

    // Scores and energies: images times attributes, in range, and the same images for both classifiers.
    let mut images = Vec::new();
    for classifier in ["unbalanced", "balanced"] {
        let scores = ReadTable::parquet(&place.results(&format!("{classifier}/predictions.parquet"))).expect("scores");
        let energy = ReadTable::parquet(&place.results(&format!("{classifier}/energy.parquet"))).expect("energies");
        let keys = RowKeys::of(&scores).expect("images times attributes");
        assert_eq!(keys.attributes.len(), 40);
        assert_eq!(RowKeys::of(&energy).expect("images times attributes"), keys);
        assert!(
            scores
                .doubles("score")
                .expect("numbers")
                .iter()
                .all(|score| score.is_some_and(f64::is_finite))
        );
        for column in [
            "energy",
            "energy_corrected",
            "mask_ratio",
            "mask_ratio_corrected",
            "energy_exact",
            "energy_centred",
        ] {
            let values: Vec<f64> = energy.doubles(column).expect("numbers").into_iter().flatten().collect();
            assert!(!values.is_empty(), "{column} is empty");
            assert!(
                values.iter().all(|value| (0.0..=1.0).contains(value)),
                "{column} leaves [0, 1]"
            );
        }
        the_parts_make_the_scores(&energy, &scores, keys.attributes.len());
        hidden_regions_and_biases(
            &ReadTable::parquet(&place.results(&format!("{classifier}/occlusion.parquet"))).expect("a table"),
            &scores,
        );
        methods_tried(&place, classifier);
        images.push(keys.images);
    }
    assert_eq!(images[0], images[1]);

    // The tables say what the predictions say.
    let table = ReadTable::csv(&place.results("tables/attributes.csv")).expect("a table");
    assert_eq!(table.height(), 40);
    let scores = ReadTable::parquet(&place.results("unbalanced/predictions.parquet")).expect("scores");
    let (labels, values) = (
        scores.integers("label").expect("labels"),
        scores.doubles("score").expect("scores"),
    );
    let attribute = &scores.texts("attribute").expect("names");
    let name = &table.texts("attribute").expect("names")[0];
    let of_first = || {
        attribute
            .iter()
            .zip(&labels)
            .zip(&values)
            .filter(|((found, _), _)| *found == name)
    };
    let positives = of_first().filter(|((_, label), _)| **label == 1).count();
    let missed = of_first()
        .filter(|((_, label), score)| **label == 1 && score.is_some_and(|s| s < 0.0))
        .count();
    let expected = missed as f64 / positives as f64;
    let found = table.doubles("unbalanced_fnr").expect("numbers")[0].expect("a rate");
    assert!(
        (found - expected).abs() < 1e-12,
        "{name}: {found} in the table, {expected} from the scores"
    );
    let latex = String::from_utf8(read(&place.results("tables/attributes.tex"))).expect("text");
    assert_eq!(latex.matches(r"\\").count(), 43, "three head lines and 40 attributes");

    audited(&place);

    // Figures are pictures, the report names no other file it would need.
    // Procedural faces are not compared with the paper.
    for figure in render::figures::NAMES
        .into_iter()
        .filter(|name| !["published", "decomposition"].contains(name))
    {
        let svg = String::from_utf8(read(&place.results(&format!("figures/{figure}.svg")))).expect("text");
        assert!(svg.contains("<svg"), "{figure}.svg");
        assert!(
            read(&place.results(&format!("figures/{figure}.pdf"))).starts_with(b"%PDF"),
            "{figure}.pdf"
        );
        let png = image::load_from_memory(&read(&place.results(&format!("figures/{figure}.png")))).expect(figure);
        let first = *png.to_rgb8().get_pixel(0, 0);
        assert!(
            png.to_rgb8().pixels().any(|pixel| *pixel != first),
            "{figure}.png is blank"
        );
    }
    let report = String::from_utf8(read(&place.results("report.html"))).expect("text");
    assert!(report.contains("<html") && !report.contains("src=\"http"));

    // A second run does nothing, and says so; one changed setting runs again only what depends on it.
    let before = read(&place.results("manifest.json"));
    let again = place.run("reproduce", &[]);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(said.matches("unchanged").count(), 18, "{said}");
    let stages = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON")["stages"].clone();
    assert_eq!(stages(&before), stages(&read(&place.results("manifest.json"))));
    let other = place.run("measure", &["measure.resamples=300"]);
    succeeds(&other);
    assert_eq!(String::from_utf8_lossy(&other.stderr).matches("unchanged").count(), 14);
}

/// `biascam audit` of the folder: rates as they are, and as many images behind an energy as there are maps with any.
fn audited(place: &Place) {
    let out = place.folder.path().join("audit");
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.arg("audit").arg(place.results("")).arg("--output").arg(&out);
    let printed = succeeds(&command.output().expect("the program starts"));
    assert!(printed.contains("n: how many images these are"), "{printed}");
    let audit = ReadTable::csv(&out.join("audit.csv")).expect("a table");
    let table = ReadTable::csv(&place.results("tables/attributes.csv")).expect("a table");
    for column in [
        "unbalanced_fnr",
        "balanced_fpr",
        "unbalanced_balanced_error",
        "region_area",
    ] {
        let [found, expected] = [&audit, &table].map(|table| table.doubles(column).expect("numbers"));
        assert_eq!(found, expected, "{column}");
    }
    let scores = ReadTable::parquet(&place.results("balanced/predictions.parquet")).expect("scores");
    let energy = ReadTable::parquet(&place.results("balanced/energy.parquet")).expect("energies");
    let (scores, energies) = (
        scores.doubles("score").expect("scores"),
        energy.doubles("energy").expect("energies"),
    );
    let of = energy.texts("attribute").expect("names");
    let counted = audit.integers("balanced_images_predicted_positive").expect("numbers");
    for (name, counted) in audit.texts("attribute").expect("names").iter().zip(counted) {
        let behind =
            |&row: &usize| of[row] == *name && energies[row].is_some() && scores[row].is_some_and(|score| score >= 0.0);
        assert_eq!((0..of.len()).filter(behind).count() as i64, counted, "{name}");
    }
}

/// Head's bias and evidence make |score|, and so do constant part and specific evidence; the constant part is the mean score.
/// Scores come from the network's own layers, the parts from the maps: they agree to float32's rounding of sums of some dozen
/// products on values near 1.
fn the_parts_make_the_scores(energy: &ReadTable, scores: &ReadTable, attributes: usize) {
    let numbers = |table: &ReadTable, name: &str| -> Vec<f64> {
        let values = table.doubles(name).expect("numbers");
        values.into_iter().map(|value| value.expect("complete")).collect()
    };
    let scores = numbers(scores, "score");
    for (constant, evidence) in [("bias", "evidence"), ("constant", "specific")] {
        let mut sums = numbers(energy, constant);
        for part in ["for_inside", "for_outside", "against_inside", "against_outside"] {
            let part = numbers(energy, &format!("{evidence}_{part}"));
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        for (sum, score) in sums.iter().zip(&scores) {
            assert!((sum - score.abs()).abs() < 1e-4, "{constant}: {sum} for {score}");
        }
    }
    // Images are outermost: the first row of each attribute is the first image's.
    for (attribute, constant) in numbers(energy, "constant").into_iter().take(attributes).enumerate() {
        let of: Vec<f64> = scores.iter().skip(attribute).step_by(attributes).copied().collect();
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        let sign = if of[0] >= 0.0 { 1.0 } else { -1.0 };
        assert!((constant - sign * mean).abs() < 1e-4);
    }
}

/// Scores with a region hidden: of the images themselves, with a control where there is room for one, in logits; and what input and
/// all biases make of a score is that score.
fn hidden_regions_and_biases(table: &ReadTable, scores: &ReadTable) {
    let keys = RowKeys::of(table).expect("images times attributes");
    let all = RowKeys::of(scores).expect("images times attributes");
    assert!(keys.images.iter().all(|image| all.images.contains(image)));
    let column = |name: &str| table.doubles(name).expect("numbers");
    let of_all = scores.doubles("score").expect("scores");
    let row = |row: usize| {
        let image = &keys.images[row / 40];
        40 * all
            .images
            .iter()
            .position(|name| name == image)
            .expect("an image of the test set")
            + row % 40
    };
    let (score, region, control) = (column("score"), column("region_hidden"), column("control_hidden"));
    let (input, bias) = (column("input_part"), column("bias_part"));
    let predicted = table.integers("predicted").expect("numbers");
    let mut moved = 0;
    for i in 0..score.len() {
        let (found, z) = (score[i].expect("a score"), of_all[row(i)].expect("a score"));
        // Another batch of the same network: float32's rounding.
        assert!((found * predicted[i] as f64 - z).abs() < 1e-4, "{found} {z}");
        let hidden = region[i].expect("every region has pixels");
        moved += usize::from((hidden - found).abs() > 1e-3);
        // Most of the face has no room for a control of its size elsewhere; every box has.
        let name = keys.attributes[i % 40].as_str();
        if matches!(name, "Young" | "Male" | "Black_Hair" | "Oval_Face") {
            assert_eq!(control[i], None, "{name}");
        } else if matches!(name, "Smiling" | "Eyeglasses" | "Bald" | "Sideburns") {
            assert!(control[i].is_some(), "{name}");
        }
        if let (Some(input), Some(bias)) = (input[i], bias[i]) {
            // A sum of some hundred thousand products of float32 that partly cancel.
            assert!(
                (input + bias - found).abs() < 2e-3 * (1.0 + input.abs()),
                "{input} + {bias} is not {found}"
            );
        }
    }
    assert!(
        moved > score.len() / 2,
        "hiding regions moves {moved} of {} scores",
        score.len()
    );
    let decomposed = bias.iter().flatten().count();
    assert_eq!(decomposed, 40 * 16, "measure.decomposed_images");
}

/// Twelve scores, each tried by five methods and three baselines, and by the five while six parts of the network are randomised.
fn methods_tried(place: &Place, classifier: &str) {
    let read =
        |file: &str| ReadTable::parquet(&place.results(&format!("{classifier}/{file}.parquet"))).expect("a table");
    let table = read("faithfulness");
    assert_eq!(table.height(), 12 * 8);
    let methods = table.texts("method").expect("names");
    let (score, deletion) = (
        table.doubles("score").expect("numbers"),
        table.doubles("deletion").expect("numbers"),
    );
    assert!(score.iter().all(|score| score.is_some_and(|score| score >= 0.0)));
    assert!(deletion.iter().all(|area| area.is_some_and(f64::is_finite)));
    assert_eq!(table.doubles("road").expect("numbers").iter().flatten().count(), 2 * 8);
    for (column, whole) in [
        ("pointing_region", true),
        ("pointing_exact", true),
        ("mask_score_region", false),
        ("mask_score_exact", false),
        ("heatmap_score", false),
    ] {
        let values: Vec<f64> = table.doubles(column).expect("numbers").into_iter().flatten().collect();
        assert!(!values.is_empty(), "{column} is empty");
        assert!(
            values
                .iter()
                .all(|value| (0.0..=1.0).contains(value) && (!whole || value.fract() == 0.0)),
            "{column}"
        );
    }
    let sanity = read("sanity");
    // The head, two stages, and the stem.
    assert_eq!(sanity.height(), 12 * 5 * 4);
    let similarity: Vec<f64> = sanity
        .doubles("similarity")
        .expect("numbers")
        .into_iter()
        .flatten()
        .collect();
    assert!(similarity.iter().all(|value| (-1.0..=1.0).contains(value)));
    assert!(
        similarity.iter().any(|value| *value < 0.5),
        "randomised networks have the same maps"
    );
    assert!(methods.iter().any(|name| name == "random_map") && methods[0] == "hires_cam");
}

#[test]
fn what_is_hidden_is_a_choice_and_may_be_nothing() {
    let place = Place::new();
    let one = "classifiers={unbalanced: {class_weights: none}}";
    let table = || ReadTable::parquet(&place.results("unbalanced/occlusion.parquet")).expect("a table");
    for fill in ["blur", "mean"] {
        let fill = format!("measure.occlusion={{images: 6, hide: exact_mask, fill: {fill}}}");
        succeeds(&place.run(
            "measure",
            &[
                one,
                &fill,
                "measure.faithfulness.images=0",
                "measure.decomposed_images=0",
            ],
        ));
        let hidden = table().doubles("region_hidden").expect("numbers");
        assert_eq!(hidden.len(), 6 * 40);
        // Procedural faces have a mask of every attribute, whether the face shows it or not.
        assert!(hidden.iter().flatten().count() > 200, "masks are empty");
        let control = table().doubles("control_hidden").expect("numbers");
        assert!(
            hidden
                .iter()
                .zip(control)
                .all(|(hidden, control)| hidden.is_some() || control.is_none())
        );
        assert!(
            table()
                .doubles("bias_part")
                .expect("numbers")
                .iter()
                .all(Option::is_none)
        );
    }
    let nothing = [
        "measure.occlusion.images=0",
        "measure.faithfulness.images=0",
        "measure.decomposed_images=0",
    ];
    succeeds(&place.run("reproduce", &[&[one][..], &nothing].concat()));
    assert!(!place.results("unbalanced/occlusion.parquet").exists());
    assert!(place.results("report.html").exists());
    let message = fails(&place.run("measure", &["measure.faithfulness.methods=[grad_cams]"]));
    assert!(
        message.contains("grad_cams") && message.contains("grad_cam_plus_plus"),
        "{message}"
    );
}

#[test]
fn one_and_two_threads_and_an_interruption_end_in_the_same_bytes() {
    let settings = [
        "classifiers={unbalanced: {class_weights: none}}",
        "training.checkpoint_seconds=0",
    ];
    let bytes = |place: &Place| {
        ["checkpoint.safetensors", "training.parquet"].map(|file| read(&place.results(&format!("unbalanced/{file}"))))
    };
    let whole = Place::new();
    let output = whole.command("train", &settings).env("RAYON_NUM_THREADS", "2").output();
    succeeds(&output.expect("the program starts"));

    let single = Place::new();
    let output = single
        .command("train", &settings)
        .env("RAYON_NUM_THREADS", "1")
        .output();
    succeeds(&output.expect("the program starts"));
    assert_eq!(
        bytes(&whole),
        bytes(&single),
        "the number of threads changes the result"
    );

    // Killed without warning in the middle of an epoch, then run again.
    let killed = Place::new();
    let mut child = killed.command("train", &settings).spawn().expect("the program starts");
    let state = killed.results("unbalanced/unfinished.safetensors");
    let progress = || {
        let checkpoint = model::Checkpoint::from_bytes(&std::fs::read(&state).ok()?).ok()?;
        Some(checkpoint.progress)
    };
    while progress().is_none_or(|progress| progress.step < 5) && child.try_wait().expect("a status").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let left = progress().expect("a saved state");
    assert!(
        left.step >= 5,
        "killed before there was anything to go on from: {left:?}"
    );
    succeeds(&killed.run("train", &settings));
    assert!(!state.exists());
    assert_eq!(bytes(&whole), bytes(&killed), "an interruption changes the result");
    // The log says everything once, but for how long it took.
    let log = |place: &Place| {
        let text = String::from_utf8(read(&place.results("unbalanced/training.jsonl"))).expect("text");
        let lines = text.lines().map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let fields = line.as_object_mut().expect("an object");
            assert!(fields.remove("time").is_some() && fields.remove("images_per_second").is_some());
            line
        });
        lines.collect::<Vec<_>>()
    };
    let lines = log(&whole);
    assert_eq!(lines.iter().filter(|line| line["event"] == "epoch").count(), 2);
    assert_eq!(lines, log(&killed), "an interruption changes the log");
}
