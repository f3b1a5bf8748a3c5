//! Means of groups of images, kept as sums by person.

use std::sync::Arc;

use super::people::People;
use crate::error::Error;

/// One mean among those of a [`Ratios`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(pub(super) u32);

/// What the values of a cell are, which decides its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 0 or 1.
    Rate,
    /// In [0, 1].
    Share,
    /// Any finite numbers.
    Any,
}

/// What one person adds to a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub person: u32,
    pub numerator: f64,
    pub denominator: f64,
    /// Images of the person in the group.
    pub images: u32,
}

/// A ratio of sums over images, by person.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sums {
    pub kind: Kind,
    /// The group's people, in order.
    pub entries: Vec<Entry>,
}

impl Sums {
    /// Both sums over all people.
    pub(super) fn totals(&self) -> (f64, f64) {
        self.entries.iter().fold((0.0, 0.0), |(numerator, denominator), entry| {
            (numerator + entry.numerator, denominator + entry.denominator)
        })
    }

    /// The cell's value; `None` of an empty group.
    pub(super) fn mean(&self) -> Option<f64> {
        let (numerator, denominator) = self.totals();
        ratio(numerator, denominator)
    }
}

/// A ratio; `None` where there is nothing to divide by.
pub(super) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

/// A collection of cells: each the mean of a value over a group of images (a rate is the mean of 0 and 1), or another ratio of two sums
/// over images.
///
/// All cells of one collection are resampled together, with the same draws of people, so that whatever correlation there is between them
/// (attributes of the same faces, two classifiers on the same images) is in every function of them.
///
/// ```
/// use metrics::{Bootstrap, People, Ratios};
///
/// let people = People::of(["ann", "ann", "bob", "cleo", "dan", "dan"]);
/// let mut ratios = Ratios::new(people);
/// let before = ratios.add_share([(0, 0.2), (1, 0.3), (2, 0.1), (3, 0.4), (5, 0.2)])?;
/// let after = ratios.add_share([(0, 0.5), (1, 0.4), (2, 0.2), (3, 0.7), (4, 0.6)])?;
/// let resampled = ratios.resample(Bootstrap::default());
/// let rise = resampled.estimate(|mean| Some(mean(after)? - mean(before)?)).expect("no group is empty");
/// assert!((rise.value - 0.24).abs() < 1e-12);
/// assert!(rise.interval.is_some_and(|interval| interval.low > 0.0));
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ratios {
    people: People,
    /// Shared with what is resampled of them: they are most of what a measurement holds.
    cells: Arc<Vec<Sums>>,
}

impl Ratios {
    /// No cells yet, over the images of these people.
    #[must_use]
    pub fn new(people: People) -> Self {
        Self {
            people,
            cells: Arc::default(),
        }
    }

    /// The people.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(super) fn cells(&self) -> &Arc<Vec<Sums>> {
        &self.cells
    }

    /// Adds the mean of a value over a group: of each of the group's images (by position), its value. A value that may be any number: a
    /// loss, a score. See [`add_share`](Self::add_share) for values in [0, 1].
    ///
    /// # Errors
    /// [`Error::Image`] for an image that there is not, [`Error::Value`] for a value that is not finite.
    pub fn add(&mut self, values: impl IntoIterator<Item = (usize, f64)>) -> Result<Cell, Error> {
        self.insert(Kind::Any, values.into_iter().map(|(image, value)| (image, value, 1.0)))
    }

    /// Adds the mean of a share, such as an energy: a value that lies in [0, 1] by its nature. Its interval does so too.
    ///
    /// # Errors
    /// [`Error::Image`] for an image that there is not, [`Error::Value`] for a value outside [0, 1]; what a rounding of single precision
    /// is beyond (1e-6) is taken to be the end.
    pub fn add_share(&mut self, values: impl IntoIterator<Item = (usize, f64)>) -> Result<Cell, Error> {
        self.insert(
            Kind::Share,
            values.into_iter().map(|(image, value)| (image, value, 1.0)),
        )
    }

    /// Adds a rate: of each of the group's images, whether it counts.
    ///
    /// # Errors
    /// [`Error::Image`] for an image that there is not.
    pub fn add_rate(&mut self, values: impl IntoIterator<Item = (usize, bool)>) -> Result<Cell, Error> {
        let values = values.into_iter();
        self.insert(
            Kind::Rate,
            values.map(|(image, counts)| (image, f64::from(u8::from(counts)), 1.0)),
        )
    }

    /// Adds any ratio of sums: of each image, what it adds to the numerator and to the denominator (at least 0).
    ///
    /// # Errors
    /// [`Error::Image`] for an image that there is not, [`Error::Value`] for a number that is not finite and for a negative denominator.
    pub fn add_ratio(&mut self, parts: impl IntoIterator<Item = (usize, f64, f64)>) -> Result<Cell, Error> {
        self.insert(Kind::Any, parts)
    }

    fn insert(&mut self, kind: Kind, parts: impl IntoIterator<Item = (usize, f64, f64)>) -> Result<Cell, Error> {
        let parts = parts.into_iter();
        let mut entries: Vec<Entry> = Vec::with_capacity(parts.size_hint().0);
        for (image, numerator, denominator) in parts {
            let person = *self.people.by_image().get(image).ok_or(Error::Image {
                image,
                images: self.people.images(),
            })?;
            let numerator = checked(kind, image, numerator)?;
            if !(denominator >= 0.0 && denominator.is_finite()) {
                return Err(Error::Value {
                    image,
                    value: denominator,
                    expected: "a finite denominator of at least 0",
                });
            }
            entries.push(Entry {
                person,
                numerator,
                denominator,
                images: 1,
            });
        }
        // A person's images stay in the order in which they came, and so do its sums.
        entries.sort_by_key(|entry| entry.person);
        entries.dedup_by(|next, entry| {
            let same = next.person == entry.person;
            if same {
                entry.numerator += next.numerator;
                entry.denominator += next.denominator;
                entry.images += next.images;
            }
            same
        });
        // Thousands of cells are kept.
        entries.shrink_to_fit();
        // Cells are numbered in 32 bits: more would not fit into memory.
        let cell = Cell(u32::try_from(self.cells.len()).unwrap_or(u32::MAX));
        Arc::make_mut(&mut self.cells).push(Sums { kind, entries });
        Ok(cell)
    }
}

/// How far a share may be beyond 0 or 1: some roundings of single precision.
const ROUNDING: f64 = 1e-6;

fn checked(kind: Kind, image: usize, value: f64) -> Result<f64, Error> {
    let refused = |expected| Error::Value { image, value, expected };
    if !value.is_finite() {
        return Err(refused("a finite number"));
    }
    match kind {
        Kind::Any => Ok(value),
        Kind::Rate | Kind::Share if (-ROUNDING..=1.0 + ROUNDING).contains(&value) => Ok(value.clamp(0.0, 1.0)),
        Kind::Rate | Kind::Share => Err(refused("a number in [0, 1]")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_by_person() {
        let mut ratios = Ratios::new(People::of(["a", "b", "a", "c"]));
        let cell = ratios.add([(2, 3.0), (1, 5.0), (0, -1.0)]).unwrap();
        assert_eq!((cell, ratios.len()), (Cell(0), 1));
        let sums = &ratios.cells()[0];
        let found: Vec<_> = sums
            .entries
            .iter()
            .map(|e| (e.person, e.numerator, e.denominator, e.images))
            .collect();
        assert_eq!(found, [(0, 2.0, 2.0, 2), (1, 5.0, 1.0, 1)]);
        assert_eq!(sums.mean(), Some(7.0 / 3.0));
    }

    #[test]
    fn an_empty_group_has_no_mean() {
        let mut ratios = Ratios::new(People::each_image(2));
        ratios.add([]).unwrap();
        ratios.add_ratio([(0, 1.0, 0.0)]).unwrap();
        assert!(ratios.cells().iter().all(|sums| sums.mean().is_none()));
    }

    #[test]
    fn what_cannot_be_summed_is_refused_and_adds_no_cell() {
        let mut ratios = Ratios::new(People::each_image(2));
        let message = |found: Result<Cell, Error>| found.unwrap_err().to_string();
        assert_eq!(message(ratios.add_rate([(2, true)])), "image 2 of only 2");
        assert_eq!(
            message(ratios.add([(1, f64::NAN)])),
            "image 1 has the value NaN, expected a finite number"
        );
        assert_eq!(
            message(ratios.add_share([(0, 1.1)])),
            "image 0 has the value 1.1, expected a number in [0, 1]"
        );
        assert!(ratios.add_ratio([(0, 1.0, -1.0)]).is_err());
        assert!(ratios.add_ratio([(0, 1.0, f64::INFINITY)]).is_err());
        assert!(ratios.is_empty());
        assert!(ratios.add_share([(0, 1.0 + 1e-7)]).is_ok());
        assert_eq!(ratios.cells()[0].mean(), Some(1.0));
    }
}
