use super::*;
use crate::sweep::records::AttributeValues;

/// A plan of exponents and seeds whose runs nobody makes.
pub fn plan(text: &str) -> Plan {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(
        folder.path().join("base.yaml"),
        "data: {source: procedural}\nclassifiers: {swept: {class_weights: domain_adaptive}}\n",
    )
    .expect("written");
    let path = folder.path().join("sample.yaml");
    std::fs::write(&path, format!("experiment: base.yaml\n{text}")).expect("written");
    Plan::load(&path, &[]).expect("a plan")
}

/// Records in which attribute i of point p has `value(p, i)` as every quantity; `None` where it is absent.
pub fn records(plan: &Plan, attributes: usize, value: impl Fn(usize, usize) -> Option<f64>) -> Vec<Record> {
    (0..plan.points.len())
        .map(|point| Record {
            point,
            classifier: "swept".to_owned(),
            attributes: (0..attributes)
                .map(|attribute| AttributeValues {
                    name: format!("attribute {attribute}"),
                    area: Some(0.25),
                    values: [value(point, attribute); Quantity::ALL.len()],
                })
                .collect(),
        })
        .collect()
}

const THREE_BY_TWO: &str = "axes: {classifiers.swept.exponent: [1, 0, 0.5]}\nseeds: [1, 2]\n";

#[test]
fn means_are_over_common_attributes_and_intervals_over_seeds() {
    let plan = plan(THREE_BY_TWO);
    // Points in the file's order: exponent 1 (two seeds), 0, 0.5. Attribute 2 is absent in one run, so it counts nowhere.
    let records = records(&plan, 3, |point, attribute| {
        (attribute != 2 || point != 3).then(|| [0.5, 0.75, 0.0, 0.25, 0.25, 0.25][point] + attribute as f64)
    });
    let found = Comparison::of(&plan, &records).expect("a comparison");
    assert_eq!(
        (found.labels, found.numbers),
        (
            vec!["0".to_owned(), "0.5".to_owned(), "1".to_owned()],
            Some(vec![0.0, 0.5, 1.0])
        )
    );
    assert_eq!(found.common[0], [0, 1]);
    let mean = |x: usize| found.settings[x].means[0].expect("a mean");
    assert_eq!([mean(0).value, mean(1).value, mean(2).value], [0.625, 0.75, 1.125]);
    // Student's t of one degree of freedom, 12.706, times the standard error of 0.5 and 0.75, which is 0.125; of a share it is cut.
    let of = |quantity: Quantity| found.settings[2].means[quantity.index()].and_then(|mean| mean.interval);
    let interval = of(Quantity::MajorityBias).expect("two seeds");
    assert!(
        (interval.high - 1.125 - 12.706_204_7 * 0.125).abs() < 1e-6,
        "{interval:?}"
    );
    let share = of(Quantity::MinorityError).expect("two seeds");
    assert_eq!((share.low, share.high), (0.0, 1.0));
    // One attribute that is absent in one of two runs still has a mean of its own.
    assert_eq!(found.settings[0].attributes[2][0].expect("one seed").seeds, 1);
}

#[test]
fn one_seed_has_no_interval() {
    let plan = plan("axes: {classifiers.swept.exponent: [0, 1]}\n");
    let found = Comparison::of(&plan, &records(&plan, 2, |_, _| Some(0.5))).expect("a comparison");
    assert_eq!(found.settings[0].means[0].expect("a mean").interval, None);
    assert!(found.tests.iter().all(|test| test.p.is_none() && !test.differs()));
}

#[test]
fn nothing_is_no_comparison() {
    assert!(Comparison::of(&plan(THREE_BY_TWO), &[]).is_none());
}

#[test]
fn clear_differences_are_found_and_none_are_not() {
    let plan = plan(THREE_BY_TWO);
    // Exponent 1 is above the others in all of twelve attributes; 0 and 0.5 differ by nothing but a sign that changes. Seeds differ a little,
    // each setting's its own way.
    let records = records(&plan, 12, |point, attribute| {
        let noise = 0.001 * (1.0 + attribute as f64);
        let seed = [0.0, 0.0005, -0.0002, 0.0, 0.0, 0.0003][point];
        Some(
            seed + match point {
                0 | 1 => 0.5 + 10.0 * noise,
                2 | 3 => 0.25,
                _ => 0.25 + if attribute % 2 == 0 { noise } else { -noise },
            },
        )
    });
    let found = Comparison::of(&plan, &records).expect("a comparison");
    let first = found.settings[0].means[0].and_then(|mean| mean.interval);
    assert!(first.is_some_and(|interval| interval.low >= 0.0), "a share: {first:?}");
    let of = |settings: [usize; 2]| {
        let test = found.tests.iter().find(|test| test.settings == settings);
        test.expect("a test").clone()
    };
    assert!(of([0, 2]).differs() && of([1, 2]).differs());
    assert!(!of([0, 1]).differs());
    // 2 / 2^12, and Holm's factor of 3.
    assert_eq!(of([0, 2]).p_attributes, Some(2.0 / 4096.0));
    assert_eq!(of([0, 2]).p_attributes_adjusted, Some(6.0 / 4096.0));
    assert_eq!(found.onsets[0].risen, From::X(1.0));
    // Energies of 0.25 are the region's area, and what seeds add to it is not clear; those of exponent 1 are.
    assert_eq!(found.onsets[0].above_chance, From::X(1.0));
    assert_eq!((found.settings[0].looked_at, found.settings[2].looked_at), (0, 12));
}

#[test]
fn onsets_are_interpolated() {
    for (curve, expected) in [
        (&[(0.0, -0.1), (0.5, 0.1), (1.0, 0.2)][..], From::X(0.25)),
        (&[(0.0, 0.1), (0.5, 0.1)], From::Always),
        (&[(0.0, 0.1), (0.5, -0.1)], From::Never),
        (&[(0.0, 0.1), (0.5, -0.1), (1.0, 0.3)], From::X(0.625)),
        (&[(0.0, 0.0), (1.0, 1.0)], From::X(0.0)),
    ] {
        assert_eq!(crossing(curve), expected, "{curve:?}");
    }
}

#[test]
fn curves_are_what_else_varies() {
    let plan = plan(
        "axes: {training.loss: [euclidean, cross_entropy], classifiers.swept.exponent: [0, 1]}\ncompare: {x: classifiers.swept.exponent}\n",
    );
    let found = Comparison::of(&plan, &records(&plan, 6, |point, _| Some(point as f64 / 8.0))).expect("a comparison");
    assert_eq!(found.series, ["loss euclidean", "loss cross_entropy"]);
    assert_eq!(found.name(&found.settings[3]), "loss cross_entropy, exponent 1");
    // Of six pairs, those that differ in loss and exponent at once are not tested.
    assert_eq!(found.tests.len(), 4 * Quantity::ALL.len());
    // Here error and energy are one number: every setting has more of one and less of the other.
    assert!(found.settings.iter().all(|setting| setting.on_front));
}

#[test]
fn categories_keep_their_order() {
    let plan = plan("axes: {training.loss: [euclidean, cross_entropy]}\n");
    let found = Comparison::of(&plan, &records(&plan, 6, |_, _| Some(0.5))).expect("a comparison");
    assert_eq!(
        (found.labels, found.numbers),
        (vec!["euclidean".to_owned(), "cross_entropy".to_owned()], None)
    );
    assert!(found.onsets.is_empty());
}
