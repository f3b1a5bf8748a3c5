//! Prints the tables of `docs/understand/inference.md`: how often verdicts and intervals are right where the truth is known.
//!
//! ```text
//! cargo run --release -p metrics --example inference -- [--repetitions N] [null|power|coverage]...
//! ```

mod claims;
mod coverage;
mod faces;

use claims::{null, power};
use coverage::{Group, Way, of_difference, of_mean, of_sum};
use faces::{Faces, Shape};
use metrics::{Bootstrap, Error};

/// As the program draws by default, but half as many: a level of 5 % needs no more.
const BOOTSTRAP: Bootstrap = Bootstrap {
    resamples: 500,
    seed: 1,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut repetitions = 1000;
    let mut parts = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--repetitions" => repetitions = arguments.next().ok_or("--repetitions needs a number")?.parse()?,
            "null" | "power" | "coverage" => parts.push(argument),
            other => return Err(format!("unknown argument `{other}`").into()),
        }
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|given| given == part);
    if wanted("null") {
        null_table(repetitions)?;
    }
    if wanted("power") {
        power_table((repetitions / 5).max(1))?;
    }
    if wanted("coverage") {
        coverage_tables(repetitions)?;
    }
    Ok(())
}

fn null_table(repetitions: usize) -> Result<(), Error> {
    println!("Six claims, none true ({repetitions} repetitions): how often any of them is called, in %\n");
    println!(
        "| people x images | attributes | correlation | intraclass | observed or contradicted | observed | images as units | over attributes |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let row = |people, images_each, attributes, correlation, intraclass, repetitions| -> Result<(), Error> {
        let faces = Faces {
            people,
            images_each,
            attributes,
            correlation,
            intraclass,
        };
        let said = null(&faces, repetitions, BOOTSTRAP)?;
        let [any, observed, over_attributes] =
            [said.any, said.observed, said.observed_over_attributes].map(|part| 100.0 * part);
        let images = said
            .any_over_images
            .map_or("–".to_owned(), |part| format!("{:.1}", 100.0 * part));
        println!(
            "| {people} x {images_each} | {attributes} | {correlation} | {intraclass} | {any:.1} | {observed:.1} | {images} | {over_attributes:.1} |"
        );
        Ok(())
    };
    for attributes in [3, 5, 8, 40] {
        for correlation in [0.0, 0.1, 0.3] {
            for intraclass in [0.0, 0.3] {
                row(300, 3, attributes, correlation, intraclass, repetitions)?;
            }
        }
    }
    for (people, images_each) in [(20, 3), (50, 3), (100, 3)] {
        for attributes in [3, 8, 40] {
            row(people, images_each, attributes, 0.3, 0.3, repetitions)?;
        }
    }
    row(1000, 15, 8, 0.3, 0.3, repetitions.div_ceil(5))?;
    println!();
    Ok(())
}

fn power_table(repetitions: usize) -> Result<(), Error> {
    println!(
        "One claim true, attributes' effects varying by 0.8 of it ({repetitions} repetitions): how often it is observed as one of six, in %\n"
    );
    println!("| people x images | attributes | mean rise | observed | attributes that show it | the opposite |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (people, images_each, attributes) in [(1000, 15, 35), (1000, 2, 35), (100, 3, 35), (1000, 2, 5)] {
        for effect in [0.1, 0.03, 0.01] {
            let faces = Faces {
                people,
                images_each,
                attributes,
                correlation: 0.1,
                intraclass: 0.3,
            };
            let found = power(&faces, effect, repetitions, BOOTSTRAP)?;
            println!(
                "| {people} x {images_each} | {attributes} | {:.3} | {:.0} | {:.0} | {:.1} |",
                found.effect,
                100.0 * found.observed,
                100.0 * found.showing,
                100.0 * found.opposite
            );
        }
    }
    println!();
    Ok(())
}

const ALONE: (usize, f64) = (1, 0.0);
const TOGETHER: (usize, f64) = (3, 0.3);

fn coverage_tables(repetitions: usize) -> Result<(), Error> {
    println!("Rates ({repetitions} repetitions): coverage in %, mean width\n");
    println!("| rate | images | a person's | ours | counts (Wilson) | percentile |");
    println!("|---:|---:|---:|---:|---:|---:|");
    for rate in [0.02, 0.1, 0.5] {
        for images in [34, 340] {
            for (images_each, intraclass) in [ALONE, TOGETHER] {
                let group = Group {
                    images,
                    images_each,
                    intraclass,
                };
                let ways = [Way::Ours, Way::Counts, Way::Percentile];
                let found = of_mean(group, Shape::Rate(rate), &ways, repetitions, BOOTSTRAP)?;
                println!("| {rate} | {images} | {images_each} | {} |", cells(&found));
            }
        }
    }
    println!("\nMeans ({repetitions} repetitions): coverage in %, mean width\n");
    println!("| values | images | a person's | ours | BCa | studentised | Student | percentile |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let shapes = [
        ("u^4", Shape::Fourth),
        ("60 % zeros", Shape::Zeros(0.6)),
        ("85 % zeros", Shape::Zeros(0.85)),
    ];
    for (name, shape) in shapes {
        for images in [5, 10, 34, 340] {
            for (images_each, intraclass) in [ALONE, TOGETHER] {
                let group = Group {
                    images,
                    images_each,
                    intraclass,
                };
                let ways = [Way::Ours, Way::Bca, Way::Studentised, Way::Student, Way::Percentile];
                let found = of_mean(group, shape, &ways, repetitions, BOOTSTRAP)?;
                println!("| {name} | {images} | {images_each} | {} |", cells(&found));
            }
        }
    }
    println!(
        "\nDifferences of two means, and sums over 8 attributes ({repetitions} repetitions): coverage in %, mean width\n"
    );
    println!("| values | images | a person's | other people | same images | sum |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, shape) in shapes {
        for images in [5, 10, 34, 340] {
            for (images_each, intraclass) in [ALONE, TOGETHER] {
                let group = Group {
                    images,
                    images_each,
                    intraclass,
                };
                let found = [
                    of_difference(group, false, shape, repetitions, BOOTSTRAP)?,
                    of_difference(group, true, shape, repetitions, BOOTSTRAP)?,
                    of_sum(group, 8, shape, repetitions, BOOTSTRAP)?,
                ];
                println!("| {name} | {images} | {images_each} | {} |", cells(&found));
            }
        }
    }
    Ok(())
}

fn cells(found: &[(f64, f64)]) -> String {
    let cells: Vec<String> = found
        .iter()
        .map(|(coverage, width)| format!("{:.1}, {width:.3}", 100.0 * coverage))
        .collect();
    cells.join(" | ")
}
