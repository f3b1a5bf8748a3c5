//! Reads that are interrupted, that give less than was asked for, or that fail.

use std::path::PathBuf;

use crate::kills::killed_at;
use crate::place::{Case, Fault, Lab, Read, message, refusal};
use crate::{all, each};

/// The folders from which a case reads.
fn read_by(case: &Case) -> Vec<PathBuf> {
    vec![case.results(), case.data.clone()]
}

/// Every other read is interrupted and the others are short: of work from its start, of half-finished and of finished work.
pub fn restless(lab: &Lab<'_>) -> usize {
    each(&[0, 1, 2], |&begun| {
        let case = begun_case(lab, begun);
        let fault = Fault {
            below: read_by(&case),
            ..Fault::of("restless", 0)
        };
        let (output, ..) = case.run_with(lab, &fault);
        assert!(output.status.success(), "interrupted: {}", message(&output));
        case.is_same(lab, "interrupted and short reads");
    })
}

/// Work that has not begun, is half finished, or finished.
fn begun_case(lab: &Lab<'_>, begun: usize) -> Case {
    match begun {
        0 => lab.case(),
        1 => {
            let case = lab.case();
            killed_at(lab, &case, "after", lab.counts.changes / 2);
            case
        }
        _ => lab.finished_case(),
    }
}

/// One read or opening fails: one message that names the file and no file lost, or the same bytes where it can be done without.
pub fn failed(lab: &Lab<'_>, few: usize) -> usize {
    let errors = [
        ("read", libc::EIO, "Input/output error"),
        ("open", libc::EMFILE, "Too many open files"),
        ("open", libc::EACCES, "Permission denied"),
    ];
    let mut cases = Vec::new();
    for (begun, reads) in [(0, &lab.reads[0]), (2, &lab.reads[1])] {
        for (kind, error, reason) in errors {
            let of_kind: Vec<&Read> = reads
                .iter()
                .filter(|read| read.kind == kind && is_told_apart(read))
                .collect();
            let step = if all() { 1 } else { of_kind.len().div_ceil(few).max(1) };
            for read in of_kind.into_iter().step_by(step) {
                let last = Some(read.count).filter(|&count| count > 1 && all());
                cases.extend(
                    [Some(1), last]
                        .into_iter()
                        .flatten()
                        .map(|at| (begun, read, at, error, reason)),
                );
            }
        }
    }
    each(&cases, |&(begun, read, at, error, reason)| {
        let what = format!("{} {at} of {}: {reason}, begun {begun}", read.kind, read.path.display());
        let case = begun_case(lab, begun);
        let fault = Fault {
            kind: read.kind,
            at,
            error,
            below: vec![case.path.join(&read.path)],
        };
        let (output, ..) = case.run_with(lab, &fault);
        if output.status.success() {
            case.is_same(lab, &what);
        } else {
            let message = refusal(&output, &what);
            let name = read.path.file_name().expect("a name").to_string_lossy();
            assert!(
                message.contains(&*name) && message.contains(reason),
                "{what}: {message}"
            );
            if begun == 2 {
                case.has_all_of(lab, &what);
            }
            case.ends_as(lab, &what);
        }
    })
}

/// Of the pictures of a data set a few are enough; the name of a temporary file is another in each process.
fn is_told_apart(read: &Read) -> bool {
    let name = read.path.to_string_lossy();
    let picture = name.ends_with(".png") || name.ends_with(".jpg");
    !name.contains(".part") && (!picture || name.ends_with("3.png") || name.ends_with("4.jpg"))
}
