use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use image::RgbImage;
use image::imageops::{FilterType, resize};

use super::cell::{LabelColumn, is_path_inside, split};
use super::group_column::GroupColumn;
use super::mask_files::MaskFiles;
use super::rows::Table;
use super::{Fit, Shares, TableConfig, TableSplit, stratified_split, stratified_split_of_groups};
use crate::decode::{decode_upright, may_be_transparent, upright_dimensions};
use crate::files::{beginning, read};
use crate::sources::Fingerprint;
use crate::sources::image_files::ImageFiles;
use crate::sources::lines::{line_error, quote};
use crate::{
    Alignment, Annotations, AttributeMasks, Attributes, Error, Origin, Result, Similarity, Source, parse_landmarks,
};

/// How many images lend their file size to the fingerprint.
const SAMPLED_SIZES: usize = 64;

/// Part of the fingerprint since images are turned as their EXIF orientation says, and lie over white where they are transparent.
const UPRIGHT: &[u8] = b"upright over white";

/// Extensions that a name without one may have.
const EXTENSIONS: [&str; 6] = ["jpg", "png", "jpeg", "JPG", "PNG", "JPEG"];

/// A table of binary attributes on disk, with a folder of images of any size.
///
/// Each row is an image, in the order of the file. A label is 1 or true, 0, -1 or false; an empty cell (also `NA`, `NaN`, `null`)
/// is not known and takes part in no count, loss or error rate. Image names are paths below the folder: absolute ones and those
/// with `..` are refused. Images are turned as their EXIF orientation says, and landmarks and masks are those of the turned image.
/// Transparent parts of images are white. See [`TableConfig`] for the rest.
#[derive(Debug)]
pub struct TableFolder {
    annotations: Annotations,
    images: ImageFiles,
    resize: Fit,
    masks: Option<MaskFiles>,
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
        if !config.images.exists() {
            return Err(Error::Missing {
                what: "the folder or archive of images".to_owned(),
                looked_for: vec![config.images.clone()],
            });
        }
        let images = ImageFiles::open(&config.images)?;
        let table = Table::open(&config.file)?;
        let (mut annotations, groups) = annotations(table, config)?;
        if let Some(path) = &config.landmarks {
            let rows = parse_landmarks(&path.display().to_string(), &read(path)?)?;
            let table = config.file.display().to_string();
            annotations.landmarks = Some(rows.ordered_by(&annotations.names, &table)?);
        }
        let masks = match &config.masks {
            Some(folder) => Some(MaskFiles::open(folder, &annotations.attributes)?),
            None => None,
        };
        let folder = Self {
            annotations,
            images,
            resize: config.resize,
            masks,
            groups,
        };
        // A wrong folder is the likeliest mistake, and a single missing file no reason to give up here.
        if folder.sampled_sizes().all(|(_, size)| size.is_none()) {
            folder.bytes(0)?;
        }
        Ok(folder)
    }

    /// Names and file sizes of some images.
    fn sampled_sizes(&self) -> impl Iterator<Item = (&str, Option<u64>)> {
        let n = self.annotations.len();
        let samples = n.min(SAMPLED_SIZES);
        (0..samples).map(move |sample| {
            let name = self.annotations.names[sample * n / samples].as_str();
            (name, self.images.first_size(candidates(name)))
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
        self.images.read_first(name, candidates(name))
    }

    fn stretched(&self, (width, height): (u32, u32)) -> (u32, u32) {
        match self.resize {
            Fit::Stretch if self.annotations.landmarks.is_none() => (width.max(height), width.max(height)),
            _ => (width, height),
        }
    }
}

impl Source for TableFolder {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        let (bytes, path) = self.bytes(index)?;
        let image = decode_upright(&bytes, &path)?;
        let (width, height) = self.stretched(image.dimensions());
        if (width, height) == image.dimensions() {
            return Ok(image);
        }
        Ok(resize(&image, width, height, FilterType::Triangle))
    }

    fn image_size(&self, index: usize) -> Result<(u32, u32)> {
        let (bytes, path) = self.bytes(index)?;
        Ok(self.stretched(upright_dimensions(&bytes, &path)?))
    }

    fn alignment(&self, index: usize, image_size: (u32, u32), size: usize) -> Result<Similarity> {
        match &self.annotations.landmarks {
            Some(landmarks) => Alignment { size }
                .transform(Some(&landmarks[index]), image_size)
                .map_err(|error| error.of_image(&self.annotations.names[index])),
            None => Ok(self.resize.transform(image_size, size)),
        }
    }

    fn person(&self, index: usize) -> Option<Cow<'_, str>> {
        let identity = *self.annotations.identities.as_ref()?.get(index)?;
        self.groups
            .get(identity as usize)
            .map(|name| Cow::Borrowed(name.as_str()))
    }

    fn has_masks(&self) -> bool {
        self.masks.is_some()
    }

    fn masks(&self, index: usize) -> Result<Option<AttributeMasks>> {
        let Some(masks) = &self.masks else {
            return Ok(None);
        };
        let (bytes, path) = self.bytes(index)?;
        masks.read(&self.annotations.names[index], upright_dimensions(&bytes, &path)?)
    }

    fn image_bytes(&self, index: usize) -> Result<Vec<u8>> {
        Ok(self.bytes(index)?.0)
    }

    fn image_origin(&self, index: usize) -> Option<Origin> {
        let name = self.annotations.names.get(index)?;
        self.images.first_origin(candidates(name))
    }

    fn mask_files(&self, index: usize) -> Vec<Option<PathBuf>> {
        let names = self.annotations.names.get(index);
        let files = names.zip(self.masks.as_ref()).map(|(name, masks)| masks.files(name));
        files.unwrap_or_default()
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

    /// 2: sixteen bits, palettes and alpha channels are read as what they look like.
    fn mask_rule(&self) -> u32 {
        2
    }

    /// Number of images and a hash of all annotations, of the file sizes of some images, and of how they become squares.
    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::of(&self.annotations);
        for (_, size) in self.sampled_sizes() {
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
        for name in &self.annotations.names {
            self.images
                .identify_first(candidates(name), &mut |bytes| hash.add(bytes));
        }
        hash.to_text(self.annotations.len())
    }
}

/// The files that an image's name may stand for.
fn candidates(name: &str) -> impl Iterator<Item = String> + Clone {
    let with = |extension: &&str| format!("{name}.{extension}");
    std::iter::once(name.to_owned()).chain(EXTENSIONS.iter().map(with).collect::<Vec<_>>())
}

/// Reads all rows: what is known of the images, and the names of the groups that their identities stand for.
fn annotations(table: Table, config: &TableConfig) -> Result<(Annotations, Vec<String>)> {
    let file = table.file.clone();
    let image = table.column("image_column", &config.image_column)?;
    let split_column = match &config.split {
        TableSplit::Column(name) => Some(table.column("split_column", name)?),
        TableSplit::Stratified(_) => None,
    };
    let mut groups = match &config.group_column {
        Some(name) => Some(GroupColumn::new(&table, name, config)?),
        None => None,
    };
    let group_column = groups.as_ref().map(GroupColumn::position);
    let others = [Some(image), split_column, group_column];
    let columns = attribute_columns(&table, config.attributes.as_deref(), others)?;
    let names = columns.iter().map(|&column| table.header[column].clone()).collect();
    let attributes = Attributes::new(names).map_err(|error| match error {
        Error::Invalid { what, found, expected } => line_error(&file, 1, format!("{what}: {found}"), expected),
        other => other,
    })?;

    let mut labels_of: Vec<LabelColumn> = attributes.names().iter().map(|name| LabelColumn::new(name)).collect();
    let (mut names, mut labels, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen: HashMap<String, usize> = HashMap::new();
    let wanted = std::iter::once(image).chain(split_column).chain(group_column);
    let wanted: Vec<usize> = wanted.chain(columns).collect();
    table.rows(&wanted, |line, cells| {
        let name = cells[0];
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
        let mut cells = &cells[1..];
        if split_column.is_some() {
            splits.push(split(&file, line, cells[0])?);
            cells = &cells[1..];
        }
        if let Some(groups) = &mut groups {
            groups.add(&file, line, cells[0])?;
            cells = &cells[1..];
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

/// The columns of the attributes: those named, or all but the `others` and those without a name, which pandas and R add.
fn attribute_columns(table: &Table, named: Option<&[String]>, others: [Option<usize>; 3]) -> Result<Vec<usize>> {
    if let Some(named) = named {
        return named.iter().map(|name| table.column("attributes", name)).collect();
    }
    let unnamed = |name: &str| name.is_empty() || name == "__index_level_0__";
    Ok((0..table.header.len())
        .filter(|&column| !others.contains(&Some(column)) && !unnamed(&table.header[column]))
        .collect())
}

fn check_name(file: &str, line: usize, name: &str) -> Result<()> {
    let refuse = |expected: &str| {
        Err(line_error(
            file,
            line,
            format!("image name {}", quote(name)),
            expected.to_owned(),
        ))
    };
    if !is_path_inside(name) {
        return refuse("a path below the folder of images, such as 000001.jpg or dogs/000001.jpg, without `..`");
    }
    Ok(())
}
