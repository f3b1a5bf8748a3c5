//! The border of a region.

/// A region of the face for outlines: `true` inside, row-major `[side, side]` at any resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Cells or pixels along a side.
    pub side: usize,
    /// `side * side` values.
    pub inside: Vec<bool>,
}
