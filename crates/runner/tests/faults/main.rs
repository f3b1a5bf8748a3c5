//! Faults in the middle of a run: killed, no room, no permission, damaged files. Whatever happens, the next run of the same
//! command ends in the bytes of an undisturbed one, or says which file is damaged and how to make it anew.
//!
//! `BIASCAM_FAULTS=all` tries all of it, without it a few of each kind (`docs/develop/robustness.md`).
#![cfg(target_os = "linux")]

mod place;

use std::process::Stdio;

use place::Lab;
use rand::{Rng, SeedableRng};

/// Kinds of damage to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncated,
    Flipped,
}

fn all() -> bool {
    std::env::var("BIASCAM_FAULTS").is_ok_and(|asked| asked == "all")
}

#[test]
fn faults() {
    let Some(lab) = Lab::new() else { return };
    let counts = [
        ("kills at random instants", random_kills(&lab)),
        ("kills around renames", kills_at_renames(&lab)),
        ("full disks and read-only folders", refused_writes(&lab)),
        ("damaged files", damaged_files(&lab)),
        ("files left half written", leftovers(&lab)),
    ];
    read_only_system(&lab);
    for (what, count) in counts {
        assert!(count > 0, "no {what} happened");
        println!("{count} {what}");
    }
}

/// Kills a run at instants drawn over an undisturbed run's duration.
fn random_kills(lab: &Lab) -> usize {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(6);
    let mut killed = 0;
    for _ in 0..if all() { 30 } else { 3 } {
        let case = lab.case();
        let instant = lab.duration.mul_f64(random.random());
        let mut child = case
            .command()
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(instant);
        child.kill().expect("killed, or ended");
        killed += usize::from(!child.wait().expect("a status").success());
        case.ends_as(lab, &format!("killed after {instant:?}"));
    }
    killed
}

/// Kills a run before and after each rename, so that every artefact is once the last and once the first missing.
fn kills_at_renames(lab: &Lab) -> usize {
    let mut killed = 0;
    for fault in ["before", "after"] {
        for at in (1..).step_by(if all() { 1 } else { 13 }) {
            let case = lab.case();
            let output = case.faulty(lab, fault, at).output().expect("starts");
            if output.status.success() {
                break;
            }
            assert_eq!(
                output.status.code(),
                None,
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            killed += 1;
            case.ends_as(lab, &format!("killed {fault} rename {at}"));
        }
    }
    killed
}

/// Makes writing fail after ever more bytes, and from the start.
fn refused_writes(lab: &Lab) -> usize {
    let mut refused = 0;
    let size = lab.bytes();
    let steps = if all() { 20 } else { 3 };
    let full = (0..steps).map(|step| ("full", size * step / steps, "No space left"));
    for (fault, at, reason) in full.chain([("readonly", 0, "Read-only file system")]) {
        let case = lab.case();
        let output = case.faulty(lab, fault, at).output().expect("starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{fault} {at}: {message}");
        assert_eq!(message.matches("biascam: ").count(), 1, "{message}");
        assert!(
            message.contains(reason) && message.contains("results/smoke"),
            "{message}"
        );
        case.is_part_of(lab);
        refused += 1;
        case.ends_as(lab, &format!("{fault} at {at}"));
    }
    refused
}

/// A process that died while it wrote leaves a temporary file, here of a file that the next run has no reason to write.
fn leftovers(lab: &Lab) -> usize {
    let case = lab.finished_case();
    let left = case.results().join("unbalanced/unfinished.safetensors.71.part");
    std::fs::write(&left, b"half").expect("written");
    case.ends_as(lab, "a temporary file left");
    1
}

/// Makes a file system read-only under a half-finished folder: no shim, the real thing, where this process may mount one.
fn read_only_system(lab: &Lab) {
    let case = lab.case();
    let Some(disk) = place::Disk::mount(&case.results()) else {
        eprintln!("skipped: a read-only file system, which only root can mount");
        return;
    };
    let output = case.faulty(lab, "before", 12).output().expect("starts");
    assert_eq!(output.status.code(), None, "killed half-way");
    disk.remount("ro");
    let output = case.command().output().expect("starts");
    let message = String::from_utf8_lossy(&output.stderr);
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

/// Truncates, and flips a bit in, the files of a finished run, and runs again.
fn damaged_files(lab: &Lab) -> usize {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut damaged = 0;
    let names: Vec<String> = lab.files.keys().cloned().collect();
    for (index, name) in names.iter().enumerate() {
        for damage in [Damage::Truncated, Damage::Flipped] {
            // The manifest is the one file with no record beside it.
            if !all() && name != "manifest.json" && index % 6 != 0 {
                continue;
            }
            let case = lab.finished_case();
            let path = case.results().join(name);
            let mut bytes = std::fs::read(&path).expect("a file");
            let at = random.random_range(0..bytes.len());
            match damage {
                Damage::Truncated => bytes.truncate(at),
                Damage::Flipped => bytes[at] ^= 1 << random.random_range(0..8),
            }
            std::fs::write(&path, bytes).expect("written");
            damaged += 1;
            case.ends_as_or_names(lab, name, &format!("{name} {damage:?} at {at}"));
        }
    }
    damaged
}
