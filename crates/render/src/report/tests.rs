use metrics::{AttributeEvidence, Bootstrap, ClassifierEvidence, Grounds, People, Ratios, findings};

use super::figures::INLINE_LIMIT;
use super::*;
use crate::Style;
use crate::figures::{Bar, BarFigure, BarGroup, BarPair, error_rates};
use crate::sheet::{Cell, Column, Sheet, Unit};

fn data() -> ReportData {
    let mut ratios = Ratios::new(People::each_image(50));
    let mut number = 0;
    let mut measured = |mean: f64| {
        number += 1;
        let noise = |image: usize| (image * (number % 4 + 1) % 5) as f64 - 2.0;
        let value = |image: usize| mean + 0.01 * noise(image);
        let cell = ratios.add((0..50).map(|image| (image, value(image)))).unwrap();
        Some(Grounds::measured(cell, 500))
    };
    let mut classifier = |minority, majority| ClassifierEvidence {
        minority_error: measured(minority),
        majority_error: measured(majority),
        minority_energy: measured(0.6),
        majority_energy: measured(0.3 + majority),
        majority_constant: measured(1.0 - majority),
        majority_specificity: measured(0.1),
        majority_turned: None,
    };
    let evidence: Vec<AttributeEvidence> = (0..8)
        .map(|i| AttributeEvidence {
            minority_share: 0.05 * f64::from(i),
            local: i != 3,
            unbalanced: classifier(0.5 - 0.03 * f64::from(i), 0.02),
            balanced: classifier(0.15, 0.14),
            majority_turned_at_same_point: None,
            majority_energy_rise: None,
            majority_loss_rise: None,
        })
        .collect();
    let bars = BarFigure {
        classifiers: vec!["unbalanced".to_owned(), "<balanced>".to_owned()],
        groups: vec![BarGroup {
            attribute: "Wearing_Hat".to_owned(),
            minority_positive: true,
            global: false,
            chance: None,
            bars: vec![
                BarPair {
                    minority: Bar {
                        value: Some(0.4),
                        ..Bar::default()
                    },
                    majority: Bar::default()
                };
                2
            ],
        }],
    };
    ReportData {
        title: "embedded <script>".to_owned(),
        summary: "Two classifiers & their maps.".to_owned(),
        verdicts: vec!["Of the rise in <majority energy>, none.".to_owned()],
        decomposition: None,
        findings: findings(&evidence, &ratios.resample(Bootstrap::default())),
        overview: Vec::new(),
        figures: vec![error_rates(&Style::default(), &bars).unwrap()],
        tables: vec![Sheet {
            id: "attributes".to_owned(),
            title: "All attributes".to_owned(),
            note: "Bold: the minority.".to_owned(),
            columns: vec![
                Column::new("attribute", Unit::Text),
                Column::new("FNR", Unit::Share).under("unbalanced"),
                Column::new("FPR", Unit::Number(3)).under("unbalanced"),
                Column::new("FNR", Unit::Number(3)).under("balanced"),
            ],
            rows: vec![
                vec![
                    Cell::Link {
                        text: "Bald".to_owned(),
                        href: "#examples/Bald".to_owned(),
                    },
                    Cell::number(Some(0.5)).emphasised(),
                    Cell::number(Some(-0.25)).with_note("n 7"),
                    Cell::Absent,
                ],
                vec!["Wearing Hat".into(), Cell::number(None), Cell::number(Some(f64::NAN))],
            ],
            searchable: true,
            ..Sheet::default()
        }],
        examples: Some(ExamplesBrowser {
            classifiers: vec!["only".to_owned()],
            attributes: vec![AttributeExamples {
                name: "</script><script>".to_owned(),
                region: RegionCells::default(),
                counts: vec![[0; 4]],
                groups: vec![Default::default()],
                examples: Vec::new(),
            }],
            ..ExamplesBrowser::default()
        }),
        facts: vec![Fact {
            name: "seed".to_owned(),
            value: "1".to_owned(),
        }],
        experiment: "seed: 1\nname: \"<x>\"\n".to_owned(),
        files: vec![FileLink {
            path: "tables/attributes.csv".to_owned(),
            description: "all numbers".to_owned(),
        }],
        ..ReportData::default()
    }
}

#[test]
fn the_report_holds_everything_and_loads_nothing() {
    let html = run(&data());
    assert_eq!(html, run(&data()), "the same data, another report");
    for part in [
        "All attributes",
        "claims",
        "Of the rise in &lt;majority energy&gt;, none.",
        "Wearing Hat",
        "tables/attributes.csv",
        "seed: 1",
        "<svg role=\"img\" aria-label=\"Error rates\" xmlns",
        "light-dark(",
        "@media print",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    // The namespace is the only address; links and pictures are relative.
    assert_eq!(
        html.matches("http").count(),
        html.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!html.contains("src=\"//") && !html.contains("@import") && !html.contains("url(h"));
}

#[test]
fn names_cannot_become_markup() {
    let html = run(&data());
    assert!(!html.contains("embedded <script>") && html.contains("embedded &lt;script&gt;"));
    assert!(!html.contains("name: \"<x>\""));
    // The page's own, and nothing that an attribute's name could have opened or closed.
    assert_eq!(html.matches("<script>").count(), 1);
    assert_eq!(html.matches("<script ").count(), 1);
    assert_eq!(html.matches("</script>").count(), 2);
}

#[test]
fn every_verdict_has_its_numbers() {
    let data = data();
    let html = run(&data);
    assert_eq!(html.matches("class=\"claim ").count(), data.findings.len());
    assert!(html.contains("mean difference in error +0.") && html.contains("8 of 8 attributes"));
    assert!(html.contains("mean difference in energy +0.280") && html.contains("7 of 7 attributes"));
    assert!(html.contains("1 left out"));
}

#[test]
fn cells_show_values_signs_notes_and_absence() {
    let html = run(&data());
    assert!(
        html.contains(
            "<td class=\"number bar\" data-value=\"0.5\" style=\"--share: 50.0%\"><strong>0.500</strong></td>"
        )
    );
    assert!(html.contains("data-value=\"-0.25\">−0.250 <small>n 7</small></td>"));
    assert!(html.contains("<th scope=\"row\"><a href=\"#examples/Bald\">Bald</a></th>"));
    assert_eq!(
        html.matches("title=\"no sample\"").count(),
        4,
        "one absent, two not finite, one short row"
    );
    assert!(html.contains("colspan=\"2\">unbalanced"));
}

#[test]
fn an_empty_report_is_a_page() {
    let html = run(&ReportData::default());
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(!html.contains("<section"));
}

#[test]
fn drawings_beyond_the_limit_are_linked() {
    let figure = data().figures.remove(0);
    let figure = std::slice::from_ref(&figure);
    assert!(figures::render(figure, &["svg", "png"], &[], 0).contains("<svg"));
    let linked = figures::render(figure, &["svg", "png"], &[], INLINE_LIMIT);
    assert!(!linked.contains("<svg") && linked.contains("src=\"figures/error_rates.png\""));
    // What a page cannot show, or what has no file, is always in it, and nothing leads to what is not there.
    let paper = figures::render(figure, &["pdf"], &[], INLINE_LIMIT);
    assert!(paper.contains("<svg") && paper.contains("href=\"figures/error_rates.pdf\""));
    let unfiled = figures::render(figure, &["svg", "png"], &["error_rates"], INLINE_LIMIT);
    assert!(unfiled.contains("<svg") && !unfiled.contains("figures/error_rates"));
}

#[test]
fn runs_stand_side_by_side_until_the_page_is_full() {
    let figure = |size: usize| ComparedFigure {
        name: "error_rates".to_owned(),
        runs: ["a", "b"]
            .map(|run| (run.to_owned(), " ".repeat(size), format!("{run}/x.png")))
            .to_vec(),
    };
    let page = |size| {
        side_by_side(&SideBySide {
            title: "two".to_owned(),
            left_out: vec!["c: no results folder".to_owned()],
            figures: vec![figure(size)],
            ..SideBySide::default()
        })
    };
    let small = page(10);
    assert_eq!(small.matches("src=\"data:image/svg+xml;base64,").count(), 2);
    assert!(small.contains("c: no results folder") && small.contains("Error rates of a"));
    let large = page(INLINE_LIMIT * 3 / 5);
    assert_eq!(large.matches("src=\"data:image/svg+xml;base64,").count(), 1);
    assert!(large.contains("src=\"b/x.png\""));
}
