use std::fmt;

/// The part of a data set that an image belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// Seen in training; its counts decide the class weights and which class is the majority.
    Train,
    /// For choices made while training.
    Validation,
    /// For the figures that are reported.
    Test,
}

impl Split {
    /// All splits, in the order of their official codes.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The code of `list_eval_partition.txt`: 0, 1 or 2.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The split of an official code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "0" => Some(Self::Train),
            "1" => Some(Self::Validation),
            "2" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_official_and_invertible() {
        assert_eq!(Split::ALL.map(Split::code), [0, 1, 2]);
        for split in Split::ALL {
            assert_eq!(Split::from_code(&split.code().to_string()), Some(split));
        }
        assert_eq!(Split::from_code("3"), None);
    }
}
