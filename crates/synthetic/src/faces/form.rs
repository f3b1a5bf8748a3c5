use dataset::Attributes;

use super::attribute::{ATTRIBUTES, Attribute};
use super::config::Config;
use crate::{Error, Result};

/// How a data set lies on disk: the forms in which people have CelebA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `Img/img_align_celeba/`, `Anno/` and `Eval/`, as the official download unpacks.
    #[default]
    Nested,
    /// Everything in one folder.
    Flat,
    /// As nested, with the images in `Img/img_align_celeba.zip`.
    Zip,
    /// The Hugging Face hub's Parquet files, with the landmarks, which the hub does not have, in `Anno/`. No masks.
    Parquet,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 4] = [Self::Nested, Self::Flat, Self::Zip, Self::Parquet];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
            Self::Zip => "zip",
            Self::Parquet => "parquet",
        }
    }
}

/// What is written beside what is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// How it lies on disk.
    pub layout: Layout,
    /// Draw only so many faces, and repeat them: for trying how something scales, not for training. Repeated files are
    /// second names of the first where the system can.
    pub distinct: Option<usize>,
    /// Which attributes are toggled, each by itself, in a further picture of every face: its counterfactuals. They follow the faces, and
    /// stand in `pairs.csv` beside the face that they are made of; `left_out.csv` names the pairs in which another cue would go or come
    /// too. `differences/` has where each differs from its face.
    pub counterfactuals: Option<Toggled>,
}

/// A set of attributes that are toggled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toggled(u64);

impl Toggled {
    /// All attributes.
    pub const ALL: Self = Self((1 << ATTRIBUTES) - 1);

    /// Some attributes.
    pub fn of(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self(attributes.into_iter().fold(0, |all, one| all | 1 << one as usize))
    }

    /// How many they are.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether an attribute is among them.
    pub fn has(self, attribute: Attribute) -> bool {
        self.0 >> attribute as usize & 1 == 1
    }
}

impl Form {
    pub(super) fn check(self, config: &Config) -> Result<()> {
        let whole = self.layout != Layout::Parquet && self.distinct.is_none();
        if self.counterfactuals.is_some() && !whole {
            return Err(Error::Invalid {
                what: "counterfactuals".to_owned(),
                found: match self.distinct {
                    Some(faces) => format!("of {faces} distinct faces"),
                    None => format!("in the layout {}", self.layout.name()),
                },
                expected: "the layout nested, flat or zip, and all faces distinct".to_owned(),
            });
        }
        match self.distinct {
            Some(faces) if !(1..=config.images).contains(&faces) => Err(Error::Invalid {
                what: "distinct faces".to_owned(),
                found: faces.to_string(),
                expected: format!("1 to {}, the number of images", config.images),
            }),
            _ => Ok(()),
        }
    }

    /// What the marker file says of a finished data set: in the default form, what it always said.
    pub(super) fn marker(self, config: &Config) -> String {
        let mut text = config.marker();
        if self == Self::default() {
            return text;
        }
        text.truncate(text.trim_end_matches("\n}\n").len());
        text.push_str(&format!(",\n  \"layout\": \"{}\"", self.layout.name()));
        if let Some(faces) = self.distinct {
            text.push_str(&format!(",\n  \"distinct\": {faces}"));
        }
        if let Some(toggled) = self.counterfactuals {
            let names = Attributes::celeba();
            let chosen = Attribute::ALL.into_iter().filter(|&one| toggled.has(one));
            let chosen: Vec<String> = chosen.map(|one| format!("\"{}\"", names.name(one as usize))).collect();
            text.push_str(&format!(",\n  \"counterfactuals\": [{}]", chosen.join(", ")));
        }
        text.push_str("\n}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_forms_are_marked() {
        let config = Config::new(100, 1);
        assert_eq!(Form::default().marker(&config), config.marker());
        let form = Form {
            layout: Layout::Zip,
            distinct: Some(9),
            counterfactuals: None,
        };
        let marker = form.marker(&config);
        assert!(
            marker.ends_with(",\n  \"layout\": \"zip\",\n  \"distinct\": 9\n}\n"),
            "{marker}"
        );
        assert!(form.check(&Config::new(8, 1)).is_err());
    }
}
