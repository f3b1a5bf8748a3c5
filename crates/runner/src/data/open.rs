//! The data stage: opens the data set, or writes it first when it is procedural.

use std::path::Path;
use std::sync::Arc;

use dataset::{CelebaFolder, TableConfig, TableFolder};
use rayon::prelude::*;
use synthetic::faces;

use super::generate::{write_procedural, write_shapes};
use super::place::{Place, folder};
use super::set::DataSet;
use super::straddling::Straddling;
use super::{bad_images, celeba, packed};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{DataSettings, DataSource, OnBadImage};
use pipeline::{Interrupt, Progress};

/// Opens the experiment's data set.
///
/// # Errors
/// When it is malformed, or has no training or test images.
pub fn open(context: &Context) -> Result<DataSet> {
    let place = Place {
        root: &context.data_root,
        progress: context.progress(),
        interrupt: context.interrupt(),
    };
    let data = &context.experiment.data;
    let mut set = open_in(data, &place)?;
    if data.on_bad_image == OnBadImage::Skip {
        let bad = bad_images::find(context, &set)?;
        set.leave_out(bad)?;
    }
    if data.check_images && data.on_bad_image == OnBadImage::Fail {
        bad_images::refuse(context, &set)?;
    }
    if data.packed_cache {
        pack(&mut set, data, &place)?;
    }
    Ok(set)
}

/// Makes what runs on a data set share, where it is not there yet: procedural faces, an index of Parquet files, packed images.
///
/// # Errors
/// When it is malformed, or has no training or test images.
pub fn prepare(data: &DataSettings, root: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    let place = Place {
        root,
        progress,
        interrupt,
    };
    let mut set = open_in(data, &place)?;
    // Without bad images, which each run leaves out first.
    if data.packed_cache && data.on_bad_image == OnBadImage::Fail {
        pack(&mut set, data, &place)?;
    }
    Ok(())
}

/// Opens a data set without saying anything of it, unless it is one that the program draws and has not drawn yet.
///
/// # Errors
/// As [`open`].
pub fn look(data: &DataSettings, place: &Place<'_>) -> Result<Option<DataSet>> {
    let drawn = match data.source {
        DataSource::Procedural => true,
        DataSource::Table => data.table.as_ref().is_some_and(|table| table.shapes.is_some()),
        DataSource::Celeba => false,
    };
    if drawn && !folder(data, place.root).is_dir() {
        return Ok(None);
    }
    read(data, place).map(|(set, _)| Some(set))
}

/// Everything that is wrong with the files of a table that is there, and what is to be said of them; `None` where nobody has written it
/// yet. Where an attribute is visible is looked at in the test images, and whether their images are there in all.
pub fn faults(data: &DataSettings, place: &Place<'_>) -> Option<(Vec<Error>, Vec<String>)> {
    let table = data.table.as_ref()?;
    let folder = folder(data, place.root);
    if table.shapes.is_some() && !folder.is_dir() {
        return None;
    }
    let whole = table.config(&folder);
    let plain = TableConfig {
        landmarks: None,
        masks: None,
        boxes: None,
        ..whole.clone()
    };
    if let Err(error) = TableFolder::open(&plain) {
        return Some((vec![error.into()], Vec::new()));
    }
    let alone = [
        TableConfig {
            landmarks: whole.landmarks.clone(),
            ..plain.clone()
        },
        TableConfig {
            masks: whole.masks.clone(),
            ..plain.clone()
        },
        TableConfig {
            masks: None,
            landmarks: None,
            ..whole
        },
    ];
    let mut faults: Vec<Error> = alone
        .iter()
        .filter_map(|config| TableFolder::open(config).err())
        .map(Error::from)
        .collect();
    if !faults.is_empty() {
        return Some((faults, Vec::new()));
    }
    let (set, notes) = match read(data, place) {
        Ok(read) => read,
        Err(error) => return Some((vec![error], Vec::new())),
    };
    if data.on_bad_image == OnBadImage::Fail {
        let all = [&set.training, &set.validation, &set.test].into_iter().flatten();
        let absent: Vec<usize> = all
            .copied()
            .filter(|&index| set.source.image_origin(index).is_none())
            .collect();
        let first = absent.first().and_then(|&index| set.source.image_bytes(index).err());
        faults.extend(first.map(|error| bad_images::left_out_by_skip(&error, absent.len())));
    }
    if faults.is_empty() {
        faults.extend(check_visible(&set, data, &set.test).err());
    }
    Some((faults, notes))
}

/// So many images lend their masks to a look before a training: what is wrong with a folder of masks is so with most of them.
const MASKS_LOOKED_AT: usize = 32;

/// Finds what is wrong with where attributes are visible in these images: a box without a pixel of its image among all of them, a mask
/// that cannot be used among the first ones'.
///
/// # Errors
/// When there is one, or an image cannot be read.
pub fn check_visible(set: &DataSet, data: &DataSettings, images: &[usize]) -> Result<()> {
    let looked_at = match &data.table {
        Some(table) if table.boxes.is_some() => images,
        Some(table) if table.masks.is_some() => images.get(..MASKS_LOOKED_AT).unwrap_or(images),
        _ => return Ok(()),
    };
    looked_at
        .par_iter()
        .try_for_each(|&index| set.source.masks(index).map(drop))
        .map_err(Error::from)
}

/// Opens a data set, and says what is to be said of it.
fn open_in(data: &DataSettings, place: &Place<'_>) -> Result<DataSet> {
    let (set, notes) = read(data, place)?;
    notes.iter().for_each(|note| place.progress.say(note));
    Ok(set)
}

/// Opens a data set; with it what is to be said of it.
fn read(data: &DataSettings, place: &Place<'_>) -> Result<(DataSet, Vec<String>)> {
    let folder = folder(data, place.root);
    let source: Arc<dyn dataset::Source> = match (data.source, &data.table) {
        (DataSource::Celeba, _) => celeba::open(&folder, place.progress, place.interrupt)?,
        (DataSource::Table, Some(table)) => {
            if let Some(shapes) = table.shapes {
                write_shapes(&folder, shapes, false, place.progress, place.interrupt)?;
            }
            Arc::new(TableFolder::open(&table.config(&folder))?)
        }
        _ => {
            write_faces(data, &folder, place.progress, place.interrupt)?;
            Arc::new(CelebaFolder::open(&folder)?)
        }
    };
    let mut notes: Vec<String> = source
        .notes()
        .iter()
        .map(|note| format!("{:24} {note}", "data"))
        .collect();
    let set = DataSet::choose(source, data)?;
    if data.source != DataSource::Table && set.annotations().landmarks.is_none() && data.frontal_threshold.is_some() {
        notes.push(celeba::NO_LANDMARKS.to_owned());
    }
    if data
        .table
        .as_ref()
        .is_some_and(|table| table.masks.is_some() && table.boxes.is_none())
    {
        notes.extend(how_many_have_masks(&set)?);
    }
    if let Some(straddling) = Straddling::of(&set) {
        let table = data.table.as_ref().filter(|_| data.source == DataSource::Table);
        let who = table.and_then(|table| table.group_column.as_ref()).map_or_else(
            || "people".to_owned(),
            |column| format!("groups (data.table.group_column: {column})"),
        );
        notes.push(format!("{:24} {who}: {straddling}", "data"));
    }
    Ok((set, notes))
}

/// How many of the test images have a mask, where not all do: the others have no energy.
fn how_many_have_masks(set: &DataSet) -> Result<Option<String>> {
    let has_mask = |index: &&usize| set.source.mask_files(**index).iter().any(Option::is_some);
    let (with, all) = (set.test.iter().filter(has_mask).count(), set.test.len());
    if with == 0 {
        let first = set
            .test
            .first()
            .map_or("", |&index| set.annotations().names[index].as_str());
        return Err(Error::Request(format!(
            "data.table.masks: none of the {all} test images has a mask of any attribute, expected ATTRIBUTE/NAME.png for an image NAME, such as {first}"
        )));
    }
    if with < all {
        let has = if with == 1 { "has" } else { "have" };
        return Ok(Some(format!(
            "{:24} {with} of the {all} test images {has} a mask; the others have no energy",
            "masks"
        )));
    }
    Ok(None)
}

fn pack(set: &mut DataSet, data: &DataSettings, place: &Place<'_>) -> Result<()> {
    let folder = folder(data, place.root);
    set.packed = Some(packed::open(place, data.image_size, &folder, set)?);
    Ok(())
}

fn write_faces(data: &DataSettings, folder: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    let faces = &data.procedural;
    let config = faces::Config {
        images: faces.train + faces.validation + faces.test,
        validation: faces.validation,
        test: faces.test,
        seed: faces.seed,
    };
    write_procedural(folder, &config, faces::Form::default(), progress, interrupt)
}
