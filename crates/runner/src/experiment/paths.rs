//! Relative paths in experiments: the rule that [`crate::experiment`] states.
//!
//! In memory a path starts from the working directory, whichever file named it, and a file has one spelling; in a results folder's
//! `experiment.yaml` it starts from that folder.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{Experiment, RegionSource, repository_of};
use crate::included::{self, Included};
use crate::yaml::{KeyPath, Node};

/// A path that something in `folder` names: from the working directory if it is below that, else from the root.
#[must_use]
pub fn resolved(folder: &Path, named: &Path) -> PathBuf {
    let whole = whole(&folder.join(named));
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    match here.ok().and_then(|here| whole.strip_prefix(here).ok()) {
        Some(rest) if !rest.as_os_str().is_empty() => rest.to_owned(),
        _ => whole,
    }
}

/// Whether a `data.folder` is the path of a folder, and not the name of a data set below `--data`.
#[must_use]
pub fn is_path(folder: &Path) -> bool {
    let first = folder.components().next();
    matches!(
        first,
        Some(Component::RootDir | Component::Prefix(_) | Component::CurDir | Component::ParentDir)
    )
}

/// A folder that something in `folder` names, told as a path ([`is_path`]).
pub(super) fn resolved_folder(folder: &Path, named: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let found = resolved(folder, named);
    if here.is_ok_and(|here| here == found) {
        PathBuf::from(".")
    } else {
        told(found)
    }
}

/// A path that cannot be taken for a name.
fn told(path: PathBuf) -> PathBuf {
    if is_path(&path) {
        path
    } else {
        Path::new(".").join(path)
    }
}

/// The experiment that the file at `path` names: beside it, or one of the program's own.
#[must_use]
pub fn resolved_experiment(path: &Path, named: &Path) -> PathBuf {
    let beside = resolved(path.parent().unwrap_or(Path::new("")), named);
    if included::exists(&beside) {
        return beside;
    }
    included::named(named).map_or(beside, Included::place)
}

/// A path from the root, without detours; a link at its end stays, for its name may be what counts.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name())
        && let Ok(folder) = folder.canonicalize()
    {
        return folder.join(name);
    }
    let mut short = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                short.pop();
            }
            _ => short.push(part),
        }
    }
    short
}

/// Makes the paths in a file of `folder`, or in a setting, start from the working directory.
pub(super) fn resolve(node: &mut Node, folder: &Path) {
    let is_file = |text: &str| matches!(RegionSource::from(text.to_owned()), RegionSource::File(_));
    resolve_one(node.get_mut(&KeyPath::new("measure.regions")), folder, is_file);
    if let Some(Node::Text(text)) = node.get_mut(&KeyPath::new("data.folder")) {
        let named = PathBuf::from(&*text);
        if is_path(&named) || (!text.is_empty() && folder.join(&named).is_dir()) {
            *text = resolved_folder(folder, &named).display().to_string();
        }
    }
    // A file prevails over a repository of the same name.
    let is_file = |text: &str| repository_of(text).is_none() || folder.join(text).is_file();
    resolve_one(node.get_mut(&KeyPath::new("model.pretrained")), folder, is_file);
    if let Some(classifiers) = node.get_mut(&KeyPath::new("classifiers")) {
        for (_, classifier) in classifiers.entries_mut() {
            resolve_one(classifier.get_mut(&KeyPath::new("weights")), folder, |_| true);
        }
    }
}

fn resolve_one(node: Option<&mut Node>, folder: &Path, is_file: impl Fn(&str) -> bool) {
    if let Some(Node::Text(text)) = node
        && is_file(text)
    {
        *text = resolved(folder, Path::new(text)).display().to_string();
    }
}

/// The value of a key that a sweep file in `folder` sets, with its paths from the working directory.
#[must_use]
pub fn resolved_setting(key: &str, value: &serde_json::Value, folder: &Path) -> serde_json::Value {
    let key = KeyPath::new(key);
    let mut node = Node::Null;
    let placed = Node::deserialize(value)
        .ok()
        .and_then(|value| node.set(&key, value).ok());
    if placed.is_some() {
        resolve(&mut node, folder);
        if let Some(json) = node.get(&key).and_then(|value| serde_json::to_value(value).ok()) {
            return json;
        }
    }
    value.clone()
}

/// The experiment with its paths from `folder`, as a file there says them.
pub(super) fn seen_from(experiment: &Experiment, folder: &Path) -> Experiment {
    let folder = folder.canonicalize().unwrap_or_else(|_| whole(folder));
    let mut experiment = experiment.clone();
    if let Some(RegionSource::File(path)) = &mut experiment.measure.regions {
        *path = from(&folder, path);
    }
    if let Some(path) = experiment.data.folder.as_mut().filter(|path| is_path(path)) {
        *path = told(from(&folder, path));
    }
    if let Some(choice) = &mut experiment.model.pretrained
        && (repository_of(choice).is_none() || Path::new(choice).is_file())
    {
        *choice = from(&folder, Path::new(choice)).display().to_string();
    }
    for path in experiment
        .classifiers
        .values_mut()
        .filter_map(|classifier| classifier.weights.as_mut())
    {
        *path = from(&folder, path);
    }
    experiment
}

/// The way from a folder to a place, both from the root: absolute where they share no more than that.
#[must_use]
pub fn way(folder: &Path, to: &Path) -> PathBuf {
    let both = folder.components().zip(to.components());
    let shared = both.take_while(|(a, b)| a == b).count();
    if shared < 2 {
        return to.to_owned();
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// The way from a folder to a file, as a setting says it.
fn from(folder: &Path, file: &Path) -> PathBuf {
    let way = way(folder, &whole(file));
    // `masks` alone would be the data set's.
    if way.components().count() == 1 {
        Path::new(".").join(way)
    } else {
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_take_no_detour() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("there");
        std::fs::create_dir(root.join("sweeps")).expect("made");
        assert_eq!(
            resolved(&root.join("sweeps"), Path::new("../base.yaml")),
            root.join("base.yaml")
        );
        assert_eq!(resolved(Path::new("a"), Path::new("../b.yaml")), Path::new("b.yaml"));
        assert_eq!(resolved(Path::new("a"), Path::new("/b/c.yaml")), Path::new("/b/c.yaml"));
        assert_eq!(from(&root.join("sweeps"), &root.join("a/b")), Path::new("../a/b"));
        assert_eq!(from(&root, &root.join("masks")), Path::new("./masks"));
        assert_eq!(from(&root, Path::new("/elsewhere/x")), Path::new("/elsewhere/x"));
    }

    #[test]
    fn keywords_and_repositories_are_no_paths() {
        let text = |value: &str| serde_json::Value::from(value);
        let folder = Path::new("sub");
        for (key, value, expected) in [
            ("measure.regions", "celeba", "celeba"),
            ("measure.regions", "my.yaml", "sub/my.yaml"),
            ("model.pretrained", "timm/resnet50.tv_in1k", "timm/resnet50.tv_in1k"),
            ("model.pretrained", "w/here.safetensors", "sub/w/here.safetensors"),
            ("classifiers.given.weights", "../a.safetensors", "a.safetensors"),
            ("data.folder", "flowers", "flowers"),
        ] {
            assert_eq!(
                resolved_setting(key, &text(value), folder),
                text(expected),
                "{key}: {value}"
            );
        }
        let whole = serde_json::json!({"given": {"weights": "a.safetensors"}, "other": {"exponent": 0.5}});
        let found = resolved_setting("classifiers", &whole, folder);
        assert_eq!(found["given"]["weights"], "sub/a.safetensors");
        assert_eq!(found["other"]["exponent"], 0.5);
    }
}
