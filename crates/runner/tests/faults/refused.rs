//! Writing that the system refuses: no room, or a folder that is read-only.

use crate::each;
use crate::kills::killed_at;
use crate::place::{Disk, Fault, Lab, message, refusal};

/// Makes writing fail after ever more bytes, and from the start.
pub fn writes(lab: &Lab<'_>, steps: usize) -> usize {
    let size = lab.bytes();
    let full = (0..steps).map(|step| ("full", size * step / steps, "No space left"));
    let faults: Vec<_> = full.chain([("readonly", 0, "Read-only file system")]).collect();
    each(&faults, |&(kind, at, reason)| {
        let what = format!("{kind} at {at}");
        let case = lab.case();
        let (output, ..) = case.run_with(lab, &Fault::of(kind, at));
        let message = refusal(&output, &what);
        assert!(
            message.contains(reason) && message.contains(lab.work.root),
            "{what}: {message}"
        );
        case.is_part_of(lab);
        case.ends_as(lab, &what);
    })
}

/// Makes a file system read-only under a half-finished folder: no shim, the real thing, where this process may mount one.
pub fn read_only_system(lab: &Lab<'_>) {
    let case = lab.case();
    let Some(disk) = Disk::mount(&case.results()) else {
        eprintln!("skipped: a read-only file system, which only root can mount");
        return;
    };
    killed_at(lab, &case, "before", lab.counts.changes / 4);
    disk.remount("ro");
    let output = case.command().output().expect("starts");
    let message = message(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.matches("biascam: ").count(), 1, "{message}");
    assert!(
        message.contains("results/smoke: the results folder cannot be written (Read-only file system")
            && message.contains("--results"),
        "{message}"
    );
    disk.remount("rw");
    case.ends_as(lab, "a file system that was read-only");
}
