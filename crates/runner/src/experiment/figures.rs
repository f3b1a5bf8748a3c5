//! Section `figures`: what is drawn, and how it looks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range::{Problem, at_most, within};
use render::figures::{NAMES, SWEEP_NAMES};
use render::{Column, Format, Palette, Style};

/// Section `figures`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FigureSettings {
    /// Names of the figures that are drawn; `null` draws all.
    #[schemars(schema_with = "figure_names")]
    pub which: Option<Vec<String>>,
    /// The files of each figure: `svg`, `pdf`, `png`.
    pub formats: Vec<Format>,
    /// Pixels per inch of the PNG.
    pub resolution: u32,
    /// Width of a figure in one column of a page, in mm.
    pub single_column: f64,
    /// Width of a figure across both columns, in mm.
    pub double_column: f64,
    /// `single` or `double` for a figure, by its name, where its own choice is not wanted.
    pub columns: BTreeMap<String, Column>,
    /// Points of titles and legends; names, ticks and numbers have one less, but at least 7.
    pub font_size: f64,
    /// Colours of the classifiers: `okabe_ito`, `tol_high_contrast`, `tol_bright`, `tol_muted` or `grey`.
    pub palette: Palette,
    /// Faces of each kind (best, worst, random) that the examples show for an attribute.
    pub examples: usize,
    /// Attributes of the examples; `null` takes a few from common to rare.
    pub example_attributes: Option<Vec<String>>,
}

fn figure_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["array", "null"], "items": { "enum": NAMES } })
}

impl Default for FigureSettings {
    fn default() -> Self {
        let style = Style::default();
        Self {
            which: None,
            formats: vec![Format::Svg, Format::Pdf, Format::Png],
            resolution: 300,
            single_column: style.single_column,
            double_column: style.double_column,
            columns: BTreeMap::new(),
            font_size: style.font_size,
            palette: style.palette,
            examples: 1,
            example_attributes: None,
        }
    }
}

impl FigureSettings {
    /// How the figure of this name looks.
    #[must_use]
    pub fn style(&self, name: &str) -> Style {
        Style {
            single_column: self.single_column,
            double_column: self.double_column,
            font_size: self.font_size,
            palette: self.palette,
            column: self.columns.get(name).copied(),
        }
    }

    /// Whether the figure of this name is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.which
            .as_ref()
            .is_none_or(|which| which.iter().any(|wanted| wanted == name))
    }

    /// What must hold beyond the types: known names, sizes that a page can have.
    pub(super) fn check(&self) -> Vec<Result<(), Problem>> {
        let mut results = vec![
            within("figures.resolution", f64::from(self.resolution), 36.0, 1200.0),
            within("figures.single_column", self.single_column, 50.0, 400.0),
            within("figures.double_column", self.double_column, 80.0, 400.0),
            within("figures.font_size", self.font_size, 5.0, 16.0),
            at_most("figures.examples", self.examples, 6),
        ];
        let of_all: Vec<&str> = NAMES.into_iter().chain(SWEEP_NAMES).collect();
        let which = self.which.iter().flatten().map(|name| ("which", name, &NAMES[..]));
        let columns = self.columns.keys().map(|name| ("columns", name, &of_all[..]));
        for (key, name, known) in which.chain(columns) {
            if !known.contains(&name.as_str()) {
                let message = format!("`{name}` is no figure; there are {}", known.join(", "));
                results.push(Err(Problem::new(format!("figures.{key}"), message)));
            }
        }
        if self.formats.is_empty() {
            results.push(Err(Problem::new(
                "figures.formats",
                "at least one of svg, pdf, png is needed",
            )));
        }
        results
    }
}
