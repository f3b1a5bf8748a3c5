//! The paper's published results, for comparison where an experiment is on CelebA.

use std::collections::HashMap;

use metrics::Class;

use crate::error::{Error, Result};
use crate::experiment::{DataSource, Experiment, Role};

/// Zhang, Bieri, Günther 2024, arXiv 2403.14435: error rates and energies (HiResCAM) on the frontal test images.
pub const TABLE: &str = include_str!("../data/published_results.csv");

/// Published numbers, by attribute and column (`unbalanced_fnr`, ...). Empty where they do not apply.
#[derive(Debug, Clone, Default)]
pub struct Published(HashMap<(String, String), f64>);

impl Published {
    /// The paper's table.
    ///
    /// # Errors
    /// None: the table is part of the program, and a test reads it.
    pub fn load() -> Result<Self> {
        let fault = || Error::Request("the built-in published_results.csv is malformed".to_owned());
        let mut lines = TABLE.lines();
        let heads: Vec<&str> = lines.next().ok_or_else(fault)?.split(',').collect();
        let mut values = HashMap::new();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let [attribute, numbers @ ..] = cells.as_slice() else {
                return Err(fault());
            };
            if cells.len() != heads.len() {
                return Err(fault());
            }
            for (head, number) in heads[1..].iter().zip(numbers) {
                let number = number.parse().map_err(|_| fault())?;
                values.insert(((*attribute).to_owned(), (*head).to_owned()), number);
            }
        }
        Ok(Self(values))
    }

    /// The paper's table where it is to be compared with: as the experiment says, or where its data is CelebA.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn of(experiment: &Experiment) -> Result<Option<Self>> {
        let celeba = experiment.data.source == DataSource::Celeba;
        experiment
            .measure
            .published
            .unwrap_or(celeba)
            .then(Self::load)
            .transpose()
    }

    /// Part of the training images that has the attribute.
    pub fn positive_rate(&self, attribute: &str) -> Option<f64> {
        self.get(attribute, "train_positive_rate".to_owned())
    }

    /// Error rate of the classifier of a role on the samples of a class.
    pub fn error(&self, attribute: &str, role: Option<Role>, class: Class) -> Option<f64> {
        let rate = if class == Class::Positive { "fnr" } else { "fpr" };
        self.get(attribute, format!("{}_{rate}", role?))
    }

    /// Mean proportional energy of the samples that the classifier of a role predicts as a class.
    pub fn energy(&self, attribute: &str, role: Option<Role>, class: Class) -> Option<f64> {
        let side = if class == Class::Positive {
            "positive"
        } else {
            "negative"
        };
        self.get(attribute, format!("{}_energy_predicted_{side}", role?))
    }

    fn get(&self, attribute: &str, column: String) -> Option<f64> {
        self.0.get(&(attribute.to_owned(), column)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete() {
        let published = Published::load().expect("well-formed");
        for attribute in dataset::Attributes::celeba().names() {
            for role in Role::ALL.map(Some) {
                for class in Class::BOTH {
                    for value in [
                        published.error(attribute, role, class),
                        published.energy(attribute, role, class),
                    ] {
                        assert!(value.is_some_and(|value| (0.0..=1.0).contains(&value)), "{attribute}");
                    }
                }
            }
        }
        assert_eq!(
            published.error("Attractive", Some(Role::Unbalanced), Class::Positive),
            Some(0.175)
        );
    }
}
