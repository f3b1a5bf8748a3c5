//! Loss of power at any instant of some work: in every state in which the disk may be then, the next start of the same command ends in
//! the same bytes, or names a file and the way to make it anew. When the work has said that it is done, nothing of it is lost.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use rand::SeedableRng;

use crate::disk::{Disk, Tree, Unsynced, calls};
use crate::place::{Case, Fault, Lab, files_of, is_log, message};
use crate::{all, each};

/// Tries the states, and counts those that differ.
pub fn states(lab: &Lab<'_>, few: usize) -> usize {
    let case = lab.case();
    let below = vec![case.path.clone()];
    let (output, _, log) = case.run_with(
        lab,
        &Fault {
            below,
            ..Fault::of("record", 0)
        },
    );
    assert!(output.status.success(), "recorded: {}", message(&output));
    let calls = calls(&log);
    let mut disk = Disk::new(&case.path);
    let mut seen = BTreeSet::new();
    let mut instants = Vec::new();
    for (instant, call) in calls.iter().enumerate() {
        disk.apply(call);
        for kind in KINDS {
            if seen.insert(hash_of(&state(&disk, instant, kind))) {
                instants.push((instant, kind));
            }
        }
    }
    is_what_was_written(&disk, &case);
    is_what_is_kept(&disk, lab);
    let step = if all() { 1 } else { instants.len().div_ceil(few) };
    let instants: Vec<_> = instants.into_iter().step_by(step).collect();
    each(&instants, |&(instant, kind)| {
        let mut disk = Disk::new(&case.path);
        calls[..=instant].iter().for_each(|call| disk.apply(call));
        let case = lab.case();
        put(&state(&disk, instant, kind), &case.path);
        let call = &calls[instant];
        case.ends_or_is_mended(lab, &format!("loss of power after call {instant}, {call}, {kind}"));
    })
}

/// What is there of that which was not synced.
const KINDS: [&str; 5] = ["all lost", "names and no bytes", "names and zeros", "all kept", "drawn"];

/// One of the states after so many calls.
fn state(disk: &Disk, instant: usize, kind: &str) -> Tree {
    match kind {
        "all lost" => disk.state(&mut Unsynced::Lost),
        "names and no bytes" => disk.state(&mut Unsynced::Names { zeros: false }),
        "names and zeros" => disk.state(&mut Unsynced::Names { zeros: true }),
        "all kept" => disk.state(&mut Unsynced::Kept),
        _ => {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(instant as u64);
            disk.state(&mut Unsynced::Drawn(&mut random))
        }
    }
}

/// The record has all that was written.
fn is_what_was_written(disk: &Disk, case: &Case) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put(&disk.state(&mut Unsynced::Kept), folder.path());
    let root = case.results().strip_prefix(&case.path).expect("below").to_owned();
    let (found, expected) = (files_of(&folder.path().join(root)), files_of(&case.results()));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "the record is not whole"
    );
    assert!(found == expected, "the record is not whole");
}

/// When the work is done, all of it is synced.
fn is_what_is_kept(disk: &Disk, lab: &Lab<'_>) {
    let case = lab.case();
    put(&disk.state(&mut Unsynced::Lost), &case.path);
    case.has_the_same(lab, "loss of power after the end");
    case.ends_as(lab, "loss of power after the end");
}

/// Puts such a tree into a folder.
fn put(tree: &Tree, folder: &Path) {
    for (path, bytes) in tree {
        match bytes {
            None => std::fs::create_dir_all(folder.join(path)).expect("made"),
            Some(bytes) => std::fs::write(folder.join(path), bytes).expect("written"),
        }
    }
}

/// A hash of what can matter: not the number of a process in a name, nor the bytes of a file that nobody reads. Of a log it matters
/// whether it is empty or has zeros.
fn hash_of(tree: &Tree) -> u64 {
    let mut hash = DefaultHasher::new();
    for (path, bytes) in tree {
        let is_part = path.extension().is_some_and(|extension| extension == "part");
        let name: PathBuf = if is_part {
            path.with_extension("").with_extension("part")
        } else {
            path.clone()
        };
        name.hash(&mut hash);
        bytes.is_some().hash(&mut hash);
        match bytes {
            Some(bytes) if is_log(path) => (bytes.is_empty(), bytes.contains(&0)).hash(&mut hash),
            Some(_) if is_part => {}
            _ => bytes.hash(&mut hash),
        }
    }
    hash.finish()
}
