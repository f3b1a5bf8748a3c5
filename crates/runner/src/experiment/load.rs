//! From an experiment file and `--set` to a checked [`Experiment`]. The only module that knows serde_yaml.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::{Experiment, check};
use crate::error::{Error, Result};

/// An experiment and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The name of its results folder: the file's name without extension.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What it says, complete and checked.
    pub experiment: Experiment,
}

/// Reads an experiment file and changes it by `settings`, each `key.path=value` with a YAML value.
///
/// # Errors
/// When the file cannot be read, a key is unknown or missing, a value is of the wrong type or out of range; the message
/// names the file and line, or the setting.
pub fn load(path: &Path, settings: &[String]) -> Result<Loaded> {
    let place = path.display().to_string();
    let fault = |message: String| Error::Experiment {
        place: place.clone(),
        message,
    };
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "reading the experiment"))?;
    // Parsed once as it stands, because only then do messages carry the line; settings are applied to the parsed values.
    let mut experiment: Experiment = serde_yaml::from_str(&text).map_err(|error| fault(error.to_string()))?;
    if !settings.is_empty() {
        let mut value: Value = serde_yaml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        for setting in settings {
            let fault = |message: String| Error::Experiment {
                place: format!("--set {setting}"),
                message,
            };
            apply(&mut value, setting).map_err(fault)?;
            experiment = serde_yaml::from_value(value.clone()).map_err(|error| fault(error.to_string()))?;
        }
    }
    check::check(&experiment).map_err(fault)?;
    experiment.measure.regions = Some(experiment.regions().to_owned());
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|name| !name.is_empty());
    Ok(Loaded {
        name: name
            .ok_or_else(|| fault("a file name is needed, for it names the results".to_owned()))?
            .to_owned(),
        path: path.to_owned(),
        experiment,
    })
}

/// The experiment as a YAML file with every default written out.
///
/// # Errors
/// None that an [`Experiment`] can cause; serde_yaml's are passed on.
pub fn to_yaml(experiment: &Experiment) -> Result<String> {
    serde_yaml::to_string(experiment).map_err(|error| Error::Experiment {
        place: "experiment".to_owned(),
        message: error.to_string(),
    })
}

/// Every setting of an experiment file by its path (`training.epochs`), as YAML in one line. Keys need not be known: the file may be
/// of another version.
///
/// # Errors
/// When the text is not YAML.
pub fn settings_of(text: &str) -> Result<BTreeMap<String, String>, String> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let mut settings = BTreeMap::new();
    flatten(&value, "", &mut settings);
    Ok(settings)
}

fn flatten(value: &Value, path: &str, settings: &mut BTreeMap<String, String>) {
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            for (key, value) in mapping {
                let key = in_line(key);
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                flatten(value, &path, settings);
            }
        }
        other => {
            settings.insert(path.to_owned(), in_line(other));
        }
    }
}

/// A value as YAML's flow style has it.
fn in_line(value: &Value) -> String {
    let list = |items: Vec<String>, open, close| format!("{open}{}{close}", items.join(", "));
    match value {
        Value::Sequence(items) => list(items.iter().map(in_line).collect(), '[', ']'),
        Value::Mapping(mapping) => list(
            mapping
                .iter()
                .map(|(key, value)| format!("{}: {}", in_line(key), in_line(value)))
                .collect(),
            '{',
            '}',
        ),
        Value::Tagged(tagged) => in_line(&tagged.value),
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

/// Sets one `key.path=value` in a tree of mappings, making the mappings on the way.
fn apply(root: &mut Value, setting: &str) -> Result<(), String> {
    let (path, text) = setting.split_once('=').ok_or("expected key.path=value")?;
    let value: Value = serde_yaml::from_str(text).map_err(|error| format!("the value is not YAML: {error}"))?;
    let mut place = root;
    for key in path.split('.') {
        if key.is_empty() {
            return Err("expected key.path=value, found an empty key".to_owned());
        }
        if place.is_null() {
            *place = Value::Mapping(Mapping::new());
        }
        let mapping = place
            .as_mapping_mut()
            .ok_or_else(|| format!("`{key}` is below a key that has no keys"))?;
        place = mapping.entry(Value::String(key.to_owned())).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, settings: &[&str]) -> Result<Loaded> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sample.yaml");
        std::fs::write(&path, text).expect("a written file");
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        load(&path, &settings)
    }

    #[test]
    fn the_smallest_file_is_the_paper_s_comparison() {
        let loaded = load_text("data: {source: procedural}\n", &[]).expect("loads");
        assert_eq!(loaded.name, "sample");
        let names: Vec<_> = loaded
            .experiment
            .classifiers_in_order()
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        assert_eq!(names, ["unbalanced", "balanced"]);
    }

    #[test]
    fn the_resolved_file_says_the_same() {
        let first = load_text("data: {source: procedural}\nseed: 7\n", &["training.epochs=3"]).expect("loads");
        let again = load_text(&to_yaml(&first.experiment).expect("writes"), &[]).expect("loads");
        assert_eq!(first.experiment, again.experiment);
        assert_eq!(again.experiment.training.epochs, 3);
    }

    #[test]
    fn settings_are_listed_by_their_paths() {
        let text =
            "seed: 1\ndata: {source: celeba, folder: null}\nmodel:\n  stages:\n    - {width: 8}\n    - 3\nold: {}\n";
        let settings = settings_of(text).expect("YAML");
        let expected = [
            ("data.folder", "null"),
            ("data.source", "celeba"),
            ("model.stages", "[{width: 8}, 3]"),
            ("old", "{}"),
            ("seed", "1"),
        ];
        assert_eq!(
            settings,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
        );
        settings_of("a: [").expect_err("not YAML");
    }

    #[test]
    fn faults_name_place_and_remedy() {
        for (text, settings, expected) in [
            (
                "data: {source: procedural}\ntraining:\n  epoch: 3\n",
                &[][..],
                &["epoch", "epochs", "line 3"][..],
            ),
            ("training: {}\n", &[], &["data", "missing"]),
            (
                "data: {source: imagenet}\n",
                &[],
                &["imagenet", "procedural", "celeba", "line 1"],
            ),
            (
                "data: {source: procedural}\ntraining: {epochs: many}\n",
                &[],
                &["many", "line 2"],
            ),
            (
                "data: {source: procedural}\n",
                &["training.epoch=3"],
                &["--set training.epoch=3", "epochs"],
            ),
            (
                "data: {source: procedural}\n",
                &["training"],
                &["--set training", "key.path=value"],
            ),
            ("data: {source: procedural}\n", &["seed.x=1"], &["--set seed.x=1"]),
            (
                "data: {source: procedural}\n",
                &["training.batch_size=0"],
                &["batch_size"],
            ),
            (
                "data: {source: procedural}\n",
                &["model.architecture=resnet19"],
                &["resnet19", "resnet18"],
            ),
            (
                "data: {source: procedural}\nclassifiers: {one: {}}\n",
                &[],
                &["classifiers.one", "class_weights", "weights"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.method=cams"],
                &["explain.method", "cams", "hires_cam"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.layer=stage5"],
                &["explain", "stage5", "layer1, layer2, layer3, layer4"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.method=cam", "explain.layer=stage2"],
                &["cam is defined", "layer4", "layer2"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.rise.masks=0"],
                &["explain", "rise.masks", "at least 1"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.images=0"],
                &["explain.images", "at least 1"],
            ),
            (
                "data: {source: procedural}\n",
                &["figures.which=[error_rate]"],
                &["figures.which", "error_rate", "error_rates", "training_curves"],
            ),
            (
                "data: {source: procedural}\nfigures: {palette: rainbow}\n",
                &[],
                &["rainbow", "okabe_ito", "line 2"],
            ),
            (
                "data: {source: procedural}\nfigures: {formats: [svg, eps]}\n",
                &[],
                &["eps", "svg", "pdf", "line 2"],
            ),
            (
                "data: {source: procedural}\n",
                &["figures.columns={energies: triple}"],
                &["triple", "single", "double"],
            ),
            (
                "data: {source: procedural}\n",
                &["figures.resolution=9000"],
                &["figures.resolution", "9000", "1200"],
            ),
        ] {
            let message = load_text(text, settings).expect_err(text).to_string();
            for part in expected {
                assert!(message.contains(part), "{message:?} should contain {part:?}");
            }
        }
    }
}
