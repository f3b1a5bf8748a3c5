use metrics::Interval;

use super::curve::y_range;
use super::*;
use crate::error::Error;
use crate::{Figure, Style};

/// Leaves a figure where the gallery's go, if somebody asks for them.
fn keep(name: &str, figure: &Figure) {
    if let Some(gallery) = std::env::var_os("BIASCAM_GALLERY") {
        std::fs::create_dir_all(&gallery).unwrap();
        let path = std::path::Path::new(&gallery).join(format!("{name}.png"));
        std::fs::write(path, figure.preview().unwrap()).unwrap();
    }
}

fn exponents() -> XAxis {
    let labels = ["0", "0.25", "0.5", "0.75", "1"].map(str::to_owned).to_vec();
    XAxis {
        title: "exponent".to_owned(),
        numbers: Some(labels.iter().map(|label| label.parse().unwrap()).collect()),
        labels,
    }
}

fn categories() -> XAxis {
    XAxis {
        title: "class_weights".to_owned(),
        labels: ["none", "domain_adaptive", "inverse_frequency", "effective_number"]
            .map(str::to_owned)
            .to_vec(),
        numbers: None,
    }
}

/// Curves that fall for the minority and rise for the majority.
fn classes(x: &XAxis, series: usize, scale: f64, intervals: bool) -> Vec<ClassCurves> {
    let curve = |series: usize, value: &dyn Fn(f64) -> f64| -> Vec<CurvePoint> {
        (0..x.labels.len())
            .map(|index| {
                let value = scale * value(index as f64 / x.labels.len() as f64 + 0.1 * series as f64);
                CurvePoint {
                    x: index,
                    value,
                    interval: intervals.then_some(Interval {
                        low: value - 0.1 * scale,
                        high: value + 0.1 * scale,
                    }),
                }
            })
            .collect()
    };
    (0..series)
        .map(|series| ClassCurves {
            minority: curve(series, &|t| 0.8 - 0.5 * t),
            majority: curve(series, &|t| 0.1 + 0.3 * t * t),
        })
        .collect()
}

fn names(series: usize) -> Vec<String> {
    (0..series).map(|index| format!("loss {index}")).collect()
}

fn curves(x: XAxis, series: usize, intervals: bool) -> Curves {
    let panel = |title: &str, scale: f64| Panel {
        title: title.to_owned(),
        series: classes(&x, series, scale, intervals),
    };
    Curves {
        panels: vec![
            panel("error", 0.4),
            panel("energy in the region", 0.9),
            panel("bias reliance", 1.2),
        ],
        x,
        series: names(series),
        caption: String::new(),
    }
}

fn attributes(x: XAxis, series: usize, count: usize) -> AttributePanels {
    AttributePanels {
        name: "sweep_attribute_energies",
        y: "energy in the region".to_owned(),
        series: names(series),
        panels: (0..count)
            .map(|index| AttributePanel {
                attribute: format!("Attribute_{index}"),
                chance: Some(0.2),
                series: classes(&x, series, 0.9, true),
            })
            .collect(),
        x,
        caption: String::new(),
    }
}

#[test]
fn curves_of_numbers_and_of_categories() {
    let style = Style::default();
    for (name, data) in [
        ("sweep_one", curves(exponents(), 1, true)),
        ("sweep_three", curves(exponents(), 3, false)),
        ("sweep_categories", curves(categories(), 2, true)),
    ] {
        let figure = sweep_curves(&style, &data).unwrap();
        assert_eq!(
            figure,
            sweep_curves(&style, &data).unwrap(),
            "the same data, another drawing"
        );
        assert!(figure.svg().contains("minority class") && !figure.svg().contains("NaN"));
        // A band a curve where there are intervals along numbers, none elsewhere.
        let bands = figure.svg().matches("opacity=\"0.18\"").count();
        assert_eq!(bands, if name == "sweep_one" { 6 } else { 0 }, "{name}");
        keep(name, &figure);
    }
}

#[test]
fn attributes_from_one_to_forty() {
    for count in [1, 3, 40] {
        let figure = sweep_attributes(&Style::default(), &attributes(exponents(), 1, count)).unwrap();
        assert_eq!(figure.svg().matches("Attribute ").count(), count);
        keep(&format!("sweep_attributes_{count}"), &figure);
    }
}

#[test]
fn the_front_is_drawn_over_what_has_numbers() {
    let mut data = Compromises {
        x: exponents(),
        series: names(2),
        points: (0..10)
            .map(|index| Compromise {
                series: index / 5,
                x: index % 5,
                error: 0.15 - 0.01 * (index % 5) as f64 + 0.02 * (index / 5) as f64,
                energy: 0.4 + 0.03 * ((index * 3) % 5) as f64,
                on_front: index < 3,
            })
            .collect(),
        caption: String::new(),
    };
    data.points[9].energy = f64::NAN;
    let figure = sweep_pareto(&Style::default(), &data).unwrap();
    assert!(!figure.svg().contains("NaN"));
    keep("sweep_pareto", &figure);
    data.points.iter_mut().for_each(|point| point.energy = f64::NAN);
    assert!(matches!(sweep_pareto(&Style::default(), &data), Err(Error::Empty(_))));
}

#[test]
fn nothing_is_not_drawn() {
    let mut data = curves(exponents(), 1, false);
    data.panels.clear();
    assert!(matches!(sweep_curves(&Style::default(), &data), Err(Error::Empty(_))));
    assert!(sweep_attributes(&Style::default(), &attributes(exponents(), 1, 0)).is_err());
}

#[test]
fn wide_intervals_do_not_flatten_the_curves() {
    let point = |value, interval| CurvePoint { x: 0, value, interval };
    let range = y_range([point(0.2, Some(Interval { low: -3.0, high: 3.0 })), point(0.4, None)].iter());
    assert_eq!(range.start, 0.0);
    assert!(range.end < 0.7, "{range:?}");
    assert_eq!(y_range([].iter()), 0.0..1.0);
    assert!(y_range([point(-0.2, None), point(0.4, None)].iter()).start < -0.19);
}
