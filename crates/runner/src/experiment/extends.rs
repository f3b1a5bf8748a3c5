//! `extends`: an experiment file, and the files that it is written over.

use std::path::{Path, PathBuf};

use super::paths;
use crate::error::{Error, Fault, Result};
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

/// The file and all that it extends, each followed by the one that it extends itself.
///
/// # Errors
/// When one cannot be read, is not YAML, or extends itself by way of others.
pub(super) fn chain(path: &Path) -> Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next.take() {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path, "reading the experiment"))?;
        let one = |fault: Fault| Error::Experiment(vec![fault]);
        let mut node = Layers::read(&text, &place).map_err(one)?;
        let said = node.take(&KeyPath::new(EXTENDS));
        let folder = path.parent().unwrap_or(Path::new(""));
        paths::resolve(&mut node, folder);
        let fault = |message: String| {
            let line = yaml::line_of(&text, &KeyPath::new(EXTENDS)).map_or_else(String::new, |line| format!(":{line}"));
            Error::experiment(format!("{place}{line}"), format!("{EXTENDS}: {message}"))
        };
        match said {
            None | Some(Node::Null) => {}
            Some(Node::Text(named)) => {
                let extended = paths::resolved(folder, Path::new(&named));
                if !extended.is_file() {
                    return Err(fault(format!("{named}, but there is no file {}", extended.display())));
                }
                let known = files.iter().map(|file| &file.path).chain([&path]);
                let mut way: Vec<&PathBuf> = known.collect();
                let same = |a: &Path| a.canonicalize().ok() == extended.canonicalize().ok();
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
        assert_eq!(
            message("absent.yaml"),
            "absent.yaml:2: extends: nowhere.yaml, but there is no file nowhere.yaml"
        );
        assert!(message("several.yaml").ends_with("expected the path of one experiment file"));
    }
}
