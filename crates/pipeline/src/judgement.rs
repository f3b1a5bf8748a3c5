//! Whether a step has to run, and why: the one place where that is decided, for a run, for what a run would do, and for a sweep that
//! looks which of its runs are finished.

use std::io::ErrorKind;
use std::path::Path;

use crate::content::Contents;
use crate::declaration::Declaration;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::reason::{Change, Reason};

/// Why a step would run in this folder; `None` where it would not.
///
/// # Errors
/// When one of its files is there but cannot be read: what it holds is not known then, and making it anew might lose it.
pub fn why(
    manifest: &Manifest,
    folder: &Path,
    contents: &Contents,
    declaration: &Declaration,
) -> Result<Option<Reason>> {
    let record = manifest.stages.get(declaration.step());
    let reason = changed(manifest, declaration);
    let mut own = Vec::new();
    // Files are looked at only where nothing else is a reason: there may be many, and large ones.
    for (path, hash) in record
        .filter(|_| reason.is_none())
        .iter()
        .flat_map(|record| &record.artefacts)
    {
        let file = folder.join(path);
        match contents.of(&file) {
            Ok(found) if found.to_string() == *hash => {}
            Ok(_) => own.push(Change::Altered { path: path.clone() }),
            Err(error) if error.kind() == ErrorKind::NotFound => own.push(Change::Missing { path: path.clone() }),
            Err(error) => return Err(Error::io(&file, "reading")(error)),
        }
    }
    Ok(Reason::with(reason, own))
}

/// Why a step would run, whatever has become of its own files.
pub fn changed(manifest: &Manifest, declaration: &Declaration) -> Option<Reason> {
    let record = manifest.stages.get(declaration.step());
    Reason::of(declaration, &declaration.reads(&manifest.stages), record)
}

/// Whether what a step reads of other steps is there as they have made it.
pub fn finds_its_artefacts(manifest: &Manifest, folder: &Path, contents: &Contents, declaration: &Declaration) -> bool {
    let reads = declaration.reads(&manifest.stages);
    let mut artefacts = reads.artefacts.values().flatten();
    artefacts.all(|(path, hash)| {
        contents
            .of(&folder.join(path))
            .is_ok_and(|found| found.to_string() == *hash)
    })
}

/// What would become of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Its name.
    pub step: String,
    /// Why it would run; `None` where it would not.
    pub reason: Option<Reason>,
    /// How long it took the last time, in seconds.
    pub seconds: Option<f64>,
}

/// What would become of some steps, in the order in which they would run. Behind a step that would run it is not known whether what it
/// makes comes out otherwise than before.
///
/// # Errors
/// As [`why`].
pub fn forecast(
    manifest: &Manifest,
    folder: &Path,
    contents: &Contents,
    declarations: &[Declaration],
) -> Result<Vec<Forecast>> {
    let mut forecasts: Vec<Forecast> = Vec::new();
    for declaration in declarations {
        let runs = |step: &str| forecasts.iter().any(|one| one.step == step && one.reason.is_some());
        let upstream: Vec<String> = declaration
            .steps()
            .filter(|step| runs(step))
            .map(str::to_owned)
            .collect();
        let reason = why(manifest, folder, contents, declaration)?;
        // Where nothing was made yet, nothing can come out otherwise.
        let knows_others = !upstream.is_empty() && manifest.stages.contains_key(declaration.step());
        let upstream = knows_others.then_some(Change::Upstream { steps: upstream });
        let reason = Reason::with(reason, upstream.into_iter().collect());
        forecasts.push(Forecast {
            step: declaration.step().to_owned(),
            reason,
            seconds: manifest.stages.get(declaration.step()).map(|record| record.seconds),
        });
    }
    Ok(forecasts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::content::Belief;
    use crate::record::StepRecord;

    fn declarations() -> [Declaration; 3] {
        [
            Declaration::of("train", 1).settings("epochs", &2),
            Declaration::of("predict", 1).artefact("train", "checkpoint"),
            Declaration::of("other", 1),
        ]
    }

    /// A folder in which all of it has run.
    fn folder() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut manifest = Manifest::default();
        for (declaration, file) in declarations().iter().zip(["checkpoint", "scores", "else"]) {
            fs::write(folder.path().join(file), file).expect("written");
            let record = StepRecord {
                version: 1,
                reads: declaration.reads(&manifest.stages),
                seconds: 3.0,
                artefacts: BTreeMap::from([(file.to_owned(), disk::hash_of(file.as_bytes()))]),
                ..StepRecord::default()
            };
            manifest.stages.insert(declaration.step().to_owned(), record);
        }
        (folder, manifest)
    }

    fn reasons(folder: &Path, manifest: &Manifest, declarations: &[Declaration]) -> Vec<String> {
        let contents = Contents::open(None, Belief::Unchanged);
        let forecasts = forecast(manifest, folder, &contents, declarations).expect("readable");
        assert!(forecasts.iter().all(|one| one.seconds == Some(3.0)));
        let words = |one: Forecast| one.reason.map_or_else(String::new, |reason| reason.to_string());
        forecasts.into_iter().map(words).collect()
    }

    #[test]
    fn a_step_runs_for_its_inputs_its_files_and_perhaps_after_another() {
        let (folder, manifest) = folder();
        let path = folder.path();
        assert_eq!(reasons(path, &manifest, &declarations()), ["", "", ""]);
        let [_, predict, other] = declarations();
        let longer = Declaration::of("train", 1).settings("epochs", &3);
        assert_eq!(
            reasons(path, &manifest, &[longer, predict, other]),
            ["epochs 2 -> 3", "after train, if their files come out otherwise", ""]
        );
        fs::write(path.join("scores"), "by another hand").expect("written");
        fs::remove_file(path.join("else")).expect("removed");
        assert_eq!(
            reasons(path, &manifest, &declarations()),
            ["", "scores was changed by somebody else", "else is missing"]
        );
    }

    #[test]
    fn a_step_finds_what_others_have_made_until_somebody_changes_it() {
        let (folder, manifest) = folder();
        let path = folder.path();
        let [train, predict, _] = declarations();
        let finds = || {
            let contents = Contents::open(None, Belief::Unchanged);
            finds_its_artefacts(&manifest, path, &contents, &predict)
        };
        assert!(finds());
        fs::write(path.join("checkpoint"), "by another hand").expect("written");
        assert!(!finds());
        assert_eq!(changed(&manifest, &train), None, "its own files do not count");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let (folder, manifest) = folder();
        let path = folder.path().join("checkpoint");
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        let contents = Contents::open(None, Belief::Unchanged);
        why(&manifest, folder.path(), &contents, &declarations()[0]).expect_err("a folder");
    }
}
