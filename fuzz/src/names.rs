//! Names that files give to images.

/// Whether a name is one of a file in its folder, and of none elsewhere.
pub fn stays_inside(name: &str) -> bool {
    !name.contains("..") && !name.contains(['/', '\\', ':', '\0'])
}
