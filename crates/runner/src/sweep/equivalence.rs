//! Which experiments are the same training, although they are written differently.

use model::Scheme;

use crate::experiment::{Classifier, Experiment};

/// The experiment with each classifier's class weights in one form: an exponent of 0 turns every scheme into no weighting
/// (`model::ClassWeights::new`), and `beta` matters to one scheme only. Experiments with the same form end in the same bytes.
///
/// So the runs of `scheme x exponent` share their unbalanced end.
pub fn canonical(experiment: &Experiment) -> Experiment {
    let mut experiment = experiment.clone();
    for classifier in experiment.classifiers.values_mut() {
        let Some(scheme) = classifier.class_weights else {
            continue;
        };
        let plain = Classifier::new(scheme);
        if scheme == Scheme::None || classifier.exponent == 0.0 {
            *classifier = Classifier {
                class_weights: plain.class_weights.map(|_| Scheme::None),
                exponent: plain.exponent,
                beta: plain.beta,
                ..classifier.clone()
            };
        } else if scheme != Scheme::EffectiveNumber {
            classifier.beta = plain.beta;
        }
    }
    experiment
}
