//! Which images show the same person: the units of every interval.

use std::collections::HashMap;
use std::sync::Arc;

/// The people of a set of images. Images of one person resemble each other, so that ten images of one person say less than one image
/// each of ten: whatever is resampled is resampled by person.
///
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    of_image: Arc<[u32]>,
    count: usize,
}

impl People {
    /// Every one of `images` images shows a person of its own: where identities are not known.
    #[must_use]
    pub fn each_image(images: usize) -> Self {
        Self {
            of_image: (0..images).map(number).collect(),
            count: images,
        }
    }

    /// The people of images in their order, each named by its group: images with the same name show the same person. People are numbered
    /// as they first appear.
    #[must_use]
    pub fn of<'a>(groups: impl IntoIterator<Item = &'a str>) -> Self {
        let mut numbers = HashMap::new();
        let of_image = groups
            .into_iter()
            .map(|group| {
                let next = number(numbers.len());
                *numbers.entry(group).or_insert(next)
            })
            .collect();
        Self {
            of_image,
            count: numbers.len(),
        }
    }

    /// Number of people.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.of_image.len()
    }

    /// The person that an image shows, in `0..count`; `None` for an image that there is not.
    #[must_use]
    pub fn of_image(&self, image: usize) -> Option<usize> {
        self.of_image.get(image).map(|&person| person as usize)
    }

    /// The people of all images, in their order.
    pub(super) fn by_image(&self) -> &[u32] {
        &self.of_image
    }
}

/// A person's number. There are never 2³² people: their images would not fit into memory.
fn number(person: usize) -> u32 {
    u32::try_from(person).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_people() {
        let people = People::of(["b", "a", "b", "c", "a"]);
        assert_eq!((people.count(), people.images()), (3, 5));
        let found: Vec<_> = (0..6).map(|image| people.of_image(image)).collect();
        assert_eq!(found, [Some(0), Some(1), Some(0), Some(2), Some(1), None]);
    }

    #[test]
    fn without_names_every_image_is_a_person() {
        assert_eq!(People::each_image(3), People::of(["x", "y", "z"]));
        assert_eq!(People::each_image(0), People::of([]));
    }
}
