//! What goes wrong with steps that run beside each other: one failure is what all of it ends with, and every other one is said.

use crate::error::{StepError, describe};

/// The failures of some steps, as they come.
#[derive(Debug)]
pub struct Failures<E> {
    first: Option<E>,
    stopped: Option<E>,
}

impl<E: StepError> Failures<E> {
    /// None so far.
    pub fn none() -> Self {
        Self {
            first: None,
            stopped: None,
        }
    }

    /// Adds a step's failure; returns what is to be said of it now.
    pub fn add(&mut self, step: &str, error: E, others_go_on: bool) -> Option<String> {
        if error.is_interruption() {
            self.stopped.get_or_insert(error);
            return None;
        }
        let said = match (others_go_on, &self.first) {
            // They may take hours, and it is said in the end only.
            (true, _) => Some(", the others go on"),
            (false, Some(_)) => Some(""),
            // Everything ends with it, here and now.
            (false, None) => None,
        };
        let said = said.map(|others| format!("{step:24} failed{others}: {}", describe(&error)));
        self.first.get_or_insert(error);
        said
    }

    /// What all of it ends with: the first failure, and that it was stopped only if nothing has failed.
    ///
    /// # Errors
    /// Then.
    pub fn result(self) -> Result<(), E> {
        self.first.or(self.stopped).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::error::Error;
    use crate::interrupt::Interrupted;

    fn failure(message: &str) -> Error {
        Error::artefact(Path::new("x"), message)
    }

    #[test]
    fn every_failure_is_said_or_returned() {
        let mut failures = Failures::none();
        let said = failures.add("a", failure("one"), true).expect("others go on");
        assert!(
            said.starts_with("a ") && said.contains("failed, the others go on: x: one"),
            "{said}"
        );
        let said = failures.add("b", failure("two"), false).expect("not returned");
        assert!(said.starts_with("b ") && said.contains("failed: x: two"), "{said}");
        assert!(failures.result().expect_err("failed").to_string().contains("one"));

        let mut alone = Failures::none();
        assert_eq!(alone.add("a", failure("one"), false), None);
        assert!(alone.result().expect_err("failed").to_string().contains("one"));
    }

    #[test]
    fn a_stop_is_told_where_nothing_has_failed() {
        let stop = || Error::from(Interrupted { signal: 2 });
        let mut failures = Failures::none();
        assert_eq!(failures.add("a", stop(), true), None);
        assert_eq!(failures.add("b", failure("one"), false), None);
        assert!(failures.result().expect_err("failed").to_string().contains("one"));

        let mut stopped = Failures::none();
        assert_eq!(stopped.add("a", stop(), false), None);
        assert!(stopped.result().expect_err("stopped").is_interruption());
        Failures::<Error>::none().result().expect("nothing went wrong");
    }
}
