//! From plain data to what people look at: figures, tables and the report's page.
//!
//! Nothing here reads files or knows where numbers come from, and the same data gives the same bytes. A [figure](figures) becomes SVG,
//! PDF and PNG; a [`sheet`] a table on the terminal, in Markdown, CSV, Parquet and HTML; a [`report`] is one HTML document.

mod colour;
mod drawing;
mod error;
pub mod figures;
mod html;
mod picture;
pub mod report;
pub mod sheet;
pub mod text;

pub use colour::ColourMap;
pub use drawing::export::{Figure, Format};
pub use drawing::outline::Outline;
pub use drawing::palette::Palette;
pub use drawing::raster::{shrunken, tinted};
pub use drawing::style::{Column, Style};
pub use error::{Error, Result};
pub use picture::{overlay, picture};
