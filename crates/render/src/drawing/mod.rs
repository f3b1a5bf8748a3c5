//! What every figure is drawn with: pages and axes, legends and panels, text and colours, and the files that come of them.

pub(crate) mod axes;
pub(crate) mod export;
pub(crate) mod labels;
pub(crate) mod legend;
pub(crate) mod letters;
pub(crate) mod outline;
pub(crate) mod page;
pub(crate) mod palette;
pub(crate) mod panels;
pub(crate) mod picture_panel;
pub(crate) mod raster;
pub(crate) mod strips;
pub(crate) mod style;
pub(crate) mod svg;
