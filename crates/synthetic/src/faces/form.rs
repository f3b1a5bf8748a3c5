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
}

impl Form {
    pub(super) fn check(self, config: &Config) -> Result<()> {
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
        };
        let marker = form.marker(&config);
        assert!(
            marker.ends_with(",\n  \"layout\": \"zip\",\n  \"distinct\": 9\n}\n"),
            "{marker}"
        );
        assert!(form.check(&Config::new(8, 1)).is_err());
    }
}
