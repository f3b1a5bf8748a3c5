//! Panels with axes and a legend of their own each: side by side where the page is wide enough, else above each other.

use std::ops::Range;

use super::axes::{Axes, below, decimals, half_line, left_of, ticks};
use super::legend::{Key, legend, legend_height};
use super::page::Page;
use super::style::{Column, Style};
use crate::error::Result;
use crate::text::number;

const MARGIN: f64 = 1.0;
/// Right of a panel: half of its last tick's label.
const RIGHT: f64 = 3.0;
/// Between two panels.
const GUTTER: f64 = 5.0;
/// Panels of a narrower page go above each other.
const WIDE: f64 = 120.0;

/// One axis of a panel.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub title: String,
    pub range: Range<f64>,
    /// Where values are written, and how.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with round numbers, at most so many intervals apart.
    pub(crate) fn of(title: &str, range: Range<f64>, most: usize) -> Self {
        let marks = ticks(range.clone(), most);
        let places = decimals(&marks);
        Self {
            title: title.to_owned(),
            range,
            ticks: marks.into_iter().map(|tick| (tick, number(tick, places))).collect(),
        }
    }

    fn marks(&self) -> Vec<f64> {
        self.ticks.iter().map(|(tick, _)| *tick).collect()
    }

    fn label(&self, tick: f64) -> String {
        let found = self.ticks.iter().find(|(mark, _)| *mark == tick);
        found.map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// One panel.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub x: Axis,
    pub y: Axis,
    pub entries: Vec<(Key, String)>,
}

/// How panels are laid out.
pub(crate) struct Panels<'p> {
    pub panels: &'p [Panel],
    /// The width that the figure takes by itself.
    pub column: Column,
    /// Height of a panel, in mm, from its width.
    pub height: fn(f64) -> f64,
}

/// What was drawn.
pub(crate) struct Drawn {
    pub svg: String,
    pub size: [f64; 2],
    /// Whether the panels stand side by side.
    pub beside: bool,
}

impl Panels<'_> {
    /// Draws the figure; `draw` gets a panel's axes and which panel it is.
    pub(crate) fn draw(
        &self,
        style: &Style,
        mut draw: impl FnMut(&Axes<'_, '_>, usize) -> Result<()>,
    ) -> Result<Drawn> {
        let width = style.width(self.column);
        let beside = width >= WIDE && self.panels.len() > 1;
        let (across, down) = if beside {
            (self.panels.len(), 1)
        } else {
            (1, self.panels.len())
        };
        let (across, down) = (across as f64, down as f64);
        let labels = self.panels.iter().flat_map(|panel| &panel.y.ticks);
        let left = left_of(style, labels.map(|(_, label)| label));
        let panel = (width - MARGIN - across * (left + RIGHT) - (across - 1.0) * GUTTER) / across;
        let height = (self.height)(panel);
        let legends = self
            .panels
            .iter()
            .map(|one| legend_height(style, &one.entries, panel))
            .fold(half_line(style.tick()), f64::max);
        let block = legends + height + below(style);
        let size = [width, 2.0 * MARGIN + down * block + (down - 1.0) * GUTTER];

        let mut svg = String::new();
        let page = Page::new(&mut svg, style, size)?;
        for (index, one) in self.panels.iter().enumerate() {
            let step = index as f64;
            let [x, y] = if beside {
                [MARGIN + left + step * (panel + RIGHT + GUTTER + left), MARGIN]
            } else {
                [MARGIN + left, MARGIN + step * (block + GUTTER)]
            };
            legend(&page, [x, y], panel, &one.entries)?;
            let (x_range, y_range) = (one.x.range.clone(), one.y.range.clone());
            let middle = f64::midpoint(y_range.start, y_range.end);
            let axes = Axes::new(&page, [x, y + legends], [panel, height], x_range, y_range);
            axes.x_ticks(&one.x.marks(), |tick| one.x.label(tick))?;
            axes.y_ticks(&one.y.marks(), |tick| one.y.label(tick))?;
            axes.frame()?;
            axes.x_title(&one.x.title)?;
            axes.y_title(&one.y.title, middle, left)?;
            draw(&axes, index)?;
        }
        page.finish()?;
        Ok(Drawn { svg, size, beside })
    }
}
