use std::collections::HashSet;

use super::attributes::Attributes;
use super::landmarks::Landmarks;
use super::split::Split;

/// Everything known about the images of a data set except their pixels.
///
/// The lists run over the images in one order; an image's position in it is its `index` everywhere in this crate.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotations {
    /// The attributes, in the order of the label columns.
    pub attributes: Attributes,
    /// File names of the images, N of them.
    pub names: Vec<String>,
    /// Labels `[N, A]`, row after row: 1 positive, -1 negative, 0 not annotated.
    pub labels: Vec<i8>,
    /// The split of each image.
    pub splits: Vec<Split>,
    /// Landmarks of each image, in its own pixels.
    pub landmarks: Option<Vec<Landmarks>>,
    /// Who, or what else, is in each image: the same number in all images of one person, patient or place, and in no other.
    pub identities: Option<Vec<u32>>,
}

impl Annotations {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The labels of one image, one per attribute.
    ///
    /// # Panics
    /// When there is no image `index`.
    pub fn labels_of(&self, index: usize) -> &[i8] {
        let width = self.attributes.len();
        &self.labels[index * width..(index + 1) * width]
    }

    /// The images of a split, in ascending order.
    pub fn indices(&self, split: Split) -> Vec<usize> {
        (0..self.len()).filter(|&index| self.splits[index] == split).collect()
    }

    /// Who is in each image, where that says anything: `None` where nobody knows, or where every image shows another person, so that
    /// people are no other units than images.
    pub fn people(&self) -> Option<&[u32]> {
        let people = self.identities.as_deref()?;
        let mut seen = HashSet::with_capacity(people.len());
        people.iter().any(|person| !seen.insert(person)).then_some(people)
    }

    /// Positives and negatives of each attribute among the images `indices`.
    ///
    /// # Panics
    /// When there is no image of such an index.
    pub fn class_counts(&self, indices: &[usize]) -> Vec<ClassCounts> {
        class_counts(
            self.attributes.len(),
            indices.iter().map(|&index| self.labels_of(index)),
        )
    }
}

pub(crate) fn class_counts<'a>(attributes: usize, rows: impl Iterator<Item = &'a [i8]>) -> Vec<ClassCounts> {
    let mut counts = vec![ClassCounts::default(); attributes];
    for row in rows {
        for (count, &label) in counts.iter_mut().zip(row) {
            count.positives += usize::from(label > 0);
            count.negatives += usize::from(label < 0);
        }
    }
    counts
}

/// How many images show an attribute and how many do not. Unannotated images count in neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Images labelled 1.
    pub positives: usize,
    /// Images labelled -1.
    pub negatives: usize,
}

impl ClassCounts {
    /// Number of annotated images.
    pub fn total(self) -> usize {
        self.positives + self.negatives
    }

    /// The fraction of positives among the annotated images; `None` without any.
    pub fn positive_rate(self) -> Option<f64> {
        (self.total() > 0).then(|| self.positives as f64 / self.total() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations() -> Annotations {
        Annotations {
            attributes: Attributes::new(vec!["a".into(), "b".into()]).unwrap(),
            names: ["1.jpg", "2.jpg", "3.jpg"].map(String::from).to_vec(),
            labels: vec![1, -1, 0, -1, 1, 1],
            splits: vec![Split::Train, Split::Test, Split::Train],
            landmarks: None,
            identities: None,
        }
    }

    #[test]
    fn unannotated_labels_count_in_neither_class() {
        let counts = annotations().class_counts(&[0, 1, 2]);
        let expected = [(2, 0), (1, 2)].map(|(positives, negatives)| ClassCounts { positives, negatives });
        assert_eq!(counts, expected);
        assert_eq!(counts[0].positive_rate(), Some(1.0));
        assert_eq!(ClassCounts::default().positive_rate(), None);
    }

    #[test]
    fn people_are_units_only_where_two_images_show_one() {
        let of = |identities: Option<&[u32]>| {
            let identities = identities.map(<[u32]>::to_vec);
            let annotations = Annotations {
                identities,
                ..annotations()
            };
            annotations.people().map(<[u32]>::to_vec)
        };
        assert_eq!(of(None), None);
        assert_eq!(of(Some(&[7, 0, 9])), None);
        assert_eq!(of(Some(&[7, 0, 7])), Some(vec![7, 0, 7]));
    }

    #[test]
    fn counts_run_over_the_given_images_only() {
        let annotations = annotations();
        let train = annotations.indices(Split::Train);
        assert_eq!(train, [0, 2]);
        assert_eq!(
            annotations.class_counts(&train)[1],
            ClassCounts {
                positives: 1,
                negatives: 1
            }
        );
        assert!(annotations.indices(Split::Validation).is_empty());
    }
}
