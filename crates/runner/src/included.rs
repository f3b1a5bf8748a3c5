//! The experiments and sweeps that the program has inside, so that it needs no checkout.
//!
//! They are read as if each were in the folder `experiments` of the working directory, unless a file of that name is there: a file on
//! disk wins. They name each other by paths in that folder; all else that one names starts from the working directory.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

/// One of them.
#[derive(Debug)]
pub struct Included {
    /// Its place below the folder of experiments.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// Lists files of the project's folder `experiments`.
macro_rules! included {
    ($($path:literal),* $(,)?) => {
        &[$(Included {
            path: $path,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/", $path)),
        }),*]
    };
}

/// All of them, in the order in which they are listed.
pub const ALL: &[Included] = included![
    "embedded.yaml",
    "smoke.yaml",
    "table-example.yaml",
    "celeba.yaml",
    "celeba-quick.yaml",
    "celeba-cross-entropy.yaml",
    "sweeps/arms.yaml",
    "sweeps/class_weights_small.yaml",
    "sweeps/class_weights.yaml",
];

/// The folder that they would be in.
pub const FOLDER: &str = "experiments";

/// The folder of sweeps among them.
const SWEEPS: &str = "sweeps/";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An experiment.
    Experiment,
    /// A sweep.
    Sweep,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Sweep => "sweep",
        }
    }
}

/// Names that are at least so alike (1: equal) are taken for a slip.
const ALIKE: f64 = 0.6;

impl Included {
    /// The name that it is asked for by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let file = self.path.strip_prefix(SWEEPS).unwrap_or(self.path);
        file.strip_suffix(".yaml").unwrap_or(file)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.path.starts_with(SWEEPS) {
            Kind::Sweep
        } else {
            Kind::Experiment
        }
    }

    /// Where it would be if it were a file.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        Path::new(FOLDER).join(self.path)
    }

    /// The first sentence of the comment that it begins with.
    #[must_use]
    pub fn summary(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix("# "));
        let words: Vec<&str> = comment.flat_map(str::split_whitespace).collect();
        let end = words.iter().position(|word| word.ends_with(['.', '?', '!']));
        let sentence = words[..end.map_or(words.len(), |end| end + 1)].join(" ");
        sentence.trim_end_matches('.').to_owned()
    }
}

/// Where what a person asks for is: a file as it is written or with `.yaml`, or one of the program's own, by its name alone, with
/// `.yaml`, or with its folders. What is nowhere stays as it was asked for.
#[must_use]
pub fn located(asked: &Path) -> PathBuf {
    if is_file(asked) {
        return asked.to_owned();
    }
    for extension in [".yaml", ".yml"] {
        let mut longer = asked.as_os_str().to_owned();
        longer.push(extension);
        if asked.file_name().is_some() && is_file(Path::new(&longer)) {
            return longer.into();
        }
    }
    named(asked).map_or_else(|| asked.to_owned(), Included::place)
}

/// Whether a path leads to a file, or to one of the program's own.
#[must_use]
pub fn exists(path: &Path) -> bool {
    is_file(path) || at(path).is_some()
}

/// Whether a path leads to one of the program's own, and to no file.
#[must_use]
pub fn is_included(path: &Path) -> bool {
    !is_file(path) && at(path).is_some()
}

/// The path as a message says it.
#[must_use]
pub fn shown(path: &Path) -> String {
    let inside = if is_included(path) { " (inside the program)" } else { "" };
    format!("{}{inside}", path.display())
}

/// The folder that relative paths in a file start from.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    if is_included(path) {
        Path::new("")
    } else {
        path.parent().unwrap_or(Path::new(""))
    }
}

/// The text of a file, or of the one of the program's own that would be there.
///
/// # Errors
/// Those of reading a file.
pub fn read(path: &Path) -> io::Result<String> {
    match at(path) {
        Some(included) if !is_file(path) => Ok(included.text.to_owned()),
        _ => disk::read_text(path),
    }
}

/// What is said of a file that is not there: the nearest of the program's own, and all of a kind.
#[must_use]
pub fn absent(asked: &Path, kind: Kind) -> String {
    let place = asked.display();
    let what = kind.noun();
    if asked.is_dir() {
        return format!("{place}: a folder, expected the file of one {what}");
    }
    let stem = asked.file_stem().unwrap_or_default().to_string_lossy();
    let likeness = |one: &Included| strsim::normalized_damerau_levenshtein(one.name(), &stem);
    let nearest = ALL.iter().filter(|one| likeness(one) >= ALIKE);
    let meant = match nearest.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(one) if one.kind() == kind => format!("did you mean `{}`? There are", one.name()),
        Some(one) => format!("`{}` is one of the {}s there. There are", one.name(), one.kind().noun()),
        None => "there are".to_owned(),
    };
    format!(
        "{place}: no such file, and no {what} inside the program; {meant} {} (`biascam experiments` says what each is)",
        names(kind).join(", ")
    )
}

/// The names of those of a kind.
#[must_use]
pub fn names(kind: Kind) -> Vec<&'static str> {
    let of_kind = ALL.iter().filter(|one| one.kind() == kind);
    of_kind.map(Included::name).collect()
}

/// Not a folder: pipes and devices can be read too.
fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_dir())
}

/// The one that would be at a path.
fn at(path: &Path) -> Option<&'static Included> {
    let plain: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    ALL.iter().find(|one| one.place() == plain)
}

/// The one that a person's words mean: its name, with or without folders and extension.
pub fn named(asked: &Path) -> Option<&'static Included> {
    let mut parts: Vec<&OsStr> = Vec::new();
    for part in asked.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            _ => return None,
        }
    }
    let said = parts
        .iter()
        .map(|part| part.to_str())
        .collect::<Option<Vec<_>>>()?
        .join("/");
    let said = said
        .strip_suffix(".yaml")
        .or_else(|| said.strip_suffix(".yml"))
        .unwrap_or(&said);
    let said = said.strip_prefix("experiments/").unwrap_or(said);
    ALL.iter()
        .find(|one| said == one.name() || Some(said) == one.path.strip_suffix(".yaml"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                files(&path, &format!("{below}{name}/"), found);
            } else if name.ends_with(".yaml") {
                found.insert(format!("{below}{name}"));
            }
        }
    }

    #[test]
    fn they_are_the_project_s_experiments() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
        let mut found = BTreeSet::new();
        files(&folder, "", &mut found);
        let listed: BTreeSet<String> = ALL.iter().map(|one| one.path.to_owned()).collect();
        assert_eq!(listed, found, "src/included.rs lists what is in experiments/");
        let names: BTreeSet<&str> = ALL.iter().map(Included::name).collect();
        assert_eq!(names.len(), ALL.len(), "each has a name of its own");
        for one in ALL {
            let text = std::fs::read_to_string(folder.join(one.path)).expect("text");
            assert_eq!(one.text, text, "{}", one.path);
            // It stands in a list, one line each.
            let summary = one.summary();
            assert!((20..=100).contains(&summary.len()), "{}: {summary:?}", one.path);
        }
    }

    #[test]
    fn a_name_is_said_in_many_ways() {
        for (asked, path) in [
            ("smoke", "smoke.yaml"),
            ("./smoke.yaml", "smoke.yaml"),
            ("experiments/smoke", "smoke.yaml"),
            ("experiments/smoke.yaml", "smoke.yaml"),
            ("arms", "sweeps/arms.yaml"),
            ("sweeps/arms.yaml", "sweeps/arms.yaml"),
            ("experiments/sweeps/arms.yaml", "sweeps/arms.yaml"),
        ] {
            assert_eq!(named(Path::new(asked)).map(|one| one.path), Some(path), "{asked}");
        }
        for asked in [
            "smok",
            "/smoke.yaml",
            "../smoke.yaml",
            "data/smoke.yaml",
            "sweeps/smoke",
            "",
            "Smoke",
        ] {
            assert!(named(Path::new(asked)).is_none(), "{asked}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_the_nearest() {
        for (asked, kind, expected) in [
            (
                "smoek",
                Kind::Experiment,
                "smoek: no such file, and no experiment inside the program; did you mean `smoke`? There are embedded, smoke, ",
            ),
            (
                "arms.yaml",
                Kind::Experiment,
                "; `arms` is one of the sweeps there. There are embedded, ",
            ),
            (
                "q.yaml",
                Kind::Sweep,
                "no sweep inside the program; there are arms, class_weights_small, class_weights (",
            ),
        ] {
            let said = absent(Path::new(asked), kind);
            assert!(said.contains(expected), "{said}");
        }
        assert!(absent(Path::new("."), Kind::Sweep).contains("a folder, expected the file of one sweep"));
    }
}
