//! `extends`: an experiment file, and the files that it is written over.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::paths;
use crate::artefacts;
use crate::error::{Error, Fault, Result};
use crate::included::{self, Kind};
use crate::picture;
use crate::yaml::{self, KeyPath, Layers, Node};

/// The key with which a file names the one that it extends.
const EXTENDS: &str = "extends";

/// One file of a chain.
pub(super) struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in messages.
    pub place: String,
    /// As it is written.
    pub text: String,
    /// What it says, without `extends`, and with paths from the working directory.
    pub node: Node,
}

impl File {
    /// Whether it names an experiment and what varies of it, in place of being one.
    pub fn is_sweep(&self) -> bool {
        let says = |key: &str| self.node.get(&KeyPath::new(key)).is_some();
        says("experiment") && !says("data")
    }
}

/// The file and all that it extends, each followed by the one that it extends itself.
///
/// # Errors
/// When one cannot be read, is not YAML, or extends itself by way of others.
pub(super) fn chain(path: &Path) -> Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next.take() {
        if let Some(message) = picture::instead_of(&path, "an experiment's file") {
            return Err(Error::Request(message));
        }
        let place = path.display().to_string();
        let text = included::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory => Error::Request(absent(&path)),
            _ => Error::io(&path, "reading the experiment")(error),
        })?;
        let one = |fault: Fault| Error::Experiment(vec![fault]);
        let mut node = Layers::read(&text, &place).map_err(one)?;
        let said = node.take(&KeyPath::new(EXTENDS));
        paths::resolve(&mut node, included::folder_of(&path));
        let fault = |message: String| {
            let line = yaml::line_of(&text, &KeyPath::new(EXTENDS)).map_or_else(String::new, |line| format!(":{line}"));
            Error::experiment(format!("{place}{line}"), format!("{EXTENDS}: {message}"))
        };
        match said {
            None | Some(Node::Null) => {}
            Some(Node::Text(named)) => {
                let extended = paths::resolved_experiment(&path, Path::new(&named));
                if !included::exists(&extended) {
                    let absent = included::absent(&extended, Kind::Experiment);
                    return Err(fault(format!("{named}, but {absent}")));
                }
                let known = files.iter().map(|file| &file.path).chain([&path]);
                let mut way: Vec<&PathBuf> = known.collect();
                let whole = extended.canonicalize().ok();
                let same = |a: &Path| *a == *extended || (whole.is_some() && a.canonicalize().ok() == whole);
                if let Some(start) = way.iter().position(|known| same(known)) {
                    way.push(&extended);
                    let names: Vec<String> = way[start..].iter().map(|path| path.display().to_string()).collect();
                    return Err(fault(format!("a circle, {}", names.join(" extends "))));
                }
                next = Some(extended);
            }
            Some(other) => return Err(fault(format!("{other}, expected the path of one experiment file"))),
        }
        files.push(File {
            path,
            place,
            text,
            node,
        });
    }
    Ok(files)
}

/// What is said of an experiment that is not there; a results folder has one inside.
fn absent(path: &Path) -> String {
    let record = path.join(artefacts::EXPERIMENT);
    if record.is_file() {
        return format!(
            "{}: a results folder, expected an experiment's file; the experiment that made it is {}",
            path.display(),
            record.display()
        );
    }
    included::absent(path, Kind::Experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_and_what_is_not_there_are_named() {
        let place = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [
            ("a.yaml", "extends: b.yaml\n"),
            ("b.yaml", "seed: 1\nextends: c.yaml\n"),
            ("c.yaml", "extends: b.yaml\n"),
            ("self.yaml", "extends: self.yaml\n"),
            ("absent.yaml", "seed: 1\nextends: nowhere.yaml\n"),
            ("several.yaml", "extends: [a.yaml, b.yaml]\n"),
        ] {
            std::fs::write(place.path().join(name), text).expect("written");
        }
        let message = |file: &str| {
            let error = chain(&place.path().join(file)).err().expect(file).to_string();
            error.replace(&format!("{}/", place.path().display()), "")
        };
        assert_eq!(
            message("a.yaml"),
            "c.yaml:1: extends: a circle, b.yaml extends c.yaml extends b.yaml"
        );
        assert_eq!(
            message("self.yaml"),
            "self.yaml:1: extends: a circle, self.yaml extends self.yaml"
        );
        let said = message("absent.yaml");
        assert!(
            said.starts_with(
                "absent.yaml:2: extends: nowhere.yaml, but nowhere.yaml: no such file, and no experiment inside"
            ),
            "{said}"
        );
        assert!(message("several.yaml").ends_with("expected the path of one experiment file"));
    }
}
