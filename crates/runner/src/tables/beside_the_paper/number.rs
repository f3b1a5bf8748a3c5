//! Numbers of a run, each with its published counterpart.

use metrics::{Class, Filter};

use crate::measured::{Measure, Measured};
use crate::published::Published;

/// What differs from the authors' work, for whoever reads the numbers.
pub const CAVEAT: &str = "Differences are ours minus published. Pretrained weights, seeds, optimiser settings that the paper does not state, and \
    the alignment's resampling are not the authors'; the paper gives no intervals. Energies follow the paper: a map without energy counts as 0.";

/// One number of this run and its published counterpart.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedNumber {
    /// The attribute.
    pub attribute: String,
    /// The classifier.
    pub classifier: String,
    /// `fnr`, `fpr`, `energy_predicted_positive` or `energy_predicted_negative`.
    pub quantity: &'static str,
    /// Measured in this run.
    pub ours: f64,
    /// Published.
    pub published: f64,
}

impl PublishedNumber {
    /// Every number that both have.
    pub fn all(measured: &Measured, published: &Published) -> Vec<Self> {
        let mut all = Vec::new();
        for attribute in &measured.attributes {
            let classifiers = measured.classifiers.iter().zip(&measured.roles);
            for ((classifier, &role), measures) in classifiers.zip(&attribute.classifiers) {
                for class in Class::BOTH {
                    let (error, energy) = match class {
                        Class::Positive => ("fnr", "energy_predicted_positive"),
                        Class::Negative => ("fpr", "energy_predicted_negative"),
                    };
                    let pairs = [
                        (
                            error,
                            measures.rates.rate(class),
                            published.error(&attribute.name, role, class),
                        ),
                        (
                            energy,
                            measures
                                .statistics(Measure::EnergyPaper, Filter::predicted(class))
                                .map(|statistics| statistics.mean),
                            published.energy(&attribute.name, role, class),
                        ),
                    ];
                    all.extend(pairs.into_iter().filter_map(|(quantity, ours, published)| {
                        Some(Self {
                            attribute: attribute.name.clone(),
                            classifier: classifier.clone(),
                            quantity,
                            ours: ours?,
                            published: published?,
                        })
                    }));
                }
            }
        }
        all
    }
}
