//! Derived classifiers: which classifier has its features from where, and what it answers to.

use model::{Scheme, Weighting};

use super::range::Problem;
use super::{Change, Classifier, DataSource, Experiment, Role, Threshold};

/// Where a classifier comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'a> {
    /// Trained here.
    Trained,
    /// Read from a file.
    Elsewhere,
    /// Derived from another classifier.
    Derived {
        /// The classifier that it is derived from.
        from: &'a str,
        /// What it has instead.
        change: Change,
    },
}

impl Experiment {
    /// Where a classifier comes from; `None` where there is no such classifier.
    pub fn origin(&self, classifier: &str) -> Option<Origin<'_>> {
        let one = self.classifiers.get(classifier)?;
        Some(match (&one.from, one.change()) {
            (Some(from), Some(change)) => Origin::Derived { from, change },
            _ if one.weights.is_some() => Origin::Elsewhere,
            _ => Origin::Trained,
        })
    }

    /// Whether a classifier is derived from another one.
    pub fn is_derived(&self, classifier: &str) -> bool {
        self.classifiers.get(classifier).is_some_and(|one| one.from.is_some())
    }

    /// Whether methods are tried on a classifier: not on a derived one, whose maps are made of the same features.
    pub fn wants_faithfulness(&self, classifier: &str) -> bool {
        self.measure.faithfulness.images > 0 && !self.is_derived(classifier)
    }

    /// Whether it is measured how local a classifier's maps can be: not of a derived one, which has another's features.
    pub fn wants_locality(&self, classifier: &str) -> bool {
        self.measure.locality.images > 0 && !self.is_derived(classifier)
    }

    /// Whether the program draws the images.
    pub fn draws_its_images(&self) -> bool {
        match self.data.source {
            DataSource::Procedural => true,
            DataSource::Table => self.data.table.as_ref().is_some_and(|table| table.shapes.is_some()),
            DataSource::Celeba => false,
        }
    }

    /// Whether attributes are toggled in images: where the program draws them.
    pub fn wants_interventions(&self) -> bool {
        self.draws_its_images() && self.measure.interventions.images > 0
    }

    /// The classifier that has learnt a classifier's features: itself, but for a derived one.
    pub fn features_of<'a>(&'a self, classifier: &'a str) -> &'a str {
        let mut name = classifier;
        // As many steps as there are classifiers: a circle, which is refused, ends too.
        for _ in 0..self.classifiers.len() {
            match self.classifiers.get(name).and_then(|one| one.from.as_deref()) {
                Some(from) => name = from,
                None => break,
            }
        }
        name
    }

    /// The classifiers by the features that they share: in each group the one that has learnt them, and then those derived from it, as
    /// [`Self::classifiers_in_order`] has them.
    pub fn families(&self) -> Vec<Vec<String>> {
        let names = self.classifier_names();
        let heads = names.iter().filter(|name| !self.is_derived(name));
        heads
            .map(|head| {
                let members = names.iter().filter(|name| self.features_of(name) == head);
                members.cloned().collect()
            })
            .collect()
    }

    /// The class weights that a classifier's decisions answer to: those that it is trained with, or that its threshold or head was moved
    /// to. `None` where nobody knows: of one that was trained elsewhere, and behind a threshold that was chosen on images.
    pub fn weighting(&self, classifier: &str) -> Option<Weighting> {
        self.weighting_within(classifier, self.classifiers.len())
    }

    /// The class weights that a classifier's scores are scaled by, whatever its thresholds: those that its network, or the head that was
    /// refitted last, was fitted with.
    pub fn fitted_weighting(&self, classifier: &str) -> Option<Weighting> {
        let mut name = classifier;
        for _ in 0..self.classifiers.len() {
            match self.origin(name)? {
                Origin::Derived {
                    from,
                    change: Change::Threshold(_),
                } => name = from,
                _ => break,
            }
        }
        self.weighting(name)
    }

    fn weighting_within(&self, classifier: &str, steps: usize) -> Option<Weighting> {
        let one = self.classifiers.get(classifier)?;
        match (&one.to, one.class_weights) {
            (Some(to), None) if steps > 0 => self.weighting_within(to, steps - 1),
            (None, Some(_)) => Some(one.weighting()),
            _ => None,
        }
    }

    /// The unbalanced classifier with its threshold moved to where its decisions answer to the balanced one's class weights.
    pub fn unbalanced_moved(&self) -> Option<&str> {
        let role = |role| {
            let mut all = self.classifiers.iter();
            all.find(|(_, one)| one.role == Some(role))
                .map(|(name, _)| name.as_str())
        };
        self.derived(role(Role::Unbalanced)?, Kind::Threshold, role(Role::Balanced)?)
    }

    /// The classifier derived from `from` by a change of this kind whose decisions answer to the same class weights as those of `to`;
    /// the first of several.
    pub fn derived(&self, from: &str, kind: Kind, to: &str) -> Option<&str> {
        let wanted = self.weighting(to)?;
        let all = self.classifiers_in_order();
        let found = all.into_iter().find(|(name, one)| {
            let same = match one.change() {
                Some(Change::Threshold(Threshold::Prior)) => kind == Kind::Threshold,
                Some(Change::Head) => kind == Kind::Head,
                _ => false,
            };
            same && one.from.as_deref() == Some(from) && self.weighting(name) == Some(wanted)
        });
        found.map(|(name, _)| name)
    }
}

/// A kind of [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By class weights: [`Threshold::Prior`].
    Threshold,
    /// A refitted head.
    Head,
}

/// What is wrong with a derived classifier, and with the keys of derived classifiers in another one.
pub(super) fn check(experiment: &Experiment, name: &str, one: &Classifier) -> Vec<Problem> {
    let key = |key: &str| format!("classifiers.{name}.{key}");
    let mut problems = Vec::new();
    let mut refuse = |at: &str, message: String| problems.push(Problem::new(key(at), message));
    let Some(from) = &one.from else {
        let only = "only of a classifier that is derived `from` another";
        let keys = [
            ("to", one.to.is_some()),
            ("threshold", one.threshold.is_some()),
            ("head", one.head.is_some()),
        ];
        keys.iter()
            .filter(|(_, there)| *there)
            .for_each(|(at, _)| refuse(at, only.to_owned()));
        return problems;
    };
    let known = |other: &str| experiment.classifiers.contains_key(other);
    let there = || {
        let all: Vec<&str> = experiment.classifiers.keys().map(String::as_str).collect();
        all.join(", ")
    };
    if from == name {
        refuse("from", format!("`{name}` itself, expected another classifier"));
    } else if !known(from) {
        refuse("from", format!("`{from}` is not there; classifiers: {}", there()));
    } else if experiment.is_derived(experiment.features_of(name)) {
        refuse(
            "from",
            format!("`{from}` is itself derived from `{name}`; expected one that is trained in the end"),
        );
    }
    if one.weights.is_some() {
        refuse(
            "weights",
            "not of a derived classifier, which has the network of `from`".to_owned(),
        );
    }
    match one.change() {
        None => refuse(
            "from",
            "expected `threshold` or `head`, which say what is changed".to_owned(),
        ),
        Some(_) if one.threshold.is_some() && one.head.is_some() => {
            let message = "beside `threshold`; expected one of the two (a threshold may be derived from a classifier with another head)";
            refuse("head", message.to_owned());
        }
        Some(Change::Threshold(Threshold::BalancedError | Threshold::Rates)) => {
            let keys = [("to", one.to.is_some()), ("class_weights", one.class_weights.is_some())];
            let message = "has no effect: this threshold is chosen on the validation images";
            keys.iter()
                .filter(|(_, there)| *there)
                .for_each(|(at, _)| refuse(at, message.to_owned()));
        }
        Some(change) => {
            match (&one.to, one.class_weights) {
                (Some(to), None) if to == name || !known(to) => {
                    refuse("to", format!("`{to}` is no other classifier; classifiers: {}", there()));
                }
                (Some(to), None) if experiment.weighting(to).is_none() => {
                    refuse(
                        "to",
                        format!("the class weights of `{to}` are not known; say `class_weights` instead"),
                    );
                }
                (Some(_), Some(_)) => refuse("to", "beside `class_weights`; expected one of the two".to_owned()),
                (None, None) => {
                    refuse(
                        "from",
                        "expected `to`, a classifier, or `class_weights`: what it is to answer to".to_owned(),
                    );
                }
                _ => {}
            }
            let unused = [
                ("exponent", one.exponent != Classifier::new(Scheme::None).exponent),
                ("beta", one.beta != Classifier::new(Scheme::None).beta),
            ];
            if let Some(to) = &one.to {
                unused.iter().filter(|(_, there)| *there).for_each(|(at, _)| {
                    refuse(
                        at,
                        format!("has no effect beside `to`: the class weights are those of `{to}`"),
                    )
                });
            }
            if change != Change::Head && known(from) && from != name && experiment.weighting(from).is_none() {
                let message = format!(
                    "prior, but the class weights of `{from}` are not known; expected balanced_error or rates, which need validation \
                     images instead"
                );
                refuse("threshold", message);
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::load;

    fn experiment(classifiers: &str) -> Result<Experiment, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sample.yaml");
        std::fs::write(
            &path,
            format!("data: {{source: procedural}}\nclassifiers: {{{classifiers}}}\n"),
        )
        .expect("written");
        load(&path, &[])
            .map(|loaded| loaded.experiment)
            .map_err(|error| error.to_string())
    }

    const ARMS: &str = "balanced: {class_weights: domain_adaptive, exponent: 0.5}, unbalanced: {class_weights: none}, \
        unbalanced_head: {from: unbalanced, head: refitted, to: balanced}, \
        unbalanced_threshold: {from: unbalanced, threshold: prior, to: balanced}, \
        back: {from: unbalanced_head, threshold: prior, class_weights: none}, \
        chosen: {from: balanced, threshold: rates}";

    #[test]
    fn derived_classifiers_follow_what_they_are_derived_from() {
        let arms = experiment(ARMS).expect("loads");
        let names = [
            "unbalanced",
            "balanced",
            "unbalanced_threshold",
            "unbalanced_head",
            "chosen",
            "back",
        ];
        assert_eq!(arms.classifier_names(), names);
        assert_eq!(
            arms.families(),
            [
                vec!["unbalanced", "unbalanced_threshold", "unbalanced_head", "back"],
                vec!["balanced", "chosen"]
            ]
        );
        assert_eq!(
            (arms.features_of("back"), arms.features_of("balanced")),
            ("unbalanced", "balanced")
        );
        assert!(arms.is_trained("balanced") && !arms.is_trained("back") && arms.is_derived("back"));
        let weighting = |name: &str| arms.weighting(name);
        assert_eq!(weighting("unbalanced_head").expect("known").exponent, 0.5);
        assert_eq!(weighting("unbalanced_head"), weighting("balanced"));
        assert_eq!(weighting("chosen"), None);
        assert_eq!(arms.fitted_weighting("unbalanced_threshold"), weighting("unbalanced"));
        assert_eq!(arms.fitted_weighting("back"), weighting("unbalanced_head"));
        assert_eq!(arms.fitted_weighting("chosen"), weighting("balanced"));
        assert_eq!(
            arms.derived("unbalanced", Kind::Head, "balanced"),
            Some("unbalanced_head")
        );
        assert_eq!(
            arms.derived("unbalanced", Kind::Threshold, "balanced"),
            Some("unbalanced_threshold")
        );
        assert_eq!(arms.derived("balanced", Kind::Threshold, "unbalanced"), None);
        assert_eq!(
            arms.derived("unbalanced_head", Kind::Threshold, "unbalanced"),
            Some("back")
        );
    }

    /// One message each, which names the key and what is expected.
    #[test]
    fn what_cannot_be_derived_is_refused() {
        let two = "unbalanced: {class_weights: none}, balanced: {class_weights: domain_adaptive}";
        for (classifiers, parts) in [
            (
                "a: {from: nobody, threshold: rates}",
                [
                    "classifiers.a.from",
                    "`nobody` is not there; classifiers: a, balanced, unbalanced",
                ],
            ),
            ("a: {from: a, threshold: rates}", ["classifiers.a.from", "`a` itself"]),
            (
                "a: {from: b, threshold: rates}, b: {from: a, threshold: rates}",
                ["classifiers.b.from", "`a` is itself derived from `b`"],
            ),
            (
                "a: {from: unbalanced}",
                ["classifiers.a.from", "expected `threshold` or `head`"],
            ),
            (
                "a: {from: unbalanced, head: refitted}",
                ["classifiers.a.from", "expected `to`"],
            ),
            (
                "a: {from: unbalanced, head: refitted, to: nobody}",
                ["classifiers.a.to", "`nobody` is no other"],
            ),
            (
                "a: {from: unbalanced, head: refitted, to: balanced, class_weights: none}",
                ["classifiers.a.to", "one of the two"],
            ),
            (
                "a: {from: unbalanced, threshold: prior, head: refitted, to: balanced}",
                ["classifiers.a.head", "one of the two"],
            ),
            (
                "a: {from: unbalanced, threshold: prior, to: balanced, exponent: 0.5}",
                ["classifiers.a.exponent", "no effect beside `to`"],
            ),
            (
                "a: {from: unbalanced, threshold: rates, to: balanced}",
                ["classifiers.a.to", "has no effect"],
            ),
            (
                "a: {from: unbalanced, threshold: prior, to: b}, b: {from: balanced, threshold: rates}",
                ["classifiers.a.to", "not known"],
            ),
            (
                "a: {weights: a.safetensors}, b: {from: a, threshold: prior, to: balanced}",
                ["classifiers.b.threshold", "balanced_error"],
            ),
            (
                "a: {from: unbalanced, weights: a.safetensors, threshold: rates}",
                ["classifiers.a.weights", "derived"],
            ),
            (
                "a: {class_weights: none, threshold: prior}",
                ["classifiers.a.threshold", "derived `from` another"],
            ),
        ] {
            let message = experiment(&format!("{two}, {classifiers}")).expect_err("refused");
            for part in parts {
                assert!(message.contains(part), "{classifiers}: {message}");
            }
        }
    }
}
