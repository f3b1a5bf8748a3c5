//! One drawing as SVG, PDF and PNG.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use resvg::usvg::{self, fontdb};
use resvg::{render, tiny_skia};
use serde::{Deserialize, Serialize};

use super::style::{FAMILY, FAMILY_WITH_FALLBACK, UNITS_PER_MM};
use crate::error::{Error, Result};

/// Pixels per inch of a preview.
const PREVIEW_DPI: f32 = 150.0;
/// CSS pixels per inch: the unit of the parsed drawing.
const CSS_DPI: f32 = 96.0;

/// A kind of file that a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Vector drawing; text stays text and names its font.
    Svg,
    /// Vector drawing with its font inside.
    Pdf,
    /// Pixels.
    Png,
}

impl Format {
    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }
}

/// A finished drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    name: &'static str,
    caption: String,
    svg: String,
    width: f64,
}

impl Figure {
    /// Gives a drawing in units of 1 / [`UNITS_PER_MM`] mm its size on paper and fallback fonts for browsers.
    pub(crate) fn new(name: &'static str, caption: String, svg: String, [width, height]: [f64; 2]) -> Self {
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let [view_width, view_height] = [width, height].map(|side| (side * UNITS_PER_MM).round());
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
             viewBox=\"0 0 {view_width} {view_height}\">"
        );
        let fonts = format!("font-family=\"{FAMILY_WITH_FALLBACK}\"");
        let svg = head + &body.replace(&format!("font-family=\"{FAMILY}\""), &fonts);
        Self {
            name,
            caption,
            svg,
            width,
        }
    }

    /// The file name without extension.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the figure shows, in a sentence or two, for reports and papers.
    #[must_use]
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// The drawing as an SVG document; its size is in millimetres.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The letters that its font has no picture of, in the order of their numbers: PDF and PNG show a box for each, and SVG what the
    /// viewer's fonts have.
    #[must_use]
    pub fn letters_without_picture(&self) -> BTreeSet<char> {
        super::letters::without_picture(&self.svg)
    }

    /// Width on paper in mm.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The drawing as a one-page PDF of the same size, with its fonts inside.
    ///
    /// # Errors
    /// A drawing that the converter refuses.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let page = svg2pdf::PageOptions { dpi: CSS_DPI };
        let mut pdf = svg2pdf::to_pdf(&self.tree()?, svg2pdf::ConversionOptions::default(), page).map_err(|error| {
            Error::Convert {
                figure: self.name,
                format: "PDF",
                reason: error.to_string(),
            }
        })?;
        sort_resources(&mut pdf);
        Ok(pdf)
    }

    /// The drawing as a PNG of so many pixels per inch, which the file says too.
    ///
    /// # Errors
    /// A drawing too large for memory.
    pub fn png(&self, resolution: u32) -> Result<Vec<u8>> {
        self.raster(resolution as f32, CompressionType::Best)
    }

    /// The drawing as a PNG of 150 pixels per inch, made in a fraction of the time: for many sheets that are looked at on a screen.
    ///
    /// # Errors
    /// As [`Figure::png`].
    pub fn preview(&self) -> Result<Vec<u8>> {
        self.raster(PREVIEW_DPI, CompressionType::Fast)
    }

    fn raster(&self, dpi: f32, compression: CompressionType) -> Result<Vec<u8>> {
        let failed = |reason: &str| Error::Convert {
            figure: self.name,
            format: "PNG",
            reason: reason.to_owned(),
        };
        let tree = self.tree()?;
        let scale = dpi / CSS_DPI;
        let [width, height] = [tree.size().width(), tree.size().height()].map(|side| (side * scale).round() as u32);
        let mut pixels = tiny_skia::Pixmap::new(width, height).ok_or_else(|| failed("no such size"))?;
        pixels.fill(tiny_skia::Color::WHITE);
        render(
            &tree,
            tiny_skia::Transform::from_scale(scale, scale),
            &mut pixels.as_mut(),
        );
        let opaque: Vec<u8> = pixels
            .pixels()
            .iter()
            .flat_map(|p| [p.red(), p.green(), p.blue()])
            .collect();
        let mut bytes = Vec::new();
        PngEncoder::new_with_quality(&mut bytes, compression, FilterType::Adaptive).write_image(
            &opaque,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(with_resolution(bytes, dpi))
    }

    /// The drawing as a file of one format; a PNG has so many pixels per inch.
    ///
    /// # Errors
    /// As [`Figure::pdf`] and [`Figure::png`].
    pub fn file(&self, format: Format, resolution: u32) -> Result<Vec<u8>> {
        match format {
            Format::Svg => Ok(self.svg.clone().into_bytes()),
            Format::Pdf => self.pdf(),
            Format::Png => self.png(resolution),
        }
    }

    fn tree(&self) -> Result<usvg::Tree> {
        let options = usvg::Options {
            dpi: CSS_DPI,
            font_family: FAMILY.to_owned(),
            fontdb: fonts(),
            // Nothing outside the drawing is ever read.
            image_href_resolver: usvg::ImageHrefResolver {
                resolve_string: Box::new(|_, _| None),
                ..usvg::ImageHrefResolver::default()
            },
            ..usvg::Options::default()
        };
        Ok(usvg::Tree::from_str(&self.svg, &options)?)
    }
}

/// The font inside the program; those of the system are never looked at.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut database = fontdb::Database::new();
        // One face only: the PDF converter numbers several fonts in the order of a hash map, which differs between runs.
        database.load_font_source(fontdb::Source::Binary(Arc::new(super::style::font())));
        // Whatever family a drawing asks for ends in `sans-serif`, and that is this face.
        let family = database.faces().next().and_then(|face| face.families.first().cloned());
        database.set_sans_serif_family(family.map_or_else(|| FAMILY.to_owned(), |(name, _)| name));
        Arc::new(database)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// Adds the chunk that says how large a PNG's pixels are on paper (pHYs, in pixels per metre), right after its head.
fn with_resolution(mut png: Vec<u8>, dpi: f32) -> Vec<u8> {
    // Signature, then the head: length, name, 13 bytes, checksum.
    const AFTER_HEAD: usize = 8 + 4 + 4 + 13 + 4;
    if png.len() < AFTER_HEAD {
        return png;
    }
    let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre.to_be_bytes());
    chunk.extend(per_metre.to_be_bytes());
    chunk.push(1);
    let checksum = crc32fast::hash(&chunk);
    let mut whole = (chunk.len() as u32 - 4).to_be_bytes().to_vec();
    whole.extend(chunk);
    whole.extend(checksum.to_be_bytes());
    png.splice(AFTER_HEAD..AFTER_HEAD, whole);
    png
}

/// Sorts every list of named resources, which the converter writes in the order of a hash map.
///
/// The entries are lines of one dictionary, so the offsets of all objects stay what they are.
fn sort_resources(pdf: &mut [u8]) {
    const KINDS: [&[u8]; 6] = [
        b"/XObject <<\n",
        b"/Pattern <<\n",
        b"/ExtGState <<\n",
        b"/Shading <<\n",
        b"/Font <<\n",
        b"/ColorSpace <<\n",
    ];
    for kind in KINDS {
        let mut from = 0;
        while let Some(found) = pdf[from..].windows(kind.len()).position(|window| window == kind) {
            from += found + kind.len();
            let length = lines_of_references(&pdf[from..]);
            let list = &mut pdf[from..from + length];
            let mut lines: Vec<Vec<u8>> = list
                .split_inclusive(|&byte| byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            lines.sort();
            list.copy_from_slice(&lines.concat());
            from += length;
        }
    }
}

/// Length of the lines at the start that name an object each: `/x0 12 0 R`.
fn lines_of_references(bytes: &[u8]) -> usize {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let entries = lines.take_while(|line| line.trim_ascii_start().starts_with(b"/") && line.ends_with(b" R\n"));
    entries.map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_sorted_in_place() {
        let mut pdf =
            b"a /XObject <<\n  /x1 12 0 R\n  /x0 3 0 R\n  >> b /ExtGState <<\n /gs1 4 0 R\n /gs0 5 0 R\n>>".to_vec();
        sort_resources(&mut pdf);
        let sorted = b"a /XObject <<\n  /x0 3 0 R\n  /x1 12 0 R\n  >> b /ExtGState <<\n /gs0 5 0 R\n /gs1 4 0 R\n>>";
        assert_eq!(pdf, sorted);
        for other in [
            b"nothing to sort".as_slice(),
            b"/XObject <<\n",
            b"/Font <<\n /f0 <<\n >>\n>>",
        ] {
            let mut same = other.to_vec();
            sort_resources(&mut same);
            assert_eq!(same, other);
        }
    }

    #[test]
    fn a_drawing_with_several_opacities_is_the_same_pdf_each_time() {
        let shapes: String = (1..9)
            .map(|i| format!("<g opacity=\"0.{i}\"><rect width=\"{i}\" height=\"9\" fill-opacity=\"0.5{i}\"/><rect x=\"3\" width=\"2\" height=\"2\"/></g>"))
            .collect();
        let figure = Figure::new("test", String::new(), format!("<svg>{shapes}</svg>"), [50.8, 25.4]);
        let first = figure.pdf().unwrap();
        assert!(first.windows(10).any(|window| window == b"/ExtGState"));
        for _ in 0..8 {
            assert!(figure.pdf().unwrap() == first);
        }
    }

    #[test]
    fn the_size_on_paper_is_kept() {
        let figure = Figure::new("test", String::new(), "<svg></svg>".to_owned(), [50.8, 25.4]);
        let png = figure.png(300).unwrap();
        let decoded = image::load_from_memory(&png).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (600, 300));
        // 300 pixels per inch are 11,811 per metre.
        let at = png.windows(4).position(|bytes| bytes == b"pHYs").unwrap();
        assert_eq!(png[at + 4..at + 8], 11_811_u32.to_be_bytes());
        let pdf = String::from_utf8_lossy(&figure.pdf().unwrap()).into_owned();
        assert!(
            pdf.contains("/MediaBox [0 0 144 72]") || pdf.contains("/MediaBox [0 0 144.0"),
            "{pdf:.600}"
        );
    }
}
