//! Faults in the middle of work: killed, no room, no permission, damaged files, reads that fail, loss of power. Whatever happens, the
//! next start of the same command ends in the bytes of undisturbed work, or says which file is damaged and how to make it anew.
//!
//! `BIASCAM_FAULTS=all` tries all of it, without it a few of each kind (`docs/develop/robustness.md`).
#![cfg(target_os = "linux")]

mod damage;
mod disk;
mod kills;
mod place;
mod power;
mod reads;
mod refused;
mod together;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use place::{Lab, Shim};
use work::Work;

/// Whether all faults are asked for.
fn all() -> bool {
    std::env::var("BIASCAM_FAULTS").is_ok_and(|asked| asked == "all")
}

/// Tries each of these, two at a time, and counts them. When one fails, the others are tried all the same.
fn each<T: Sync>(cases: &[T], try_one: impl Fn(&T) + Sync) -> usize {
    let [next, failed] = [(); 2].map(|()| AtomicUsize::new(0));
    let worker = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let tried = catch_unwind(AssertUnwindSafe(|| try_one(case)));
            failed.fetch_add(usize::from(tried.is_err()), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(worker);
        scope.spawn(worker);
    });
    assert_eq!(failed.into_inner(), 0, "so many of {} failed", cases.len());
    cases.len()
}

/// `few`, or `most` where all faults are asked for.
fn count(few: usize, most: usize) -> usize {
    if all() { most } else { few }
}

/// Numbers from 1 to `last`: all of them, or about `few`.
fn some(last: usize, few: usize) -> Vec<usize> {
    let step = if all() { 1 } else { last.div_ceil(few).max(1) };
    (1..=last).step_by(step).collect()
}

/// Prints how often what was tried.
fn report(work: &str, counts: &[(&str, usize)]) {
    for (what, count) in counts {
        assert!(*count > 0, "{work}: no {what}");
        println!("{work}: {count} {what}");
    }
}

#[test]
fn a_run() {
    let Some(shim) = Shim::new() else { return };
    let lab = Lab::new(&shim, Work::small_run());
    let counts = [
        ("kills at random instants", kills::at_instants(&lab, count(3, 30))),
        ("kills around changes of folders", kills::around_changes(&lab, 7)),
        ("full disks and read-only folders", refused::writes(&lab, count(3, 20))),
        ("damaged files", damage::of_files(&lab, 10)),
        (
            "files left half written",
            damage::leftovers(&lab, "unbalanced/unfinished.safetensors.71.part"),
        ),
    ];
    refused::read_only_system(&lab);
    report("a run", &counts);
}

#[test]
fn a_sweep() {
    let Some(shim) = Shim::new() else { return };
    let lab = Lab::new(&shim, Work::sweep());
    let counts = [
        ("kills at random instants", kills::at_instants(&lab, count(2, 30))),
        ("kills of one of its runs", kills::of_children(&lab, count(2, 30))),
        ("kills around changes of folders", kills::around_changes(&lab, 4)),
        ("full disks and read-only folders", refused::writes(&lab, count(2, 20))),
        ("damaged files", damage::of_files(&lab, 6)),
        (
            "files left half written",
            damage::leftovers(&lab, "comparison/tables/runs.csv.71.part"),
        ),
    ];
    report("a sweep", &counts);
}

#[test]
fn data_sets() {
    let Some(shim) = Shim::new() else { return };
    let works = [
        ("faces", Work::faces("nested")),
        ("faces as the hub's files", Work::faces("parquet")),
        ("shapes", Work::shapes()),
        ("a run's data", Work::data_of_a_run()),
    ];
    let others = [
        ("faces, flat", Work::faces("flat")),
        ("faces in a zip", Work::faces("zip")),
    ];
    for (name, work) in works.into_iter().chain(others.into_iter().filter(|_| all())) {
        let lab = Lab::new(&shim, work);
        let counts = [
            ("kills at random instants", kills::at_instants(&lab, count(1, 30))),
            ("kills around changes of folders", kills::around_changes(&lab, 3)),
            ("full disks and read-only folders", refused::writes(&lab, count(1, 20))),
            ("pairs at once", together::both_end(&lab, count(1, 10))),
            (
                "pairs of which one was killed",
                together::one_is_killed(&lab, count(1, 20)),
            ),
        ];
        report(name, &counts);
    }
}

#[test]
fn reading() {
    let Some(shim) = Shim::new() else { return };
    for (name, work, few) in [("a run", Work::small_run(), 4), ("a sweep", Work::sweep(), 2)] {
        let lab = Lab::new(&shim, work);
        report(
            name,
            &[
                ("times interrupted and short reads", reads::restless(&lab)),
                ("failed reads and openings", reads::failed(&lab, few)),
            ],
        );
    }
    let lab = Lab::new(&shim, Work::run());
    report(
        "a run of faces",
        &[("times interrupted and short reads", reads::restless(&lab))],
    );
}

#[test]
fn loss_of_power() {
    let Some(shim) = Shim::new() else { return };
    for (name, work, few) in [
        ("a run", Work::small_run(), 8),
        ("a sweep", Work::sweep(), 6),
        ("faces", Work::faces("nested"), 6),
        ("faces as the hub's files", Work::faces("parquet"), 4),
        ("shapes", Work::shapes(), 6),
    ] {
        let lab = Lab::new(&shim, work);
        report(name, &[("states after loss of power", power::states(&lab, few))]);
    }
}
