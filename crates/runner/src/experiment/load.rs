//! From an experiment file, those that it extends and `--set` to a checked [`Experiment`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::extends::{File, chain};
use super::meant::with_meant;
use super::{Experiment, Unset, check, classifier, paths};
use crate::artefacts;
use crate::error::{Error, Fault, Result};
use crate::included;
use crate::yaml::{self, KeyPath, Layers, Node};
use pipeline::MANIFEST;

/// An experiment and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The name of its results folder: the file's name without extension.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The files that it extends, the next one first.
    pub extends: Vec<PathBuf>,
    /// What they say, complete and checked.
    pub experiment: Experiment,
}

/// Reads an experiment file and what it extends, and changes it by `settings`, each `key.path=value` with a YAML value.
///
/// # Errors
/// When a file cannot be read, a key is unknown or missing, a value is of the wrong type or out of range; the message names the file
/// and line that said it, or the setting.
pub fn load(path: &Path, settings: &[String]) -> Result<Loaded> {
    let path = &included::located(path);
    let mut layers = Layers::default();
    let files = chain(path)?;
    if let Some(sweep) = files.first().filter(|file| file.is_sweep()) {
        return Err(Error::Request(format!(
            "{0}: a sweep, expected an experiment; `biascam sweep {0}` makes its runs",
            sweep.place
        )));
    }
    let classifiers = KeyPath::new("classifiers");
    for file in files.iter().rev() {
        let found = match &file.node {
            Node::Map(_) | Node::Null => None,
            Node::List(_) => Some("a list"),
            _ => Some("a single value"),
        };
        if let Some(found) = found {
            let message = format!("{found}, expected an experiment: keys with values, such as `data:`");
            return Err(Error::experiment(&file.place, message));
        }
        layers.add_file(&file.place, &file.text, file.node.clone());
        // What extends this file, or sets a key of one classifier, finds the others there as if they had been written out.
        if layers.merged_mut().get(&classifiers).is_none() {
            layers.add_default(classifier::paper_classifiers_in_yaml());
        }
    }
    for setting in settings {
        add_setting(&mut layers, setting).map_err(|fault| Error::Experiment(vec![fault]))?;
    }
    place_table(&mut layers, &files, settings)?;
    if let Some(Node::Map(classifiers)) = layers.merged_mut().get_mut(&classifiers) {
        classifiers.retain(|(_, classifier)| *classifier != Node::Null);
    }
    let is_unset = {
        let said = layers.merged_mut().clone();
        move |keys: &[&str]| keys.iter().all(|key| said.get(&KeyPath::new(key)).is_none())
    };
    let mut experiment: Experiment = layers
        .typed()
        .map_err(|faults| Error::Experiment(faults.into_iter().map(with_meant).collect()))?;
    experiment.unset = Unset {
        network: is_unset(&["model.architecture", "model.width", "model.pretrained"]),
        faithfulness: is_unset(&["measure.faithfulness.images"]),
        decomposed: is_unset(&["measure.decomposed_images"]),
    };
    classifier::give_roles(&mut experiment.classifiers);
    let problems = check::check(&experiment);
    if !problems.is_empty() {
        let fault = |problem: &super::Problem| layers.fault(&KeyPath::new(&problem.key), &problem.message);
        return Err(Error::Experiment(problems.iter().map(fault).collect()));
    }
    experiment.measure.regions = Some(experiment.regions().clone());
    let name = name_of(path);
    let nameless = || {
        Error::experiment(
            path.display().to_string(),
            "a file name is needed, for it names the results",
        )
    };
    Ok(Loaded {
        name: name.ok_or_else(nameless)?,
        path: path.to_owned(),
        extends: files.into_iter().skip(1).map(|file| file.path).collect(),
        experiment,
    })
}

/// Says where a table is whose `data.folder` nobody has said: beside the file that names it, if it is there. Else it is in `--data`.
fn place_table(layers: &mut Layers, files: &[File], settings: &[String]) -> Result<()> {
    let [folder, table, shapes] = ["data.folder", "data.table.file", "data.table.shapes"].map(KeyPath::new);
    let merged = layers.merged_mut();
    let said = |key: &KeyPath| merged.get(key).is_some_and(|value| *value != Node::Null);
    let Some(Node::Text(file)) = merged.get(&table).filter(|_| !said(&folder) && !said(&shapes)) else {
        return Ok(());
    };
    let sets = |setting: &String| {
        let key = setting.split('=').next().unwrap_or_default();
        ["data", "data.table", "data.table.file"].contains(&key)
    };
    let here = settings.iter().any(sets).then_some(Path::new(""));
    let named = files.iter().find(|one| one.node.get(&table).is_some());
    let mut places = here.into_iter().chain(named.map(|one| included::folder_of(&one.path)));
    if let Some(place) = places.find(|place| place.join(file).is_file()) {
        let place = paths::resolved_folder(place, Path::new(".")).display().to_string();
        let placed = merged.set(&folder, Node::Text(place));
        placed.map_err(|message| Error::experiment("data.folder", message))?;
    }
    Ok(())
}

/// The file's name without extension; of the experiment that a results folder keeps, that folder's, so that the run is repeated there.
fn name_of(path: &Path) -> Option<String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_record = path.ends_with(artefacts::EXPERIMENT) && folder.join(MANIFEST).is_file();
    let name = if is_record {
        folder.canonicalize().ok()?.file_name()?.to_owned()
    } else {
        path.file_stem()?.to_owned()
    };
    name.into_string().ok().filter(|name| !name.is_empty())
}

fn add_setting(layers: &mut Layers, setting: &str) -> Result<(), Fault> {
    let (key, value) = Layers::read_setting(setting)?;
    let mut node = Node::Null;
    let placed = node.set(&key, value);
    placed.map_err(|message| Layers::setting_fault(setting, message))?;
    paths::resolve(&mut node, Path::new(""));
    layers.add_setting(setting, key, node)
}

/// The experiment as a YAML file in `folder`, with every default written out.
///
/// # Errors
/// None that an [`Experiment`] can cause; serde_yaml's are passed on.
pub fn to_yaml(experiment: &Experiment, folder: &Path) -> Result<String> {
    let seen = paths::seen_from(experiment, folder);
    yaml::write(&seen).map_err(|message| Error::experiment("experiment", message))
}

/// Every setting of an experiment file by its path (`training.epochs`), as YAML in one line. Keys need not be known: the file may be
/// of another version.
///
/// # Errors
/// When the text is not YAML.
pub fn settings_of(text: &str) -> Result<BTreeMap<String, String>, String> {
    let node = Layers::read(text, "settings").map_err(|fault| fault.to_string())?;
    let mut settings = BTreeMap::new();
    flatten(&node, "", &mut settings);
    Ok(settings)
}

fn flatten(node: &Node, path: &str, settings: &mut BTreeMap<String, String>) {
    match node {
        Node::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(value, &path, settings);
            }
        }
        other => {
            settings.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
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
    fn a_file_without_keys_is_named() {
        for (text, expected) in [
            ("", "sample.yaml: missing key `data`"),
            ("# nothing yet\n", "sample.yaml: missing key `data`"),
            ("- data\n", "sample.yaml: a list, expected an experiment"),
            ("<html>\n", "sample.yaml: a single value, expected an experiment"),
        ] {
            let message = load_text(text, &[]).expect_err(text).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    /// Files by name, in a folder of their own.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    const BASE: &str = "data: {source: procedural, image_size: 64}\ntraining:\n  epochs: 3\n  batch_size: 8\nfigures:\n  formats: [svg, pdf]\n";

    #[test]
    fn the_resolved_file_says_the_same() {
        let place = folder(&[
            ("base.yaml", BASE),
            ("regions.yaml", "regions: {}"),
            ("sub/weights.safetensors", ""),
            (
                "sub/mine.yaml",
                "extends: ../base.yaml\nclassifiers: {a: {class_weights: none, role: unbalanced}, b: {weights: weights.safetensors}}\n\
              measure: {regions: ../regions.yaml}\nmodel: {pretrained: weights.safetensors}\n",
            ),
            ("results/mine/experiment.yaml", ""),
        ]);
        let first = load(&place.path().join("sub/mine.yaml"), &["seed=7".to_owned()]).expect("loads");
        assert_eq!(first.name, "mine");
        assert_eq!((first.experiment.training.epochs, first.experiment.seed), (3, 7));
        let resolved = place.path().join("results/mine/experiment.yaml");
        let text = to_yaml(&first.experiment, &place.path().join("results/mine")).expect("writes");
        assert!(!text.contains("extends"), "{text}");
        for path in [
            "regions: ../../regions.yaml",
            "weights: ../../sub/weights.safetensors",
            "pretrained: ../../sub/weights.safetensors",
        ] {
            assert!(text.contains(path), "{path}: {text}");
        }
        std::fs::write(&resolved, text).expect("written");
        let again = load(&resolved, &[]).expect("loads");
        // A resolved file leaves nothing open.
        assert_eq!(again.experiment.unset, Unset::default());
        assert_ne!(first.experiment.unset, Unset::default());
        let closed = Experiment {
            unset: Unset::default(),
            ..first.experiment
        };
        assert_eq!(closed, again.experiment);
        assert!(again.extends.is_empty());
    }

    #[test]
    fn a_file_extends_another_key_by_key() {
        let place = folder(&[
            ("base.yaml", BASE),
            (
                "a/middle.yaml",
                "extends: ../base.yaml\ntraining: {epochs: 5}\nfigures: {formats: [png]}\n",
            ),
            (
                "a/top.yaml",
                "extends: middle.yaml\nseed: 2\ntraining: {batch_size: 16}\n",
            ),
            (
                "one.yaml",
                "extends: base.yaml\nclassifiers: {balanced: null, unbalanced: {class_weights: none}}\n",
            ),
        ]);
        let top = load(
            &place.path().join("a/top.yaml"),
            &["training.learning_rate=0.5".to_owned()],
        )
        .expect("loads");
        let experiment = &top.experiment;
        assert_eq!(top.extends.len(), 2);
        assert_eq!((experiment.seed, experiment.data.image_size), (2, 64));
        assert_eq!((experiment.training.epochs, experiment.training.batch_size), (5, 16));
        assert_eq!(experiment.training.learning_rate, 0.5);
        assert_eq!(experiment.figures.formats.len(), 1);
        let one = load(&place.path().join("one.yaml"), &[]).expect("loads");
        assert_eq!(one.experiment.classifiers.len(), 1);
    }

    #[test]
    fn faults_name_the_file_that_said_it() {
        let place = folder(&[
            (
                "base.yaml",
                "data:\n  source: procedural\ntraining:\n  epochs: 0\n  epoch: 3\n",
            ),
            (
                "top.yaml",
                "extends: base.yaml\nmodel:\n  architecture:\n    block: basic\n    stages:\n      - {width: 8, widht: 9}\n",
            ),
            (
                "range.yaml",
                "extends: base.yaml\ntraining: {epochs: 0, batch_size: 1}\nseed: 1\n",
            ),
        ]);
        let message = |file: &str, settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
            let error = load(&place.path().join(file), &settings).expect_err(file).to_string();
            error.replace(&format!("{}/", place.path().display()), "")
        };
        assert_eq!(
            message("top.yaml", &[]),
            "2 faults:\n- base.yaml:5: training.epoch: unknown key, expected one of loss, epochs, batch_size, learning_rate, schedule, \
             optimiser, momentum, weight_decay, precision, convolution, deterministic, augmentation, checkpoint_seconds, tensorboard, at_once\n\
             - top.yaml:6: model.architecture.stages[0].widht: unknown key, expected one of width, blocks, stride, kernel, entry_kernel"
        );
        std::fs::write(
            place.path().join("base.yaml"),
            "data:\n  source: procedural\ntraining:\n  momentum: 2\n",
        )
        .expect("written");
        assert_eq!(
            message(
                "range.yaml",
                &["training.weight_decay=-1", "training.augmentation.blur=99"]
            ),
            "5 faults:\n- range.yaml:2: training.epochs: 0, expected at least 1\n\
             - range.yaml:2: training.batch_size: 1, expected at least 2\n\
             - base.yaml:4: training.momentum: 2, expected at least 0 and at most 0.9999\n\
             - --set training.weight_decay=-1: training.weight_decay: -1, expected at least 0 and at most 1000\n\
             - --set training.augmentation.blur=99: training.augmentation.blur: 99, expected at least 0 and at most 50"
        );
    }

    #[test]
    fn roles_are_said_or_come_with_the_name() {
        let roles = |classifiers: &str| {
            let loaded = load_text(
                &format!("data: {{source: procedural}}\nclassifiers: {{{classifiers}}}\n"),
                &[],
            );
            loaded.map(|loaded| {
                let all = loaded.experiment.classifiers_in_order().into_iter();
                all.map(|(name, one)| (name.to_owned(), one.role)).collect::<Vec<_>>()
            })
        };
        let (unbalanced, balanced) = (Some(Role::Unbalanced), Some(Role::Balanced));
        for (classifiers, expected) in [
            (
                "balanced: {class_weights: none}, unbalanced: {class_weights: none}",
                [("unbalanced", unbalanced), ("balanced", balanced)],
            ),
            (
                "a: {class_weights: none, role: balanced}, b: {class_weights: none, role: unbalanced}",
                [("b", unbalanced), ("a", balanced)],
            ),
            (
                "z: {class_weights: none, role: unbalanced}, unbalanced: {class_weights: none}",
                [("z", unbalanced), ("unbalanced", None)],
            ),
            (
                "z: {class_weights: none}, y: {class_weights: none}",
                [("y", None), ("z", None)],
            ),
        ] {
            let found = roles(classifiers).expect(classifiers);
            let found: Vec<(&str, Option<Role>)> = found.iter().map(|(name, role)| (name.as_str(), *role)).collect();
            assert_eq!(found, expected, "{classifiers}");
        }
        let same = "a: {class_weights: none, role: balanced}, b: {class_weights: none, role: balanced}";
        let message = roles(same).expect_err(same).to_string();
        assert!(
            message.ends_with(
                "sample.yaml:2: classifiers.b.role: balanced, which `a` is; expected one classifier of a role"
            ),
            "{message}"
        );
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
                &["epoch", "epochs", "sample.yaml:3"][..],
            ),
            ("training: {}\n", &[], &["data", "missing"]),
            (
                "data: {source: imagenet}\n",
                &[],
                &["imagenet", "procedural", "celeba", "sample.yaml:1"],
            ),
            (
                "data: {source: procedural}\ntraining: {epochs: many}\n",
                &[],
                &["many", "sample.yaml:2"],
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
                "data: {source: procedural}\nseed: 1\ntraining: {epochs: 3}\n",
                &["training.batch_size=0"],
                &["--set training.batch_size=0: training.batch_size: 0, expected at least 2"],
            ),
            (
                "data: {source: procedural}\nmodel:\n  architecture:\n    block: basic\n    stem: {kernel: 3}\n",
                &[],
                &["sample.yaml:5: model.architecture.stem: missing key `stride`"],
            ),
            (
                "data: {source: procedural}\nmodel: {architecture: [3]}\n",
                &[],
                &[
                    "sample.yaml:2: model.architecture: a list, expected one of resnet18, resnet34, resnet50, or a network of one's own",
                ],
            ),
            (
                "data: {source: procedural}\n",
                &["model.architecture={block: basic, stages: [{width: 8, blocks: 1, stride: 3}]}"],
                &["--set model.architecture={", ": model.architecture: ", "stride"],
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
                "data:\n  source: table\n  table: {file: a.csv, images: b, split_column: part, group_column: part}\n",
                &[],
                &[
                    "sample.yaml:3: data.table.group_column: `part`, expected another column than those of data.table.split_column",
                ],
            ),
            (
                "data: {source: table, table: {file: a.csv, images: b, group_column: site}}\n",
                &["data.table.attributes=[crack, site]"],
                &["data.table.group_column: `site`, expected another column than those of data.table.attributes"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.method=cams"],
                &["explain.method", "cams", "hires_cam"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.layer=stage5"],
                &["explain", "stage5", "stage1, stage2, stage3, stage4"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.method=cam", "explain.layer=stage2"],
                &["cam is defined", "stage4", "stage2"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.rise.masks=0"],
                &["explain", "rise.masks", "at least 1"],
            ),
            (
                "data: {source: procedural}\n",
                &["explain.fame.steps=0"],
                &["explain", "fame.steps", "at least 1"],
            ),
            (
                "data: {source: procedural}\n",
                &["model.mean=[.nan, 0, 0]"],
                &["model.mean[0]: NaN, expected a finite number"],
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
                &["rainbow", "okabe_ito", "sample.yaml:2"],
            ),
            (
                "data: {source: procedural}\nfigures: {formats: [svg, eps]}\n",
                &[],
                &["eps", "svg", "pdf", "sample.yaml:2"],
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
            (
                "data: {source: procedural}\n",
                &["training.precision=bf16", "training.convolution=fast"],
                &["training.convolution", "fast", "direct with precision bf16"],
            ),
        ] {
            let message = load_text(text, settings).expect_err(text).to_string();
            for part in expected {
                assert!(message.contains(part), "{message:?} should contain {part:?}");
            }
        }
    }
}
