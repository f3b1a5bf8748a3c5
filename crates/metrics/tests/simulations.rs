//! What `docs/understand/inference.md` says of verdicts and intervals, with few repetitions: `examples/inference` prints its tables. Margins are three
//! standard errors of the repetitions; seeds are fixed, so that a failure is a change.

// The tables' rows are more than the tests look at.
#[allow(dead_code)]
#[path = "../examples/inference/claims.rs"]
mod claims;
#[allow(dead_code)]
#[path = "../examples/inference/coverage.rs"]
mod coverage;
#[path = "../examples/inference/faces.rs"]
mod faces;

use coverage::{Group, Way, of_difference, of_mean, of_sum};
use faces::{Faces, Shape};
use metrics::Bootstrap;

const BOOTSTRAP: Bootstrap = Bootstrap {
    resamples: 300,
    seed: 1,
};

fn faces(people: usize, images_each: usize, attributes: usize) -> Faces {
    Faces {
        people,
        images_each,
        attributes,
        correlation: 0.3,
        intraclass: 0.3,
    }
}

/// Three standard errors of a part p of so many repetitions.
fn margin(p: f64, repetitions: usize) -> f64 {
    3.0 * (p * (1.0 - p) / repetitions as f64).sqrt()
}

#[test]
fn where_nothing_is_true_a_family_says_so() {
    let most = 0.05 + margin(0.05, 400);
    let said = claims::null(&faces(150, 8, 5), 400, BOOTSTRAP).unwrap();
    assert!(said.any <= most, "{said:?}");
    assert!(said.observed <= 0.025 + margin(0.025, 400), "{said:?}");
    // The margin is one that a wrong unit does not pass, nor do intervals over attributes.
    assert!(said.any_over_images.unwrap() > most + 0.05, "{said:?}");
    assert!(said.observed_over_attributes > most + 0.1, "{said:?}");
}

#[test]
fn effects_of_the_paper_s_size_are_observed() {
    for (people, images_each, repetitions) in [(1000, 15, 6), (1000, 2, 20)] {
        let found = claims::power(&faces(people, images_each, 35), 0.1, repetitions, BOOTSTRAP).unwrap();
        assert!(found.observed >= 0.8, "{people} x {images_each}: {found:?}");
        assert!((found.effect - 0.1).abs() < 0.02, "{found:?}");
        // About six attributes of seven have an effect that is positive.
        assert!((0.6..0.86).contains(&found.showing), "{found:?}");
        assert!(found.opposite < 0.15, "{found:?}");
    }
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    const REPETITIONS: usize = 400;
    let ways = [Way::Ours, Way::Percentile];
    // The least coverage, and the most of the percentile interval.
    let cases = [
        (Shape::Rate(0.02), 34, 0.95, 0.6),
        (Shape::Rate(0.02), 340, 0.95, 1.0),
        (Shape::Fourth, 5, 0.90, 0.85),
        (Shape::Fourth, 10, 0.92, 0.9),
        (Shape::Fourth, 34, 0.95, 0.95),
        (Shape::Zeros(0.6), 5, 0.95, 0.8),
        (Shape::Zeros(0.85), 10, 0.95, 0.75),
    ];
    for (images_each, intraclass) in [(1, 0.0), (3, 0.3)] {
        let group = |images: usize| Group {
            images,
            images_each,
            intraclass,
        };
        for (shape, images, least, most_of_percentile) in cases {
            let found = of_mean(group(images), shape, &ways, REPETITIONS, BOOTSTRAP).unwrap();
            let what = format!("{shape:?}, {images} images, {images_each} a person: {found:?}");
            assert!(found[0].0 >= least - margin(least, REPETITIONS), "{what}");
            assert!(found[1].0 <= most_of_percentile, "{what}");
        }
        for (images, least) in [(5, 0.87), (10, 0.9), (34, 0.92), (340, 0.95)] {
            let all = [
                of_difference(group(images), false, Shape::Fourth, REPETITIONS, BOOTSTRAP),
                of_difference(group(images), true, Shape::Fourth, REPETITIONS, BOOTSTRAP),
                of_sum(group(images), 8, Shape::Fourth, REPETITIONS, BOOTSTRAP),
            ];
            for found in all {
                let (coverage, width) = found.unwrap();
                assert!(
                    coverage >= least - margin(least, REPETITIONS),
                    "{images} {images_each} {coverage} {width}"
                );
            }
        }
    }
}
