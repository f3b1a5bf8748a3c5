//! Circles among the files and subfolders of each folder.
//!
//! They contain the circles of files: in the innermost folder around all files of such a circle, these are in at least two
//! entries, and the way from file to file is a closed way from entry to entry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::{Component, Path, PathBuf};

use crate::arrows::FileArrow;
use crate::graph::{Arrow, Circle, Graph};

/// How many arrows between files are told for one between entries. Of the last of a chain, which has the fewest, all are.
const TOLD: usize = 3;

/// A circle among the entries of a folder.
#[derive(Debug)]
pub struct FolderCircle {
    folder: PathBuf,
    circle: Circle<String, FileArrow>,
}

/// The circles that these arrows make, in every folder.
pub fn circles(arrows: &BTreeSet<FileArrow>) -> Vec<FolderCircle> {
    let mut folders: BTreeMap<PathBuf, Graph<String, FileArrow>> = BTreeMap::new();
    for arrow in arrows {
        let (folder, [from, to]) = entries(&arrow.from, &arrow.to);
        folders.entry(folder).or_default().add(from, to, arrow.clone());
    }
    let circles = folders.into_iter().flat_map(|(folder, graph)| {
        let circles = graph.circles().into_iter();
        circles.map(move |circle| FolderCircle {
            folder: folder.clone(),
            circle,
        })
    });
    circles.collect()
}

/// The innermost folder with both files, and its entries that are the files or hold them.
fn entries(one: &Path, other: &Path) -> (PathBuf, [String; 2]) {
    let shared = one
        .components()
        .zip(other.components())
        .take_while(|(one, other)| one == other);
    let folder: PathBuf = shared.map(|(component, _)| component).collect();
    let entry = |path: &Path| {
        let mut below = path
            .components()
            .skip(folder.components().count())
            .map(Component::as_os_str);
        let name = below.next().unwrap_or_default().to_string_lossy().into_owned();
        if below.next().is_some() { name + "/" } else { name }
    };
    let entries = [entry(one), entry(other)];
    (folder, entries)
}

impl Display for FolderCircle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let members: Vec<&str> = self.circle.members.iter().map(String::as_str).collect();
        writeln!(f, "{}: a circle of {}", self.folder.display(), members.join(", "))?;
        for chain in &self.circle.chains {
            let entries: Vec<&str> = chain.iter().map(|arrow| arrow.from.as_str()).collect();
            writeln!(f, "  {} -> {}", entries.join(" -> "), entries[0])?;
            for (index, arrow) in chain.iter().enumerate() {
                let told = if index + 1 < chain.len() { TOLD } else { usize::MAX };
                self.tell(f, arrow, told)?;
            }
        }
        Ok(())
    }
}

impl FolderCircle {
    /// So many of the arrows between files that make one between entries, a line each with all names.
    fn tell(&self, f: &mut Formatter<'_>, arrow: &Arrow<String, FileArrow>, told: usize) -> fmt::Result {
        let mut files: BTreeMap<[&Path; 2], Vec<String>> = BTreeMap::new();
        for FileArrow { from, to, name } in &arrow.reasons {
            let ends = [from, to].map(|path| path.strip_prefix(&self.folder).unwrap_or(path));
            files.entry(ends).or_default().push(format!("`{name}`"));
        }
        for ([from, to], names) in files.iter().take(told) {
            writeln!(f, "    {} -> {}: {}", from.display(), to.display(), names.join(", "))?;
        }
        match files.len().saturating_sub(told) {
            0 => Ok(()),
            more => writeln!(f, "    and from {} to {} {more} more", arrow.from, arrow.to),
        }
    }
}
