//! The browser of examples: faces of an attribute, a classifier and an outcome, with the classifiers' maps over them.
//!
//! Maps travel as the few cells that the network made and become pictures in the reader's browser (`examples.js`), which costs
//! a hundredth of what overlays would.

use metrics::Outcome;
use serde::{Deserialize, Serialize};

use crate::html::{escape, script_json};
use crate::text::readable;

/// Everything the browser shows: `examples.json` of a results folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExamplesBrowser {
    /// The seed of the order in which examples are taken.
    pub seed: u64,
    /// The method of the maps.
    pub method: String,
    /// The method that the run measured, if it is another: one that would take passes of its own for every example.
    pub instead_of: Option<String>,
    /// Where cells lie in the image, as `cam::Resize` names it.
    pub resize: String,
    /// Side of the final maps in pixels.
    pub size: usize,
    /// Rows of a map's cells.
    pub height: usize,
    /// Columns of a map's cells.
    pub width: usize,
    /// The colour map: 256 times red, green and blue, in base64.
    pub colours: String,
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The faces.
    pub images: Vec<ExampleImage>,
    /// The attributes, in the order of the tables.
    pub attributes: Vec<AttributeExamples>,
}

/// A face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleImage {
    /// Its file's name in the data set.
    pub name: String,
    /// As the network sees it: JPEG in base64.
    pub jpeg: String,
}

/// One attribute's examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeExamples {
    /// Its name.
    pub name: String,
    /// Where it is expected to be visible, if that is the same in every image; one cell outside otherwise.
    pub region: RegionCells,
    /// How many test images have each outcome: one entry a classifier.
    pub counts: Vec<[usize; 4]>,
    /// Which of `examples` stand for each outcome: one entry a classifier.
    pub groups: Vec<[Vec<usize>; 4]>,
    /// Every image that stands for something.
    pub examples: Vec<Example>,
}

/// A region's cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionCells {
    /// Cells a side.
    pub side: usize,
    /// Row by row `1` inside and `0` outside.
    pub cells: String,
}

/// One image and what each classifier decides on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Which of the images.
    pub image: usize,
    /// Where the attribute is in this image, where each image has a region of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionCells>,
    /// 1 or -1.
    pub label: i8,
    /// One entry a classifier.
    pub scores: Vec<f32>,
    /// Proportional energy in the region; `None` of a map without energy.
    pub energies: Vec<Option<f32>>,
    /// Cells of each classifier's map after ReLU, scaled to 0..255, in base64.
    pub maps: Vec<String>,
}

/// The browser and its data.
pub(super) fn render(examples: &ExamplesBrowser) -> String {
    let options: String = examples
        .attributes
        .iter()
        .map(|attribute| format!("<option>{}</option>", escape(&readable(&attribute.name))))
        .collect();
    let classifiers: String = examples
        .classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let checked = if index == 0 { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"classifier\" value=\"{index}\"{checked}> {}</label>",
                escape(name)
            )
        })
        .collect();
    let opened = opened(examples);
    let outcomes: String = Outcome::ALL
        .iter()
        .map(|outcome| {
            let name = outcome.name();
            let checked = if *outcome == opened { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"outcome\" value=\"{name}\"{checked}> {} <small data-count=\"{name}\"></small></label>",
                readable(name)
            )
        })
        .collect();
    let instead = examples.instead_of.as_ref().map_or_else(String::new, |measured| {
        format!(
            " The run measured {}, which takes passes of its own for each map; what is shown here comes with the score.",
            escape(measured)
        )
    });
    format!(
        "<p class=\"note\">Test images as the networks see them, with the maps of {method} that explain the decision.{instead} Which images \
         stand for an outcome is not chosen by hand: the test images are put into one random order (seed {seed}), and the first of each \
         outcome are taken. z is the score, energy the share of the map inside the region.</p>\n\
         <noscript><p>Browsing the examples needs JavaScript; the figures above do not.</p></noscript>\n\
         <form class=\"browser\" aria-label=\"Choice of examples\">\n\
         <div><label class=\"name\" for=\"examples-attribute\">Attribute</label><select id=\"examples-attribute\" name=\"attribute\">{options}</select></div>\n\
         <fieldset><legend>Decided by</legend><div class=\"choices\">{classifiers}</div></fieldset>\n\
         <fieldset class=\"outcomes\"><legend>Outcome, and how many test images have it</legend><div class=\"choices\">{outcomes}</div></fieldset>\n\
         <fieldset><legend>Over the image</legend>\
         <div class=\"line\"><label><input type=\"checkbox\" name=\"overlay\" checked> map</label> \
         <label><input type=\"checkbox\" name=\"region\" checked> region</label></div>\
         <div class=\"line\"><label for=\"examples-opacity\">opacity</label>\
         <input type=\"range\" id=\"examples-opacity\" name=\"opacity\" min=\"0\" max=\"100\" step=\"5\" value=\"80\">\
         <output for=\"examples-opacity\"></output></div>\
         <div class=\"line\"><span>0</span><span class=\"colours\" role=\"img\" aria-label=\"colours of the map, dark for 0, light for 1\"></span><span>1</span></div>\
         </fieldset>\n</form>\n\
         <p class=\"status\" role=\"status\"></p>\n<ul class=\"examples\"></ul>\n\
         <script type=\"application/json\" id=\"examples-data\">{data}</script>\n",
        method = escape(&examples.method),
        seed = examples.seed,
        data = script_json(examples),
    )
}

/// The outcomes in the order in which they tell most.
const TELLING: [Outcome; 4] = [
    Outcome::FalseNegative,
    Outcome::FalsePositive,
    Outcome::TruePositive,
    Outcome::TrueNegative,
];

/// What the browser shows first: the most telling outcome that the first attribute has an image of.
fn opened(examples: &ExamplesBrowser) -> Outcome {
    let shown = |outcome: &Outcome| {
        let place = Outcome::ALL.iter().position(|known| known == outcome);
        let groups = examples.attributes.first().and_then(|first| first.groups.first());
        groups
            .zip(place)
            .is_some_and(|(groups, place)| !groups[place].is_empty())
    };
    TELLING.into_iter().find(shown).unwrap_or(Outcome::FalseNegative)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(groups: [usize; 4]) -> ExamplesBrowser {
        ExamplesBrowser {
            classifiers: vec!["one".to_owned()],
            attributes: vec![AttributeExamples {
                name: "crack".to_owned(),
                region: RegionCells::default(),
                counts: vec![groups],
                groups: vec![groups.map(|count| (0..count).collect())],
                examples: Vec::new(),
            }],
            ..ExamplesBrowser::default()
        }
    }

    #[test]
    fn it_opens_on_an_outcome_that_exists() {
        let place = |outcome: Outcome| {
            Outcome::ALL
                .iter()
                .position(|known| *known == outcome)
                .expect("an outcome")
        };
        for (there, first) in [
            (vec![Outcome::TrueNegative], Outcome::TrueNegative),
            (
                vec![Outcome::TruePositive, Outcome::TrueNegative],
                Outcome::TruePositive,
            ),
            (
                vec![Outcome::FalsePositive, Outcome::TruePositive],
                Outcome::FalsePositive,
            ),
            (Outcome::ALL.to_vec(), Outcome::FalseNegative),
            (Vec::new(), Outcome::FalseNegative),
        ] {
            let mut groups = [0; 4];
            there.iter().for_each(|one| groups[place(*one)] = 2);
            let html = render(&browser(groups));
            let checked = format!("value=\"{}\" checked", first.name());
            assert!(html.contains(&checked), "{there:?}");
            assert!(!html.contains("face"), "data need not be faces");
        }
    }
}
