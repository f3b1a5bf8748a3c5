//! Why a step runs again, in words: what is different between the record of the last time and now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::declaration::Declaration;
use crate::reads::Reads;
use crate::record::StepRecord;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The step has no record.
    FirstRun,
    /// Nothing that was made before counts (`--fresh`).
    Fresh,
    /// The record does not say what the step read.
    OlderRecord,
    /// A setting has another value; `None` where the step does not read it.
    Setting {
        /// Its dotted key.
        key: String,
        /// Then.
        before: Option<String>,
        /// Now.
        now: Option<String>,
    },
    /// A file, or set of files, has another content.
    File {
        /// What a person calls it.
        label: String,
        /// Whether it was read then and is now.
        read: (bool, bool),
    },
    /// The step's code is another.
    Version {
        /// The step's kind: its name up to the slash.
        step: String,
        /// Then.
        before: u32,
        /// Now.
        now: u32,
    },
    /// Another step has made other bytes.
    Artefact {
        /// That step.
        step: String,
        /// The file's path.
        path: String,
    },
    /// Steps whose artefacts are read run before this one, and what they will make is not known yet.
    Upstream {
        /// Those steps.
        steps: Vec<String>,
    },
    /// One of its own files is gone.
    Missing {
        /// The file's path.
        path: String,
    },
    /// One of its own files is not as it was written.
    Altered {
        /// The file's path.
        path: String,
    },
}

/// Why a step runs: at least one difference, the most telling first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(Vec<Change>);

/// Differences that are named; of the others only how many there are.
const NAMED: usize = 3;
/// Length of a hash in hexadecimal.
const HASH: usize = 64;
/// Longer values are not worth a line.
const LONGEST_VALUE: usize = 40;

impl Reason {
    /// The difference between a step's record and what it would read now; `None` where there is none. What became of its own files
    /// is the caller's to [add](Self::with).
    pub(crate) fn of(declaration: &Declaration, reads: &Reads, record: Option<&StepRecord>) -> Option<Self> {
        let Some(record) = record else {
            return Some(Self(vec![Change::FirstRun]));
        };
        if record.version == 0 && record.key.is_empty() {
            return Some(Self(vec![Change::Fresh]));
        }
        if record.version == 0 {
            return Some(Self(vec![Change::OlderRecord]));
        }
        let mut changes = Vec::new();
        let before = &record.reads;
        for key in keys(&before.settings, &reads.settings) {
            let (before, now) = (before.settings.get(key), reads.settings.get(key));
            if before != now {
                changes.push(Change::Setting {
                    key: key.clone(),
                    before: before.cloned(),
                    now: now.cloned(),
                });
            }
        }
        let labels = keys(&before.files, &reads.files).into_iter();
        let mut contents = Vec::new();
        for label in labels {
            let (before, now) = (before.files.get(label), reads.files.get(label));
            let is_believed = now.is_none() && declaration.believes_files();
            if before == now || is_believed {
                continue;
            }
            // A number is said, a hash tells nobody anything.
            if [before, now].into_iter().flatten().all(|text| text.len() < HASH) {
                changes.push(Change::Setting {
                    key: label.clone(),
                    before: before.cloned(),
                    now: now.cloned(),
                });
            } else {
                contents.push(Change::File {
                    label: declaration.name_of(label).to_owned(),
                    read: (before.is_some(), now.is_some()),
                });
            }
        }
        changes.append(&mut contents);
        if record.version != declaration.version() {
            changes.push(Change::Version {
                step: kind(declaration.step()).to_owned(),
                before: record.version,
                now: declaration.version(),
            });
        }
        let nothing = BTreeMap::new();
        for step in keys(&before.artefacts, &reads.artefacts) {
            let [before, now] = [before, reads].map(|reads| reads.artefacts.get(step).unwrap_or(&nothing));
            for path in keys(before, now)
                .into_iter()
                .filter(|path| before.get(*path) != now.get(*path))
            {
                changes.push(Change::Artefact {
                    step: step.clone(),
                    path: path.clone(),
                });
            }
        }
        (!changes.is_empty()).then_some(Self(changes))
    }

    /// Whether what was made is of other settings, files or artefacts than now, and not only absent or of another program.
    pub fn is_of_another_plan(&self) -> bool {
        self.0.iter().any(|change| {
            matches!(
                change,
                Change::Setting { .. } | Change::File { .. } | Change::Artefact { .. }
            )
        })
    }

    /// The reason with more differences.
    pub fn with(reason: Option<Self>, more: Vec<Change>) -> Option<Self> {
        let mut changes = reason.map(|reason| reason.0).unwrap_or_default();
        changes.extend(more);
        (!changes.is_empty()).then_some(Self(changes))
    }
}

fn keys<'a, V>(one: &'a BTreeMap<String, V>, other: &'a BTreeMap<String, V>) -> BTreeSet<&'a String> {
    one.keys().chain(other.keys()).collect()
}

/// `explain` of `explain/balanced`.
fn kind(step: &str) -> &str {
    step.split('/').next().unwrap_or(step)
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstRun => write!(f, "first run"),
            Self::Fresh => write!(f, "--fresh"),
            Self::OlderRecord => write!(f, "recorded by a program that did not say what it read"),
            Self::Setting { key, before, now } => match (before, now) {
                (Some(before), Some(now)) if before.len().max(now.len()) <= LONGEST_VALUE => {
                    write!(f, "{key} {before} -> {now}")
                }
                (None, Some(now)) if now.len() <= LONGEST_VALUE => write!(f, "{key} {now} is new"),
                (Some(_), None) => write!(f, "{key} is gone"),
                (None, _) => write!(f, "{key} is new"),
                _ => write!(f, "{key} changed"),
            },
            Self::File { label, read } => match read {
                (false, _) => write!(f, "{label} new"),
                (_, false) => write!(f, "{label} gone"),
                _ => write!(f, "{label} changed"),
            },
            Self::Version { step, before, now } if now > before => {
                write!(f, "the program's {step} step is newer ({before} -> {now})")
            }
            Self::Version { step, before, now } => {
                write!(f, "the program's {step} step is older ({before} -> {now})")
            }
            Self::Artefact { step, path } => write!(f, "{} of {step} changed", file_name(path)),
            Self::Upstream { steps } => {
                let named = steps.iter().take(NAMED - 1).cloned().collect::<Vec<_>>().join(" and ");
                let more = match steps.len().saturating_sub(NAMED - 1) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                write!(f, "after {named}{more}, if their files come out otherwise")
            }
            Self::Missing { path } => write!(f, "{} is missing", file_name(path)),
            Self::Altered { path } => write!(f, "{} was changed by somebody else", file_name(path)),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, change) in self.0.iter().take(NAMED).enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{change}")?;
        }
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::ContentHash;

    fn declaration(epochs: usize) -> Declaration {
        Declaration::of("explain/balanced", 3)
            .settings("training.epochs", &epochs)
            .named_file("measure.regions", "regions.yaml", &ContentHash::of(b"a"))
            .artefact("predict/balanced", "balanced/predictions.parquet")
    }

    fn made(by: &str, path: &str, hash: &str) -> BTreeMap<String, StepRecord> {
        let record = StepRecord {
            artefacts: BTreeMap::from([(path.to_owned(), hash.to_owned())]),
            ..StepRecord::default()
        };
        BTreeMap::from([(by.to_owned(), record)])
    }

    /// What is said where `before` is recorded and `now` is declared.
    fn said(before: &Declaration, now: &Declaration, hashes: [&str; 2]) -> String {
        let [then, today] = hashes.map(|hash| made("predict/balanced", "balanced/predictions.parquet", hash));
        let record = StepRecord {
            version: before.version(),
            reads: before.reads(&then),
            ..StepRecord::default()
        };
        Reason::of(now, &now.reads(&today), Some(&record)).map_or_else(String::new, |reason| reason.to_string())
    }

    #[test]
    fn the_reason_is_said_in_words() {
        let same = ["1", "1"];
        assert_eq!(said(&declaration(8), &declaration(8), same), "");
        assert_eq!(said(&declaration(8), &declaration(10), same), "training.epochs 8 -> 10");
        let edited = declaration(8).named_file("measure.regions", "regions.yaml", &ContentHash::of(b"b"));
        assert_eq!(said(&declaration(8), &edited, same), "regions.yaml changed");
        // What can be looked at is; what cannot is believed.
        assert_eq!(
            said(&declaration(8), &edited.believing_files(), same),
            "regions.yaml changed"
        );
        let images = declaration(8).file("test images", &ContentHash::of(b"a"));
        assert_eq!(said(&images, &declaration(8).believing_files(), same), "");
        let numbers = [3, 4].map(|count| declaration(8).number("test images", count));
        assert_eq!(said(&numbers[0], &numbers[1], same), "test images 3 -> 4");
        let renamed = declaration(8).named_file("measure.regions", "other.yaml", &ContentHash::of(b"a"));
        assert_eq!(said(&declaration(8), &renamed, same), "");
        let masks = declaration(8).file("masks of test images", &ContentHash::of(b""));
        assert_eq!(said(&declaration(8), &masks, same), "masks of test images new");
        assert_eq!(said(&masks, &declaration(8), same), "masks of test images gone");
        assert_eq!(
            said(&declaration(8), &declaration(8), ["1", "2"]),
            "predictions.parquet of predict/balanced changed"
        );
        let older = Declaration::of("explain/balanced", 2);
        assert_eq!(
            said(&older, &Declaration::of("explain/balanced", 3), same),
            "the program's explain step is newer (2 -> 3)"
        );
        let long = declaration(8).settings("explain.images", &"x".repeat(50));
        assert_eq!(said(&declaration(8), &long, same), "explain.images is new");
        let keep = declaration(8).settings("explain.keep_maps", &true);
        assert_eq!(said(&declaration(8), &keep, same), "explain.keep_maps true is new");
        assert_eq!(said(&keep, &declaration(8), same), "explain.keep_maps is gone");
        let longer = declaration(8).settings("explain.images", &"x".repeat(60));
        assert_eq!(said(&long, &longer, same), "explain.images changed");
    }

    #[test]
    fn records_without_reads_and_none_at_all_are_reasons() {
        let declared = declaration(8);
        let reads = declared.reads(&BTreeMap::new());
        let said = |record| Reason::of(&declared, &reads, record).expect("a reason").to_string();
        assert_eq!(said(None), "first run");
        let forgotten = StepRecord::default();
        assert_eq!(said(Some(&forgotten)), "--fresh");
        let older = StepRecord {
            key: "0".to_owned(),
            ..StepRecord::default()
        };
        assert!(said(Some(&older)).starts_with("recorded by a program"));
    }

    #[test]
    fn settings_come_first_and_the_rest_is_counted() {
        let now = declaration(10).named_file("measure.regions", "regions.yaml", &ContentHash::of(b"b"));
        let then = declaration(8);
        let record = StepRecord {
            version: 2,
            reads: then.reads(&BTreeMap::new()),
            ..StepRecord::default()
        };
        let reason = Reason::of(&now, &now.reads(&BTreeMap::new()), Some(&record));
        let path = "balanced/energy.parquet".to_owned();
        let reason = Reason::with(reason, vec![Change::Missing { path: path.clone() }]).expect("a reason");
        assert_eq!(
            reason.to_string(),
            "training.epochs 8 -> 10, regions.yaml changed, the program's explain step is newer (2 -> 3) and 1 more"
        );
        let said = |change| Reason::with(None, vec![change]).expect("a reason").to_string();
        assert_eq!(
            said(Change::Missing { path: path.clone() }),
            "energy.parquet is missing"
        );
        assert_eq!(
            said(Change::Altered { path }),
            "energy.parquet was changed by somebody else"
        );
        assert_eq!(Reason::with(None, Vec::new()), None);
    }
}
