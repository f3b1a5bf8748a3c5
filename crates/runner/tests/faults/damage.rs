//! Files that are not as they were written.

use rand::{Rng, SeedableRng};

use crate::place::Lab;
use crate::{all, each};

/// Kinds of damage to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncated,
    Flipped,
}

/// Truncates, and flips a bit in, the files of finished work, and works again.
pub fn of_files(lab: &Lab<'_>, few: usize) -> usize {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let step = lab.files.len().div_ceil(few);
    let mut cases = Vec::new();
    for (index, (name, bytes)) in lab.files.iter().enumerate() {
        for damage in [Damage::Truncated, Damage::Flipped] {
            let (at, bit) = (random.random_range(0..bytes.len()), random.random_range(0..8));
            // The manifest is the one file with no record beside it.
            if all() || name == "manifest.json" || index % step == 0 {
                cases.push((name, damage, at, bit));
            }
        }
    }
    each(&cases, |&(name, damage, at, bit)| {
        let case = lab.finished_case();
        let path = case.results().join(name);
        let mut bytes = std::fs::read(&path).expect("a file");
        match damage {
            Damage::Truncated => bytes.truncate(at),
            Damage::Flipped => bytes[at] ^= 1 << bit,
        }
        std::fs::write(&path, bytes).expect("written");
        case.ends_or_is_mended(lab, &format!("{name} {damage:?} at {at}"));
    })
}

/// A process that died while it wrote leaves a temporary file, here of a file that nobody has a reason to write again.
pub fn leftovers(lab: &Lab<'_>, left: &str) -> usize {
    let case = lab.finished_case();
    std::fs::write(case.results().join(left), b"half").expect("written");
    case.ends_as(lab, "a temporary file left");
    1
}
