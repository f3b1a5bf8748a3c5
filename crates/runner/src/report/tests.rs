use metrics::{AttributeEvidence, Bootstrap, ClassifierEvidence, Measured, findings};

use super::*;
use crate::figures::data::{Bar, BarFigure, BarGroup, BarPair};
use crate::figures::{Style, error_rates};

fn data() -> ReportData {
    let measured = |mean| Some(Measured { mean, n: 500 });
    let classifier = |minority, majority| ClassifierEvidence {
        minority_error: measured(minority),
        majority_error: measured(majority),
        minority_energy: measured(0.6),
        majority_energy: measured(0.3 + majority),
        majority_constant: measured(1.0 - majority),
        majority_loss: measured(majority),
    };
    let evidence: Vec<AttributeEvidence> = (0..8)
        .map(|i| AttributeEvidence {
            minority_share: 0.05 * f64::from(i),
            local: i != 3,
            unbalanced: classifier(0.5 - 0.03 * f64::from(i), 0.02),
            balanced: classifier(0.15, 0.14),
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
    let columns = [
        ("", "attribute"),
        ("unbalanced", "FNR"),
        ("unbalanced", "FPR"),
        ("balanced", "FNR"),
    ];
    ReportData {
        title: "embedded <script>".to_owned(),
        summary: "Two classifiers & their maps.".to_owned(),
        findings: findings(&evidence, Bootstrap::default()),
        overview: Vec::new(),
        figures: vec![error_rates(&Style::default(), &bars).unwrap()],
        tables: vec![Table {
            id: "attributes".to_owned(),
            title: "All attributes".to_owned(),
            note: "Bold: the minority.".to_owned(),
            columns: columns
                .map(|(group, title)| Column {
                    group: group.to_owned(),
                    title: title.to_owned(),
                })
                .to_vec(),
            rows: vec![
                vec![
                    "Bald".into(),
                    Cell::number(Some(0.5), 3).emphasised(),
                    Cell::number(Some(-0.25), 3).with_note("n 7"),
                    Cell::Absent,
                ],
                vec![
                    "Wearing Hat".into(),
                    Cell::number(None, 3),
                    Cell::number(Some(f64::NAN), 3),
                ],
            ],
        }],
        facts: vec![Fact {
            name: "seed".to_owned(),
            value: "1".to_owned(),
        }],
        experiment: "seed: 1\nname: \"<x>\"\n".to_owned(),
        files: vec![FileLink {
            path: "tables/attributes.csv".to_owned(),
            description: "all numbers".to_owned(),
        }],
    }
}

#[test]
fn the_report_holds_everything_and_loads_nothing() {
    let html = render(&data());
    assert_eq!(html, render(&data()), "the same data, another report");
    for part in [
        "All attributes",
        "claims",
        "Wearing Hat",
        "tables/attributes.csv",
        "seed: 1",
        "<svg xmlns",
        "prefers-color-scheme",
        "@media print",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    // The namespace is the only address; links and pictures are relative.
    assert_eq!(
        html.matches("http").count(),
        html.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!html.contains("src=\"//") && !html.contains("@import") && !html.contains("url("));
    if let Some(gallery) = std::env::var_os("BIASCAM_GALLERY") {
        std::fs::create_dir_all(&gallery).unwrap();
        std::fs::write(std::path::Path::new(&gallery).join("report.html"), &html).unwrap();
    }
}

#[test]
fn names_cannot_become_markup() {
    let html = render(&data());
    assert!(!html.contains("embedded <script>") && html.contains("embedded &lt;script&gt;"));
    assert!(!html.contains("name: \"<x>\""));
    assert_eq!(html.matches("<script>").count(), 1);
}

#[test]
fn every_verdict_has_its_numbers() {
    let data = data();
    let html = render(&data);
    assert_eq!(html.matches("class=\"claim ").count(), data.findings.len());
    assert!(html.contains("8 of 8 attributes · mean difference in error +0."));
    assert!(html.contains("7 of 7 attributes · mean difference in energy +0.280"));
    assert!(html.contains("1 left out"));
}

#[test]
fn cells_show_values_signs_notes_and_absence() {
    let html = render(&data());
    assert!(html.contains("data-value=\"0.5\"><strong>0.500</strong></td>"));
    assert!(html.contains("data-value=\"-0.25\">−0.250 <small>n 7</small></td>"));
    assert_eq!(
        html.matches("title=\"no sample\"").count(),
        4,
        "one absent, two not finite, one short row"
    );
    assert!(html.contains("colspan=\"2\">unbalanced"));
}

#[test]
fn an_empty_report_is_a_page() {
    let html = render(&ReportData::default());
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(!html.contains("<section"));
}

#[test]
fn drawings_beyond_the_limit_are_linked() {
    let figure = data().figures.remove(0);
    assert!(figures(std::slice::from_ref(&figure), 0).contains("<svg"));
    let linked = figures(std::slice::from_ref(&figure), INLINE_LIMIT);
    assert!(!linked.contains("<svg") && linked.contains("src=\"figures/error_rates.png\""));
}
