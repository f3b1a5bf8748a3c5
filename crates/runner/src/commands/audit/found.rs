//! What an audit finds, over attributes.

use metrics::{
    AgainstArea, Bootstrap, Interval, OperatingPoint, ThresholdGain, against_area, spearman_over_groups,
    spearman_with_interval, threshold_gain,
};

use super::audited::{Attribute, Audited};

/// Draws of every interval: more than a run's, as they are cheap here.
const BOOTSTRAP: Bootstrap = Bootstrap {
    resamples: 10_000,
    seed: 1,
};

/// Attributes, or regions, that an interval needs at least: percentile intervals of fewer are too short.
const FEWEST: usize = 10;

/// What a table says as a whole.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// How much of the gain the thresholds make; of two classifiers.
    pub gain: Option<ThresholdGain>,
    /// One entry a classifier.
    pub classifiers: Vec<OfClassifier>,
}

/// What it says of a classifier.
#[derive(Debug, Clone, Default)]
pub(super) struct OfClassifier {
    pub rates: Option<Rates>,
    /// Majority energy beside area, of attributes with a local region.
    pub energy: Option<Energy>,
    /// Of the same attributes: imbalance, and the gap between both energies.
    pub imbalance: Option<Imbalance>,
}

/// Means over attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub attributes: usize,
    pub error: f64,
    /// With the threshold moved to where it errs least.
    pub ideal: f64,
    pub d_prime: f64,
}

/// Majority energies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Energy {
    pub all: AgainstArea,
    /// Of the attributes above their area alone.
    pub above: Option<AgainstArea>,
}

/// A rank correlation with two intervals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Imbalance {
    pub correlation: f64,
    pub attributes: usize,
    /// Attributes resampled.
    pub interval: Option<Interval>,
    /// How many regions, and the interval where they are resampled; `None` where it is not known which attributes share one.
    pub regions: Option<(usize, Option<Interval>)>,
}

/// Finds it.
pub(super) fn find(audited: &Audited) -> Found {
    let pairs: Vec<[OperatingPoint; 2]> = audited
        .attributes
        .iter()
        .filter_map(|attribute| match &attribute.numbers[..] {
            [first, second] => Some([first.point()?, second.point()?]),
            _ => None,
        })
        .collect();
    let of_classifier = |classifier: usize| OfClassifier {
        rates: rates(audited, classifier),
        energy: energy(audited, classifier),
        imbalance: imbalance(audited, classifier),
    };
    let gain = threshold_gain(&pairs, BOOTSTRAP).map(|gain| ThresholdGain {
        interval: enough(gain.attributes, gain.interval),
        ..gain
    });
    Found {
        gain,
        classifiers: (0..audited.classifiers.len()).map(of_classifier).collect(),
    }
}

/// An interval, if so many stand behind it that it is one.
fn enough(n: usize, interval: Option<Interval>) -> Option<Interval> {
    interval.filter(|_| n >= FEWEST)
}

fn rates(audited: &Audited, classifier: usize) -> Option<Rates> {
    let points = audited.attributes.iter();
    let points: Vec<OperatingPoint> = points
        .filter_map(|attribute| attribute.numbers[classifier].point())
        .collect();
    let mean = |value: fn(&OperatingPoint) -> f64| points.iter().map(value).sum::<f64>() / points.len() as f64;
    (!points.is_empty()).then(|| Rates {
        attributes: points.len(),
        error: mean(OperatingPoint::balanced_error),
        ideal: mean(OperatingPoint::ideal_error),
        d_prime: mean(OperatingPoint::d_prime),
    })
}

fn local(audited: &Audited) -> impl Iterator<Item = &Attribute> {
    audited.attributes.iter().filter(|attribute| attribute.is_local())
}

fn energy(audited: &Audited, classifier: usize) -> Option<Energy> {
    let pairs: Vec<(f64, f64)> = local(audited)
        .filter_map(|attribute| attribute.majority(classifier).energy.zip(attribute.area))
        .collect();
    let above: Vec<(f64, f64)> = pairs.iter().copied().filter(|(energy, area)| energy > area).collect();
    Some(Energy {
        all: against_area(&pairs)?,
        above: against_area(&above),
    })
}

fn imbalance(audited: &Audited, classifier: usize) -> Option<Imbalance> {
    let points: Vec<(f64, f64, Option<usize>)> = local(audited)
        .filter_map(|attribute| Some((attribute.imbalance()?, attribute.gap(classifier)?, attribute.region)))
        .collect();
    let [x, y] = [|point: &(f64, f64, _)| point.0, |point: &(f64, f64, _)| point.1]
        .map(|value| points.iter().map(value).collect::<Vec<f64>>());
    let found = spearman_with_interval(&x, &y, BOOTSTRAP)?;
    let groups: Option<Vec<usize>> = points.iter().map(|point| point.2).collect();
    let regions = groups.map(|groups| {
        let distinct: std::collections::BTreeSet<&usize> = groups.iter().collect();
        let interval = spearman_over_groups(&x, &y, &groups, BOOTSTRAP);
        (distinct.len(), enough(distinct.len(), interval))
    });
    Some(Imbalance {
        correlation: found.value,
        attributes: found.n,
        interval: enough(found.n, found.interval),
        regions,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{rates::published, regions};
    use super::*;

    #[test]
    fn few_attributes_have_no_interval() {
        let mut audited = published().expect("well-formed");
        regions::add(&mut audited, None).expect("the paper's regions");
        let with = |count: usize| {
            let mut audited = audited.clone();
            audited.attributes.drain(..audited.attributes.len() - count);
            let found = find(&audited);
            (
                found.gain.expect("two classifiers").interval,
                found.classifiers[0].rates.expect("rates").attributes,
            )
        };
        assert_eq!(with(FEWEST - 1), (None, FEWEST - 1));
        assert!(with(FEWEST).0.is_some());
    }

    /// What was computed of the paper's table apart from this program, with numpy and scipy: means by the formulas, intervals by 10,000
    /// draws of another generator, whose ends are uncertain by about 0.01.
    #[test]
    fn the_paper_s_table_says_what_was_computed_apart() {
        let mut audited = published().expect("well-formed");
        regions::add(&mut audited, None).expect("the paper's regions");
        let found = find(&audited);
        let near = |found: f64, expected: f64, within: f64| {
            assert!((found - expected).abs() <= within, "{found}, expected {expected}");
        };
        let interval = |found: Option<Interval>, low: f64, high: f64| {
            let found = found.expect("an interval");
            near(found.low, low, 0.02);
            near(found.high, high, 0.02);
        };
        let gain = found.gain.expect("two classifiers");
        assert_eq!((gain.attributes, gain.more_sensitive), (40, 30));
        near(gain.before, 0.162_925, 1e-6);
        near(gain.moved, 0.119_907, 1e-6);
        near(gain.after, 0.112_063, 1e-6);
        near(gain.share.expect("a gain"), 0.845_780, 1e-6);
        interval(gain.interval, 0.777, 0.924);
        near(gain.d_prime[0], 2.551_061, 1e-6);
        near(gain.d_prime[1], 2.696_751, 1e-6);
        let energy = found.classifiers[0].energy.expect("energies");
        assert_eq!((energy.all.attributes, energy.all.above), (35, 25));
        // Over all 35; over the 25 above their area 0.266, 0.124 and 2.49.
        near(energy.all.energy, 0.251_629, 1e-6);
        near(energy.all.area, 0.167_347, 1e-6);
        near(energy.all.ratio, 2.005_072, 1e-6);
        let above = energy.above.expect("some above");
        near(above.energy, 0.265_96, 1e-6);
        near(above.area, 0.124_082, 1e-6);
        near(above.ratio, 2.491_487, 1e-6);
        let balanced = found.classifiers[1].energy.expect("energies");
        assert_eq!(balanced.all.above, 30);
        near(balanced.all.energy, 0.4058, 1e-6);
        let imbalance = found.classifiers[0].imbalance.expect("both");
        assert_eq!(imbalance.attributes, 35);
        near(imbalance.correlation, 0.408_040, 1e-6);
        interval(imbalance.interval, 0.06, 0.69);
        let (regions, over_regions) = imbalance.regions.expect("known");
        assert_eq!(regions, 11);
        interval(over_regions, -0.02, 0.685);
    }
}
