//! Who is in the test images.

use pipeline::{Declaration, Piece};

use super::looked_at::LookedAt;

/// Who, or what else, is in the test images: which of them are of one person, patient or place.
#[derive(Clone, Copy)]
pub struct People<'a>(pub(super) Option<LookedAt<'a>>);

impl People<'_> {
    /// Names of who is in the images at some positions; `None` where the data set does not know, or all its images are of different people.
    pub fn of(&self, indices: &[usize]) -> Option<Vec<String>> {
        self.0?.data.people(indices)
    }
}

impl Piece for People<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self.0.and_then(|looked_at| looked_at.content.people.as_ref()) {
            Some(people) => declaration.file("people in test images", people),
            None => declaration,
        }
    }
}
