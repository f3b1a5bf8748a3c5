//! What can be wrong with the input of a measurement.

/// Input that cannot be measured. The message says what was found and what was expected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two slices that belong together differ in length.
    #[error("{what}: {found} values, expected {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// A matrix whose length is no multiple of its number of columns.
    #[error("{len} values do not fill rows of {columns}")]
    Ragged {
        /// Number of values.
        len: usize,
        /// Number of columns.
        columns: usize,
    },
    /// A score that is not a number predicts neither class.
    #[error("score {index} is not a number")]
    NotANumber {
        /// Position in the slice.
        index: usize,
    },
    /// A label other than `-1`, `0` or `+1`.
    #[error("label {index} is {value}, expected -1, 0 or 1")]
    Label {
        /// Position in the slice.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// A weight that is negative or not finite.
    #[error("weight {index} is {value}, expected a finite number of at least 0")]
    Weight {
        /// Position in the slice.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A map with a negative or non-finite value has no energy.
    #[error("the map's energy is {energy}: maps must be finite and not negative")]
    Map {
        /// The sum of the map, or its first bad value.
        energy: f64,
    },
    /// More pixels asked for than there are.
    #[error("the {asked} largest values of a map of {pixels} pixels")]
    TooMany {
        /// How many.
        asked: usize,
        /// How many there are.
        pixels: usize,
    },
    /// A box of cells that does not lie in its grid, or is empty.
    #[error("{axis} [{start}, {end}) is not a non-empty range of cells of a grid of side {side}")]
    CellBox {
        /// `rows` or `columns`.
        axis: &'static str,
        /// First cell.
        start: usize,
        /// One past the last cell.
        end: usize,
        /// Cells along a side of the grid.
        side: usize,
    },
    /// A region in which nothing can lie.
    #[error("the region has no cell: everything included is excluded again")]
    EmptyRegion,
    /// An image that there is not.
    #[error("image {image} of only {images}")]
    Image {
        /// Its position.
        image: usize,
        /// Number of images.
        images: usize,
    },
    /// A value of an image that cannot be averaged.
    #[error("image {image} has the value {value}, expected {expected}")]
    Value {
        /// Its position.
        image: usize,
        /// The value found.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A name that is no filter.
    #[error("unknown filter `{found}`; allowed are {allowed}")]
    Filter {
        /// The name found.
        found: String,
        /// All names, separated by commas.
        allowed: String,
    },
}

/// Refuses a slice of another length than it should have.
pub(crate) fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Length { what, found, expected })
}

/// Refuses a map with a value that is not finite.
pub(crate) fn check_finite(map: &[f32]) -> Result<(), Error> {
    match map.iter().find(|value| !value.is_finite()) {
        Some(&bad) => Err(Error::Map { energy: f64::from(bad) }),
        None => Ok(()),
    }
}
