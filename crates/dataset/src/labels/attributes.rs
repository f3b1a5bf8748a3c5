use std::collections::HashSet;

use crate::{Error, Result};

/// CelebA's attributes in the order of its official label file.
const CELEBA: [&str; 40] = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
];

/// The names of a data set's binary attributes, unique, in the order of its label columns.
///
/// ```
/// let attributes = dataset::Attributes::celeba();
/// assert_eq!(attributes.len(), 40);
/// assert_eq!(attributes.index("Smiling"), Some(31));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes(Vec<String>);

impl Attributes {
    /// A catalogue of these names.
    ///
    /// # Errors
    /// When there is no name, a name is empty, has blanks around it or a character in it that nobody sees, or two are equal.
    pub fn new(names: Vec<String>) -> Result<Self> {
        let invalid = |found: String, expected: &str| Error::Invalid {
            what: "attribute names".to_owned(),
            found,
            expected: expected.to_owned(),
        };
        if names.is_empty() {
            return Err(invalid("no name".to_owned(), "at least one"));
        }
        let mut seen = HashSet::with_capacity(names.len());
        for (column, name) in names.iter().enumerate() {
            if name.is_empty() || name.trim() != name || name.contains(disk::is_unseen) {
                return Err(invalid(
                    format!("{name:?} in column {}", column + 1),
                    "a name in one line, without blanks before or after it, and without characters that nobody sees",
                ));
            }
            if !seen.insert(name.as_str()) {
                return Err(invalid(format!("{name} twice"), "each name once"));
            }
        }
        Ok(Self(names))
    }

    /// CelebA's 40 attributes in official order.
    pub fn celeba() -> Self {
        Self(CELEBA.map(str::to_owned).to_vec())
    }

    /// Number of attributes, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a catalogue is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All names in column order.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The name of column `index`.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn name(&self, index: usize) -> &str {
        &self.0[index]
    }

    /// The column of `name`, if the data set has it.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_inverts_name() {
        let attributes = Attributes::celeba();
        for index in 0..attributes.len() {
            assert_eq!(attributes.index(attributes.name(index)), Some(index));
        }
        assert_eq!(attributes.index("smiling"), None);
    }

    #[test]
    fn celeba_order_is_that_of_the_official_file() {
        let Some(path) = testing::shared("celeba/label_counts.csv") else {
            return;
        };
        let text = std::fs::read_to_string(path).unwrap();
        let official: Vec<&str> = text.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
        assert_eq!(Attributes::celeba().names(), official);
    }

    #[test]
    fn bad_names_are_refused() {
        let message = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Attributes::new(names).unwrap_err().to_string()
        };
        assert_eq!(message(&[]), "attribute names: no name, expected at least one");
        assert_eq!(
            message(&["a", "b", "a"]),
            "attribute names: a twice, expected each name once"
        );
        for bad in ["b\nc", " b", "b ", "", "\t"] {
            let expected = "in column 2, expected a name in one line, without blanks before or after it, and without characters that nobody sees";
            assert!(message(&["a", bad]).ends_with(expected), "{bad:?}");
        }
        let names = ["Lung Opacity", "h\u{e9}mi/l\u{e9}sion (50 %)", "a_b", "a b"];
        assert_eq!(
            Attributes::new(names.map(str::to_owned).to_vec()).unwrap().names(),
            names
        );
    }
}
