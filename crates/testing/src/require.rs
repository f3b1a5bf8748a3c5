//! What a test needs and a machine may lack.

/// Names that `BIASCAM_REQUIRE` may have, separated by commas.
const KNOWN: [&str; 7] = ["c++", "cc", "chromium", "fixtures", "latex", "python", "slurm"];

/// Says that a test, or a part of it, is skipped because of `why`. Where `BIASCAM_REQUIRE` lists `name`, as CI does with all that it
/// installs, that is a failure.
///
/// # Panics
/// Then, and where the list has a name that no test knows.
#[track_caller]
pub fn missing(name: &str, why: impl std::fmt::Display) {
    assert!(KNOWN.contains(&name), "`{name}` is not among {KNOWN:?}");
    let required = std::env::var("BIASCAM_REQUIRE").unwrap_or_default();
    assert!(!lists(&required, name), "BIASCAM_REQUIRE asks for `{name}`, but: {why}");
    eprintln!("skipped: {why}");
}

/// The same for something that was looked for: `None`, with the message, in place of an error.
///
/// # Panics
/// As [`missing`].
#[track_caller]
pub fn without<T, E: std::fmt::Display>(name: &str, found: Result<T, E>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            missing(name, why);
            None
        }
    }
}

#[track_caller]
fn lists(required: &str, name: &str) -> bool {
    let names = || required.split(',').map(str::trim).filter(|one| !one.is_empty());
    let unknown: Vec<&str> = names().filter(|one| !KNOWN.contains(one)).collect();
    assert!(
        unknown.is_empty(),
        "BIASCAM_REQUIRE: {unknown:?} is not among {KNOWN:?}"
    );
    names().any(|one| one == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole() {
        assert!(lists("chromium, c++", "c++"));
        assert!(!lists("c++,chromium", "cc"));
        assert!(!lists("", "latex"));
    }

    #[test]
    #[should_panic = "[\"latx\"] is not among"]
    fn a_misspelt_name_requires_nothing_unseen() {
        lists("chromium,latx", "chromium");
    }
}
