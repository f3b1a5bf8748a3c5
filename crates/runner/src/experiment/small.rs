//! Few images of one's own: what an experiment leaves at its default is scaled to them, and written out so.

use super::{Experiment, FaithfulnessSettings, MeasureSettings};

/// With fewer training images than this, the default network is a small one.
pub const FEW: usize = 1000;
/// Channels of its first stage, in place of 64.
const WIDTH: usize = 16;
/// Scores on which methods are tried, in place of 80.
const FAITHFULNESS: usize = 16;
/// Images whose scores are taken apart, in place of 16.
const DECOMPOSED: usize = 4;

impl Experiment {
    /// Scales what is unset to so many training images; what was done, for the first lines of a run. `None` where nothing was: with many
    /// images, and with a network that somebody chose.
    pub fn scale_to(&mut self, training: usize) -> Option<String> {
        let unset = self.unset;
        if training >= FEW || !unset.network {
            return None;
        }
        self.model.width = Some(WIDTH);
        let mut done = vec![format!(
            "resnet18 starts with {WIDTH} channels in place of 64 (model.width)"
        )];
        let measure = &mut self.measure;
        let usual = (MeasureSettings::default(), FaithfulnessSettings::default());
        if unset.faithfulness {
            measure.faithfulness.images = FAITHFULNESS;
            done.push(format!(
                "methods are tried on {FAITHFULNESS} scores in place of {} (measure.faithfulness.images)",
                usual.1.images
            ));
        }
        if unset.decomposed {
            measure.decomposed_images = DECOMPOSED;
            done.push(format!(
                "the scores of {DECOMPOSED} images are taken apart in place of {} (measure.decomposed_images)",
                usual.0.decomposed_images
            ));
        }
        Some(format!(
            "{training} training images are few, so what is not set is scaled to them: {}. A network that is set leaves all as it is, such as \
             --set model.width=64",
            done.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Unset;

    fn experiment(unset: Unset) -> Experiment {
        let table = r#"{"data": {"source": "table", "table": {"file": "a.csv", "images": "b"}}}"#;
        let experiment: Experiment = serde_json::from_str(table).expect("an experiment");
        Experiment { unset, ..experiment }
    }

    #[test]
    fn only_what_is_unset_is_scaled_and_only_to_few_images() {
        let all = Unset {
            network: true,
            faithfulness: true,
            decomposed: true,
        };
        let mut few = experiment(all);
        let said = few.scale_to(132).expect("scaled");
        assert!(said.starts_with("132 training images are few"), "{said}");
        let found = (
            few.model.width,
            few.measure.faithfulness.images,
            few.measure.decomposed_images,
        );
        assert_eq!(found, (Some(16), 16, 4));
        let mut some = experiment(Unset {
            faithfulness: false,
            ..all
        });
        some.scale_to(132).expect("scaled");
        assert_eq!(some.measure.faithfulness.images, 80);
        for (training, unset) in [
            (1000, all),
            (132, Unset::default()),
            (132, Unset { network: false, ..all }),
        ] {
            let mut same = experiment(unset);
            assert_eq!(same.scale_to(training), None);
            assert_eq!(same, experiment(unset));
        }
    }
}
