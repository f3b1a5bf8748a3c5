//! What is written of each picture: overlays, numbers, and its place on contact sheets.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cam::{Maps, Method};
use candle_core::{Device, Tensor};
use disk::write_whole;
use image::RgbImage;

use super::pictures::Picture;
use super::way::Way;
use crate::error::{Error, Result};
use crate::file_names::unique;
use crate::letters::said_of_letters;
use pipeline::to_stderr;
use render::figures::contact_sheet;
use render::figures::{ContactSheet, SheetCell};
use render::{Format, Style, shrunken, tinted};

/// Cells of one page of a sheet: CelebA's 40 attributes and the picture itself fit on one.
const PAGE: usize = 48;

/// What a contact sheet is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheets {
    /// All attributes of one picture.
    Image,
    /// One attribute of all pictures.
    Attribute,
    /// No sheets.
    None,
}

impl FromStr for Sheets {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "image" => Ok(Self::Image),
            "attribute" => Ok(Self::Attribute),
            "none" => Ok(Self::None),
            _ => Err(Error::Request(format!(
                "--sheets: `{name}` is unknown; known: image, attribute, none"
            ))),
        }
    }
}

/// What a picture contributes to sheets.
pub struct Explained {
    name: String,
    picture: RgbImage,
    /// For each method and chosen attribute in turn.
    cells: Vec<(String, RgbImage)>,
}

/// Writes the overlays (`NAME/METHOD/ATTRIBUTE-SIGN.png`) and numbers (`NAME/maps.safetensors`) of one picture.
///
/// - `pixels`: `[size, size, 3]`, as the network saw it
/// - `logits`: of all attributes
/// - `maps`: of this one picture, one a method
///
/// The numbers are `logits` [A] and, for every method, `METHOD/raw` [chosen, h, w] before ReLU and resize.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    out: &Path,
    picture: &Picture,
    pixels: &[f32],
    size: usize,
    logits: &[f32],
    maps: &[Maps],
    way: &Way<'_>,
) -> Result<Explained> {
    let folder = own_folder(out, &picture.name)?;
    let face = render::picture(pixels, size)?;
    let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu);
    let mut tensors = vec![("logits".to_owned(), tensor(logits, &[logits.len()])?)];
    let mut cells = Vec::new();
    for (method, maps) in way.methods.iter().zip(maps) {
        let post_processing = way.post_processing(*method, maps, size)?;
        let mut map = vec![0.0; size * size];
        for (chosen, ((attribute, _), name)) in way.chosen.iter().zip(&way.files).enumerate() {
            post_processing.finalise(maps.map(0, chosen), &mut map);
            let overlay = render::overlay(&map, pixels, size, way.colours)?;
            let logit = logits[*attribute];
            let sign = if logit >= 0.0 { "positive" } else { "negative" };
            let file = format!("{method}/{name}-{sign}.png");
            write_whole(&folder.join(file), &png(&overlay)?)?;
            // A map without positive evidence is all zero; without a word it would look like a map that looks at nothing.
            let empty = map.iter().all(|&value| value == 0.0);
            let mark = if empty { ", no activation" } else { "" };
            let sign = if logit >= 0.0 { "+" } else { "−" };
            let note = format!("z {sign}{:.2}{mark}", logit.abs());
            cells.push((note, shrunken(&tinted(&face, &map, way.colours))));
        }
        let shape = [way.chosen.len(), maps.height, maps.width];
        tensors.push((format!("{method}/raw"), tensor(&maps.data, &shape)?));
    }
    let names: Vec<&str> = way.chosen.iter().map(|(_, name)| name.as_str()).collect();
    let about = HashMap::from([
        ("image".to_owned(), picture.path.display().to_string()),
        ("attributes".to_owned(), names.join(",")),
        ("target".to_owned(), way.target.to_string()),
        ("layer".to_owned(), way.layer_name().to_owned()),
    ]);
    let bytes =
        safetensors::serialize(tensors, Some(about)).map_err(|error| Error::Request(format!("--out: {error}")))?;
    write_whole(&folder.join("maps.safetensors"), &bytes)?;
    Ok(Explained {
        name: picture.name.clone(),
        picture: shrunken(&face),
        cells,
    })
}

fn png(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| Error::Request(format!("an overlay cannot be encoded: {error}")))?;
    Ok(bytes.into_inner())
}

/// A folder in `out` for files of ours.
///
/// # Errors
/// When it is a link: what it leads to is somebody else's.
fn own_folder(out: &Path, name: &str) -> Result<PathBuf> {
    let path = out.join(name);
    match path.is_symlink() {
        true => Err(pipeline::Error::Link { path }.into()),
        false => Ok(path),
    }
}

/// Contact sheets under construction. A full page is written at once, so that memory does not grow with the pictures.
pub struct Pages<'a> {
    folder: PathBuf,
    sheets: Sheets,
    way: &'a Way<'a>,
    /// With a sheet an attribute: for each method and chosen attribute in turn, the cells of the page in hand.
    open: Vec<Vec<SheetCell>>,
    /// How many pages each of them has.
    written: Vec<usize>,
    /// Those of all pages that the font does not have.
    letters: RefCell<BTreeSet<char>>,
    /// Names of sheets, with their folders.
    taken: HashSet<String>,
}

impl<'a> Pages<'a> {
    /// No sheets yet, for `OUT/sheets`.
    ///
    /// # Errors
    /// When that is a link.
    pub fn new(out: &Path, sheets: Sheets, way: &'a Way<'a>) -> Result<Self> {
        let groups = way.methods.len() * way.chosen.len();
        Ok(Self {
            folder: own_folder(out, "sheets")?,
            sheets,
            way,
            open: vec![Vec::new(); groups],
            written: vec![0; groups],
            letters: RefCell::default(),
            taken: HashSet::new(),
        })
    }

    /// Takes in a picture.
    ///
    /// # Errors
    /// When a sheet cannot be drawn or written.
    pub fn add(&mut self, explained: Explained) -> Result<()> {
        match self.sheets {
            Sheets::None => Ok(()),
            Sheets::Image => self.of_image(explained),
            Sheets::Attribute => {
                for (group, (note, picture)) in explained.cells.into_iter().enumerate() {
                    self.open[group].push(SheetCell {
                        title: explained.name.clone(),
                        note,
                        picture,
                    });
                    if self.open[group].len() == PAGE {
                        self.close(group)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes the pages that are not full.
    ///
    /// # Errors
    /// As [`Pages::add`].
    pub fn finish(&mut self) -> Result<()> {
        (0..self.open.len())
            .filter(|&group| !self.open[group].is_empty())
            .collect::<Vec<_>>()
            .into_iter()
            .try_for_each(|group| self.close(group))?;
        if let Some(line) = said_of_letters(&self.letters.borrow(), &[Format::Png]) {
            to_stderr(line);
        }
        Ok(())
    }

    fn close(&mut self, group: usize) -> Result<()> {
        let method = self.way.methods[group / self.way.chosen.len()];
        let chosen = group % self.way.chosen.len();
        let (attribute, file) = (&self.way.chosen[chosen].1, &self.way.files[chosen]);
        let cells = std::mem::take(&mut self.open[group]);
        self.written[group] += 1;
        let title = attribute.replace('_', " ");
        self.draw(method, file, &title, self.written[group], cells)
    }

    fn of_image(&mut self, explained: Explained) -> Result<()> {
        let Explained { name, picture, cells } = explained;
        let mut cells = cells.into_iter();
        let way = self.way;
        for &method in &way.methods {
            let own = way.chosen.iter().zip(cells.by_ref());
            let own = own.map(|((_, attribute), (note, picture))| SheetCell {
                title: attribute.replace('_', " "),
                note,
                picture,
            });
            let first = SheetCell {
                title: String::new(),
                note: "as the network sees it".to_owned(),
                picture: picture.clone(),
            };
            let all: Vec<SheetCell> = std::iter::once(first).chain(own).collect();
            for (page, cells) in all.chunks(PAGE).enumerate() {
                self.draw(method, &name, &name, page + 1, cells.to_vec())?;
            }
        }
        Ok(())
    }

    fn draw(&mut self, method: Method, file: &str, title: &str, page: usize, cells: Vec<SheetCell>) -> Result<()> {
        let layer = self
            .way
            .layer(method)
            .map_or_else(String::new, |layer| format!(" at {layer}"));
        let sheet = ContactSheet {
            title: title.to_owned(),
            subtitle: format!("{method}{layer}, target {}; each map scaled alone", self.way.target),
            colours: self.way.colours,
            cells,
        };
        let suffix = if page == 1 {
            String::new()
        } else {
            format!("-page-{page}")
        };
        // A picture may be called as another one's second page.
        let path = unique(&format!("{}/{file}{suffix}", method.name()), &mut self.taken);
        let path = self.folder.join(format!("{path}.png"));
        let drawn = contact_sheet(&Style::default(), &sheet)?;
        self.letters.borrow_mut().extend(drawn.letters_without_picture());
        Ok(write_whole(&path, &drawn.preview()?)?)
    }
}
