//! Files in a results folder that no step makes any more.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;

use crate::content::Contents;
use crate::error::{Error, Result, describe};
use crate::folder::ResultsFolder;
use crate::manifest::is_below;
use crate::progress::Progress;
use crate::record::StepRecord;

/// The folder of what the steps of an earlier plan have made, as that plan had it; those of later ones have a number behind it. No
/// classifier can be called so.
const EARLIER: &str = "earlier.plan";

/// Where files go that no step makes.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// Into this folder of an earlier plan.
    Aside(&'a str),
    /// Away: the step itself has made its others anew.
    Gone,
}

/// What is left of steps in a results folder.
pub(crate) struct Leftovers<'a> {
    pub(crate) results: &'a ResultsFolder,
    pub(crate) contents: &'a Contents,
    pub(crate) progress: &'a Progress,
}

impl Leftovers<'_> {
    /// The folder that takes what an earlier plan has made: a new one for each, so that the next does not replace it.
    pub(crate) fn place_for_earlier(&self) -> String {
        let mut place = EARLIER.to_owned();
        let mut number = 1;
        while fs::symlink_metadata(self.results.join(&place)).is_ok() {
            number += 1;
            place = format!("{EARLIER}-{number}");
        }
        place
    }

    /// Removes what steps have written that failed or were killed, and that no step has made again since.
    pub(crate) fn remove_unrecorded(&self, recorded: &BTreeSet<String>) {
        let noted = self.results.take_notes();
        for path in noted.difference(recorded) {
            if is_below(path) && self.results.join(path).is_file() && self.results.remove(path).is_ok() {
                self.progress
                    .say(&format!("{path}: of a step that did not end, removed"));
            }
        }
    }

    /// Takes away those of a record's files that are not in `kept`.
    ///
    /// # Errors
    /// When one cannot be put aside. One that cannot be removed is said to stay: the step has done its work.
    pub(crate) fn take_away(
        &self,
        step: &str,
        record: &StepRecord,
        kept: &BTreeSet<String>,
        way: Way<'_>,
    ) -> Result<()> {
        let stays = |path: &str, why: &str| {
            let line = format!("{step:24} no longer makes {path}, which stays: {why}");
            self.progress.say(&line);
        };
        let mut taken = Vec::new();
        for (path, hash) in record.artefacts.iter().filter(|(path, _)| !kept.contains(*path)) {
            let place = self.results.join(path);
            match self.contents.of(&place) {
                Ok(found) if found.to_string() == *hash => {
                    match way {
                        Way::Aside(folder) => self.results.rename(path, &format!("{folder}/{path}"))?,
                        Way::Gone => {
                            if let Err(error) = self.results.remove(path) {
                                stays(path, &describe(&error));
                                continue;
                            }
                        }
                    }
                    taken.push(path.as_str());
                }
                Ok(_) => stays(path, "somebody has changed it"),
                // Nothing to take away.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => stays(path, &describe(&Error::io(&place, "reading")(error))),
            }
        }
        if !taken.is_empty() {
            let taken = taken.join(", ");
            self.progress.say(&match way {
                Way::Aside(folder) => format!("{step:24} of an earlier plan, moved to {folder}: {taken}"),
                Way::Gone => format!("{step:24} no longer makes, removed: {taken}"),
            });
        }
        Ok(())
    }
}
