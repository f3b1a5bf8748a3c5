//! Masks in PNG files with a palette: the colours of label images are looks, the indices what is meant.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Transformations};

use super::values::{Ambiguous, Areas, threshold};
use crate::decode::of;
use crate::{Result, Undecodable};

/// The indices of a picture, and the colours that they stand for.
pub(super) struct Indices {
    width: u32,
    height: u32,
    indices: Vec<u8>,
    colours: Vec<[u8; 3]>,
}

/// The indices in the bytes of a PNG file that has been decoded; `None` where it has no palette, or one with transparent colours, whose
/// shape is in its alpha.
///
/// # Errors
/// Those of decoding.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Option<Indices>> {
    if !bytes.starts_with(b"\x89PNG") {
        return Ok(None);
    }
    let read = || -> Result<Option<Indices>, png::DecodingError> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info()?;
        let info = reader.info();
        let transparent = info
            .trns
            .as_ref()
            .is_some_and(|alphas| alphas.iter().any(|&alpha| alpha < 255));
        if info.color_type != ColorType::Indexed || transparent {
            return Ok(None);
        }
        let palette = info.palette.as_deref().unwrap_or_default();
        let colours: Vec<[u8; 3]> = palette.as_chunks().0.to_vec();
        let (width, height, depth) = (info.width, info.height, info.bit_depth);
        let mut packed = vec![0; reader.output_buffer_size().unwrap_or(0)];
        let frame = reader.next_frame(&mut packed)?;
        let rows = packed.chunks(frame.line_size.max(1)).take(height as usize);
        let indices = rows
            .flat_map(|row| (0..width as usize).map(move |x| index(row, x, depth)))
            .collect();
        Ok(Some(Indices {
            width,
            height,
            indices,
            colours,
        }))
    };
    read().map_err(|error| {
        let error = image::error::DecodingError::new(image::ImageFormat::Png.into(), error);
        of(path)(Undecodable::from(image::ImageError::Decoding(error)))
    })
}

/// The index of pixel `x` in a row, the first of a byte in its high bits.
fn index(row: &[u8], x: usize, depth: BitDepth) -> u8 {
    let bits = depth as usize;
    let Some(byte) = row.get(x * bits / 8) else { return 0 };
    let shift = 8 - bits.min(8) - x * bits % 8;
    byte >> shift & (0xff >> (8 - bits.min(8)))
}

impl Indices {
    /// Which pixels are inside.
    ///
    /// # Errors
    /// When it is not clear.
    pub(super) fn inside(&self) -> Result<Vec<bool>, Ambiguous> {
        let mut counts = [0_u64; 256];
        for &index in &self.indices {
            counts[usize::from(index)] += 1;
        }
        let used: Vec<u8> = (0..=255).filter(|&index| counts[usize::from(index)] > 0).collect();
        let is = |inside: u8| Ok(self.indices.iter().map(|&index| index == inside).collect());
        let same = |one: &u8, other: &u8| self.colour(*one) == self.colour(*other);
        if used.len() > 1 && used.windows(2).all(|pair| same(&pair[0], &pair[1])) {
            let labels = Ambiguous::labels(&used).0;
            return Err(Ambiguous(format!("{labels}, all of the same colour")));
        }
        // Values, which an editor has put into a palette.
        if self
            .colours
            .iter()
            .all(|[red, green, blue]| red == green && green == blue)
        {
            let at = |x: u32, y: u32| u32::from(self.colour(self.at(x, y))[0]);
            let least = threshold(self.width, self.height, at)?;
            let inside = |&index: &u8| u32::from(self.colour(index)[0]) >= least;
            return Ok(self.indices.iter().map(inside).collect());
        }
        let black = |index: u8| self.colour(index).iter().all(|&value| value < 16);
        match used.as_slice() {
            [] | [0] => is(255).map(|none: Vec<bool>| none.iter().map(|_| false).collect()),
            [index] if !black(*index) => is(*index),
            [index] => Err(Ambiguous(format!("a picture of index {index} alone, which is black"))),
            [0, index] if luma(self.colour(0)) <= luma(self.colour(*index)) => is(*index),
            [ground, index] if *ground > 0 && black(*ground) && !black(*index) => is(*index),
            [index, ground] if *index > 0 && black(*ground) && !black(*index) => is(*index),
            [one, other] => Err(Ambiguous::no_background(&self.named(*one), &self.named(*other))),
            _ => self.shades(&used, black),
        }
    }

    /// One colour and its shades towards black, as along a soft edge; several colours that have areas are labels.
    fn shades(&self, used: &[u8], black: impl Fn(u8) -> bool) -> Result<Vec<bool>, Ambiguous> {
        let areas = Areas::new(self.width, self.height);
        let mut counts = [0_u64; 256];
        for (x, y) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y))) {
            let index = self.at(x, y);
            if !black(index) && areas.is_within(x, y, |x, y| self.at(x, y)) {
                counts[usize::from(index)] += 1;
            }
        }
        let value = |index: u8| self.colour(index).into_iter().max().unwrap_or(0);
        let brightest = used.iter().map(|&index| value(index)).max().unwrap_or(0);
        let mut labels = used.iter().filter(|&&index| counts[usize::from(index)] >= areas.least);
        // What is brighter than the label is no shade of it: such as a border whose label nobody knows.
        let is_one = labels.next().is_some_and(|&label| value(label) == brightest) && labels.next().is_none();
        if !is_one || !used.iter().any(|&index| black(index)) {
            let named: Vec<String> = used.iter().map(|&index| self.named(index)).collect();
            return Err(Ambiguous::labels(&named));
        }
        let bright = |&index: &u8| 2 * u16::from(value(index)) >= u16::from(brightest);
        Ok(self.indices.iter().map(bright).collect())
    }

    fn at(&self, x: u32, y: u32) -> u8 {
        self.indices
            .get(y as usize * self.width as usize + x as usize)
            .copied()
            .unwrap_or(0)
    }

    /// That of an index; black beyond the palette.
    fn colour(&self, index: u8) -> [u8; 3] {
        self.colours.get(usize::from(index)).copied().unwrap_or_default()
    }

    fn named(&self, index: u8) -> String {
        let [red, green, blue] = self.colour(index);
        format!("index {index} #{red:02x}{green:02x}{blue:02x}")
    }
}

fn luma([red, green, blue]: [u8; 3]) -> u32 {
    299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)
}
