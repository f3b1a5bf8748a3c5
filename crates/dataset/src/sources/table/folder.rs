use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use image::RgbImage;

use super::boxes::Boxes;
use super::embedded::{Embedded, image_column_of, names_of};
use super::group_column::GroupColumn;
use super::mask_files::MaskFiles;
use super::{Shares, TableConfig, TableSplit, stratified_split, stratified_split_of_groups};
use crate::decode::{decode_upright, may_be_transparent, upright_dimensions};
use crate::files::{beginning, read};
use crate::sources::Fingerprint;
use crate::sources::cells::{ImageColumn, LabelColumn, Table, split};
use crate::sources::image_files::ImageFiles;
use crate::sources::lines::{line_error, quote};
use crate::sources::named_images::{NamedImages, is_path_inside, name_inside};
use crate::{
    Annotations, AttributeMasks, Attributes, Error, FaceReference, Fit, Framing, Origin, Preparation, Result, Source,
    parse_landmarks,
};

/// How many images lend their file size to the fingerprint.
const SAMPLED_SIZES: usize = 64;

/// Part of the fingerprint since images are turned as their EXIF orientation says, and lie over white where they are transparent.
const UPRIGHT: &[u8] = b"upright over white";

/// A table of binary attributes on disk, with a folder of images of any size.
///
/// Each row is an image, in the order of the file. A label is 1 or true, 0, -1 or false; an empty cell (also `NA`, `NaN`, `null`)
/// is not known and takes part in no count, loss or error rate. Image names are paths below the folder. A file whose name differs
/// in case, extension, Unicode form, slashes or the folders before it is found if it is the only such one, and
/// [`notes`](Source::notes) say so. Names with `..` are refused. Images are turned as their EXIF orientation says, and landmarks
/// and masks are those of the turned image. Transparent parts of images are white. See [`TableConfig`] for the rest.
#[derive(Debug)]
pub struct TableFolder {
    annotations: Annotations,
    images: Images,
    notes: Vec<String>,
    resize: Fit,
    masks: Option<MaskFiles>,
    boxes: Option<Boxes>,
    /// Names of the groups, by the images' identities; none where nothing groups them.
    groups: Vec<String>,
}

impl TableFolder {
    /// Reads the table; images and masks are read when asked for.
    ///
    /// # Errors
    /// When a file or column is missing, a cell breaks its format (the message names the line), or not one of some sampled
    /// images is there.
    pub fn open(config: &TableConfig) -> Result<Self> {
        let table = Table::open(&config.file)?;
        let image = image_column_of(&table, &config.image_column, &named_otherwise(config))?;
        let (embedded, listed) = match &image {
            ImageColumn::Pictures(column) => {
                let (embedded, names) = Embedded::open(&config.file, &table, column)?;
                (Some(embedded), Some(names))
            }
            _ if !config.images.exists() => {
                return Err(Error::Missing {
                    what: "the folder or archive of images".to_owned(),
                    looked_for: vec![config.images.clone()],
                });
            }
            ImageColumn::Paths(column) => (None, Some(names_of(&table, column)?)),
            ImageColumn::Names(_) => (None, None),
        };
        let file = config.file.display().to_string();
        let mut notes = table.notes();
        let name = match &image {
            ImageColumn::Names(column) => table.header.get(*column).cloned(),
            ImageColumn::Paths(column) => Some(format!("{column}.path")),
            ImageColumn::Pictures(_) => None,
        };
        if let Some(name) = name.filter(|name| *name != config.image_column) {
            notes.push(format!("{file}: the images' names are taken from the column `{name}`"));
        }
        let columns = table.header.clone();
        let (mut annotations, groups) = annotations(table, config, &image, listed)?;
        if let Some(path) = &config.landmarks {
            let rows = parse_landmarks(&path.display().to_string(), &read(path)?)?;
            annotations.landmarks = Some(rows.ordered_by(&annotations.names, &file)?);
        }
        let images = match embedded {
            Some(embedded) => {
                notes.extend(embedded.note().map(str::to_owned));
                Images::Embedded(embedded)
            }
            None => {
                let images = NamedImages::find(ImageFiles::open(&config.images)?, &annotations.names, &file)?;
                notes.extend(images.note());
                Images::Files(Box::new(images))
            }
        };
        // What is called after an image lies in a folder of results: no name may lead out of that.
        for (index, name) in annotations.names.iter_mut().enumerate() {
            if !is_path_inside(name) {
                let file = match &images {
                    Images::Files(files) => files.file(index),
                    Images::Embedded(_) => None,
                };
                *name = file.map_or_else(|| name_inside(name), str::to_owned);
            }
        }
        let masks = match &config.masks {
            Some(folder) => Some(MaskFiles::open(
                folder,
                &annotations.attributes,
                &annotations.names,
                &columns,
            )?),
            None => None,
        };
        let boxes = match &config.boxes {
            Some(path) => Some(Boxes::open(path, &annotations, &columns, config.masks.is_some())?),
            None => None,
        };
        notes.extend(masks.iter().filter_map(MaskFiles::note).map(str::to_owned));
        notes.extend(boxes.iter().flat_map(|boxes| boxes.notes().to_vec()));
        let folder = Self {
            annotations,
            images,
            notes,
            resize: config.resize,
            masks,
            boxes,
            groups,
        };
        // A wrong folder is the likeliest mistake, and a single missing file no reason to give up here.
        if let Images::Files(files) = &folder.images
            && (0..folder.annotations.len()).all(|index| files.file(index).is_none())
        {
            folder.bytes(0)?;
        }
        Ok(folder)
    }

    /// File sizes of some images.
    fn sampled_sizes(&self) -> impl Iterator<Item = Option<u64>> {
        let n = self.annotations.len();
        let samples = n.min(SAMPLED_SIZES);
        (0..samples).map(move |sample| {
            let index = sample * n / samples;
            self.images.size(index, &self.annotations.names[index])
        })
    }

    /// The bytes and the place of an image's file.
    fn bytes(&self, index: usize) -> Result<(Vec<u8>, PathBuf)> {
        let names = &self.annotations.names;
        let name = names.get(index).ok_or_else(|| Error::Invalid {
            what: "image index".to_owned(),
            found: index.to_string(),
            expected: format!("less than {}", names.len()),
        })?;
        self.images.read(index, name)
    }

    fn framing(&self) -> Framing {
        match self.annotations.landmarks {
            Some(_) => Framing::Landmarks(FaceReference::default()),
            None => Framing::Fit(self.resize),
        }
    }
}

/// Where the images are.
#[derive(Debug)]
enum Images {
    Files(Box<NamedImages>),
    /// In the table itself.
    Embedded(Embedded),
}

impl Images {
    fn read(&self, index: usize, name: &str) -> Result<(Vec<u8>, PathBuf)> {
        match self {
            Self::Files(files) => files.read(index, name),
            Self::Embedded(pictures) => pictures.read(index, name),
        }
    }

    fn size(&self, index: usize, name: &str) -> Option<u64> {
        match self {
            Self::Files(files) => files.size(index, name),
            Self::Embedded(pictures) => pictures.size(index),
        }
    }

    fn origin(&self, index: usize, name: &str) -> Option<Origin> {
        match self {
            Self::Files(files) => files.origin(index, name),
            Self::Embedded(pictures) => pictures.origin(index, name),
        }
    }

    fn identify(&self, index: usize, name: &str, add: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Files(files) => files.identify(index, name, add),
            Self::Embedded(pictures) => pictures.identify(index, add),
        }
    }
}

impl Source for TableFolder {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        let (bytes, path) = self.bytes(index)?;
        Ok(self.framing().on_canvas(decode_upright(&bytes, &path)?))
    }

    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        let (bytes, path) = self.bytes(index)?;
        Ok(self.framing().canvas(upright_dimensions(&bytes, &path)?))
    }

    fn preparation(&self, size: usize) -> Preparation {
        Preparation {
            size,
            framing: self.framing(),
            upright: true,
        }
    }

    fn person(&self, index: usize) -> Option<Cow<'_, str>> {
        let identity = *self.annotations.identities.as_ref()?.get(index)?;
        self.groups
            .get(identity as usize)
            .map(|name| Cow::Borrowed(name.as_str()))
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn has_masks(&self) -> bool {
        self.masks.is_some() || self.boxes.is_some()
    }

    fn masks(&self, index: usize) -> Result<Option<AttributeMasks>> {
        if !self.has_masks() {
            return Ok(None);
        }
        let (bytes, path) = self.bytes(index)?;
        let size = upright_dimensions(&bytes, &path)?;
        let masks = match &self.masks {
            Some(masks) => masks.read(&self.annotations.names[index], size)?,
            None => None,
        };
        match &self.boxes {
            Some(boxes) => boxes.add(index, size, masks),
            None => Ok(masks),
        }
    }

    fn image_bytes(&self, index: usize) -> Result<Vec<u8>> {
        Ok(self.bytes(index)?.0)
    }

    fn image_origin(&self, index: usize) -> Option<Origin> {
        let name = self.annotations.names.get(index)?;
        self.images.origin(index, name)
    }

    fn mask_files(&self, index: usize) -> Vec<Option<PathBuf>> {
        let names = self.annotations.names.get(index);
        let files = names.zip(self.masks.as_ref()).map(|(name, masks)| masks.files(name));
        let boxes = self.boxes.iter().map(|boxes| Some(boxes.path().to_owned()));
        files.into_iter().flatten().chain(boxes).collect()
    }

    fn may_be_transparent(&self, index: usize) -> bool {
        let Some(origin) = self.image_origin(index) else {
            return false;
        };
        match origin.part {
            // A part is unpacked as a whole: its name has to do.
            Some(name) => {
                let name = name.to_lowercase();
                !["jpg", "jpeg", "jpe", "jfif", "bmp"]
                    .iter()
                    .any(|extension| name.ends_with(extension))
            }
            None => beginning(&origin.file).is_ok_and(|bytes| may_be_transparent(&bytes)),
        }
    }

    /// 2: sixteen bits, palettes and alpha channels are read as what they look like. 3: labels that differ from file to file are refused.
    fn mask_rule(&self) -> u32 {
        3
    }

    /// Number of images and a hash of all annotations, of the file sizes of some images, and of how they become squares.
    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        for size in self.sampled_sizes() {
            hash.add(&size.unwrap_or(0).to_le_bytes());
        }
        hash.add(&[self.resize as u8]);
        hash.add(UPRIGHT);
        hash.to_text(self.annotations.len())
    }

    fn contents(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        hash.add(&[self.resize as u8]);
        hash.add(UPRIGHT);
        for (index, name) in self.annotations.names.iter().enumerate() {
            self.images.identify(index, name, &mut |bytes| hash.add(bytes));
        }
        hash.to_text(self.annotations.len())
    }
}

/// Reads all rows: what is known of the images, and the names of the groups that their identities stand for.
/// `listed` are the images' names where no column of the table has them alone.
fn annotations(
    table: Table,
    config: &TableConfig,
    image: &ImageColumn,
    listed: Option<Vec<String>>,
) -> Result<(Annotations, Vec<String>)> {
    let file = table.file.clone();
    let split_column = match &config.split {
        TableSplit::Column(name) => Some(match table.position(name) {
            Some(column) => column,
            None => table.column("split_column", name)?,
        }),
        TableSplit::Stratified(_) => None,
    };
    let mut groups = match &config.group_column {
        Some(name) => Some(GroupColumn::new(&table, name, config)?),
        None => None,
    };
    let group_column = groups.as_ref().map(GroupColumn::position);
    let others = [split_column, group_column];
    let columns = attribute_columns(&table, config.attributes.as_deref(), image, others)?;
    let names = columns.iter().map(|&column| table.header[column].clone()).collect();
    let attributes = Attributes::new(names).map_err(|error| match error {
        Error::Invalid { what, found, expected } => line_error(&file, 1, format!("{what}: {found}"), expected),
        other => other,
    })?;

    let mut labels_of: Vec<LabelColumn> = attributes.names().iter().map(|name| LabelColumn::new(name)).collect();
    let (mut names, mut labels, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen: HashMap<String, usize> = HashMap::new();
    let wanted = image.names().into_iter().chain(split_column).chain(group_column);
    let wanted: Vec<usize> = wanted.chain(columns).collect();
    table.rows(&wanted, |line, cells| {
        let mut cells = cells;
        let name = match &listed {
            // Rows of Parquet count from 1.
            Some(names) => line
                .checked_sub(1)
                .and_then(|row| names.get(row))
                .map_or("", String::as_str),
            None => take_first(&mut cells),
        };
        check_name(&file, line, name)?;
        if let Some(first) = seen.insert(name.to_owned(), line) {
            return Err(line_error(
                &file,
                line,
                format!("{} again, after line {first}", quote(name)),
                "each image once".to_owned(),
            ));
        }
        names.push(name.to_owned());
        if split_column.is_some() {
            splits.push(split(&file, line, take_first(&mut cells))?);
        }
        if let Some(groups) = &mut groups {
            groups.add(&file, line, take_first(&mut cells))?;
        }
        for (column, cell) in labels_of.iter_mut().zip(cells) {
            labels.push(column.label(&file, line, cell)?);
        }
        Ok(())
    })?;
    if names.is_empty() {
        return Err(Error::File {
            file,
            found: "a header and no rows".to_owned(),
            expected: "a row for each image".to_owned(),
        });
    }
    let (identities, groups) = groups.map(GroupColumn::finish).unzip();
    if let TableSplit::Stratified(shares) = config.split {
        let Shares { validation, test, seed } = shares;
        splits = match &identities {
            Some(groups) => stratified_split_of_groups(&labels, attributes.len(), groups, shares)?,
            None => stratified_split(&labels, attributes.len(), validation, test, seed)?,
        };
    }
    let annotations = Annotations {
        attributes,
        names,
        labels,
        splits,
        landmarks: None,
        identities,
    };
    Ok((annotations, groups.unwrap_or_default()))
}

/// The columns that have another meaning than that of the images' names.
fn named_otherwise(config: &TableConfig) -> Vec<&str> {
    let split = match &config.split {
        TableSplit::Column(name) => Some(name),
        TableSplit::Stratified(_) => None,
    };
    let attributes = config.attributes.iter().flatten();
    let all = split.into_iter().chain(&config.group_column).chain(attributes);
    all.map(String::as_str).collect()
}

/// The first of a row's cells, which is no longer among them then.
fn take_first<'a>(cells: &mut &[&'a str]) -> &'a str {
    let (first, rest) = cells
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (*first, rest));
    *cells = rest;
    first
}

/// The columns of the attributes: those named, or all but the images', the `others` and those without a name, which pandas and R add.
fn attribute_columns(
    table: &Table,
    named: Option<&[String]>,
    image: &ImageColumn,
    others: [Option<usize>; 2],
) -> Result<Vec<usize>> {
    if let Some(named) = named {
        return named.iter().map(|name| table.column("attributes", name)).collect();
    }
    let unnamed = |name: &str| name.is_empty() || name == "__index_level_0__";
    let is_other = |column: usize| others.contains(&Some(column)) || image.has(table, column);
    Ok((0..table.header.len())
        .filter(|&column| !is_other(column) && !unnamed(&table.header[column]))
        .collect())
}

fn check_name(file: &str, line: usize, name: &str) -> Result<()> {
    let leads_out = name.split(['/', '\\']).any(|part| part == "..");
    let is_file = !name.is_empty() && !name.contains('\0') && !name.ends_with(['/', '\\', '.']);
    if is_file && !leads_out {
        return Ok(());
    }
    Err(line_error(
        file,
        line,
        format!("image name {}", quote(name)),
        "a path below the folder of images, such as 000001.jpg or dogs/000001.jpg, without `..`".to_owned(),
    ))
}
