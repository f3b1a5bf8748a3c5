use dataset::Split;

use crate::{Error, Result};

/// Changes whenever the same seed gives other pictures, labels or masks.
pub const GENERATOR_VERSION: u32 = 3;

/// CelebA's images: in all, and of the validation and test splits.
const CELEBA: (usize, usize, usize) = (202_599, 19_867, 19_962);

/// Most images of a data set: names have six digits.
pub(super) const MOST: usize = 999_999;

/// What data set to write. The images of the validation split follow those of the training split, as CelebA's do, and
/// those of the test split come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Number of images in all.
    pub images: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// How many of the images are for validation.
    pub validation: usize,
    /// How many of the images are for testing.
    pub test: usize,
}

impl Config {
    /// So many images, split in CelebA's proportions.
    pub fn new(images: usize, seed: u64) -> Self {
        let share = |part: usize| (images * part + CELEBA.0 / 2) / CELEBA.0;
        Self {
            images,
            seed,
            validation: share(CELEBA.1),
            test: share(CELEBA.2),
        }
    }

    pub(super) fn split(&self, index: usize) -> Split {
        let train = self.images - self.validation - self.test;
        match index {
            i if i < train => Split::Train,
            i if i < train + self.validation => Split::Validation,
            _ => Split::Test,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let held_out = self.validation.checked_add(self.test);
        if self.images > 0 && self.images <= MOST && held_out.is_some_and(|n| n < self.images) {
            return Ok(());
        }
        Err(Error::Invalid {
            what: "procedural faces".to_owned(),
            found: format!(
                "{} images, {} for validation and {} for testing",
                self.images, self.validation, self.test
            ),
            expected: format!("1 to {MOST} images, at least one of them for training"),
        })
    }

    /// What the marker file says of a finished data set.
    pub(super) fn marker(&self) -> String {
        format!(
            "{{\n  \"generator\": \"biascam procedural faces\",\n  \"version\": {GENERATOR_VERSION},\n  \"seed\": {},\n  \
             \"images\": {},\n  \"validation\": {},\n  \"test\": {}\n}}\n",
            self.seed, self.images, self.validation, self.test
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_configurations_are_refused() {
        for config in [
            Config {
                images: 0,
                seed: 1,
                validation: 0,
                test: 0,
            },
            Config {
                images: 5,
                seed: 1,
                validation: 2,
                test: 3,
            },
            Config {
                images: 5,
                seed: 1,
                validation: usize::MAX,
                test: 3,
            },
        ] {
            assert!(matches!(config.check(), Err(Error::Invalid { .. })));
        }
        assert!(
            Config {
                images: 1,
                seed: 1,
                validation: 0,
                test: 0
            }
            .check()
            .is_ok()
        );
    }

    #[test]
    fn the_default_split_has_celebas_proportions() {
        let config = Config::new(202_599, 1);
        assert_eq!((config.validation, config.test), (19_867, 19_962));
        assert_eq!(config.split(162_769), Split::Train);
        assert_eq!(config.split(162_770), Split::Validation);
        assert_eq!(config.split(182_637), Split::Test);
    }
}
