//! Pictures where something else is expected.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What is said of a picture that was given in place of `expected`; `None` if the file is none.
#[must_use]
pub fn instead_of(path: &Path, expected: &str) -> Option<String> {
    is_picture(path).then(|| {
        format!(
            "{0}: is a picture, expected {expected}; `biascam explain-images {0} --weights CHECKPOINT --out DIR` explains pictures",
            path.display()
        )
    })
}

/// Whether a file begins as pictures do.
fn is_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    // Pipes give their bytes once: they are left to whoever reads them.
    path.is_file()
        && File::open(path).is_ok_and(|file| file.take(32).read_to_end(&mut start).is_ok())
        && image::guess_format(&start).is_ok()
        // Two letters are enough for BMP, and for a text.
        && (!start.starts_with(b"BM") || start.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_how_they_begin() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes, is) in [
            ("a.png", &b"\x89PNG\r\n\x1a\n and so on"[..], true),
            ("b", b"\xff\xd8\xff\xe0 and so on", true),
            ("c.yaml", b"BM: {source: procedural}\n", false),
            ("d.yaml", b"", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            assert_eq!(instead_of(&path, "an experiment").is_some(), is, "{name}");
        }
        assert_eq!(instead_of(folder.path(), "an experiment"), None);
    }
}
