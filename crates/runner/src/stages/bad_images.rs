//! Images that cannot be used: found before the first stage, left out of all of them, and listed.
//!
//! With `data.on_bad_image: skip` every image that the run would use is read once. Leaving bad ones out there, and not while
//! training, keeps everything that follows exact: counts and class weights, batches, the bytes after an interruption, and the
//! images that predictions and energies are of. What was found is in `bad_images.csv`, and is not looked for again while the
//! data set is the same and all that is listed is still bad.

use dataset::{Source, Split};
use rayon::prelude::*;

use super::data::{BadImage, DataSet};
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result, describe};
use crate::experiment::OnBadImage;
use crate::pipeline::{Columns, Key, ReadTable};

const STAGE: &str = "bad_images";
/// Images read between two looks at the limit and at Ctrl-C.
const CHUNK: usize = 256;

/// Reads every image that the run would use, and returns those that cannot be.
///
/// # Errors
/// When they are more than `data.bad_images_limit`; [`Interrupted`](crate::pipeline::Interrupted).
pub fn find(context: &Context, data: &DataSet) -> Result<Vec<BadImage>> {
    if let Some(known) = known(context, data) {
        return Ok(known);
    }
    let limit = context.experiment.data.bad_images_limit;
    let images: Vec<usize> = [&data.training, &data.validation, &data.test]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let mut work = context.progress().work("reading all images", images.len() as u64);
    let mut bad = Vec::new();
    for (chunk, part) in images.chunks(CHUNK).enumerate() {
        context.interrupt().check()?;
        let found: Vec<Option<BadImage>> = part.par_iter().map(|&index| examine(data, index)).collect();
        bad.extend(found.into_iter().flatten());
        if bad.len() > limit {
            work.abandon();
            return Err(Error::Request(format!(
                "{} of the first {} images cannot be used, more than data.bad_images_limit: {limit} allows; the first: {}",
                bad.len(),
                (chunk * CHUNK + part.len()).min(images.len()),
                bad[0].reason
            )));
        }
        work.at((chunk * CHUNK + part.len()) as u64, "");
    }
    work.abandon();
    Ok(bad)
}

/// Whether an image can be decoded, aligned and, where energies are measured on it, looked up in its masks.
fn examine(data: &DataSet, index: usize) -> Option<BadImage> {
    let source: &dyn Source = data.source.as_ref();
    let annotations = data.annotations();
    let split = annotations.splits[index];
    let usable = || -> dataset::Result<()> {
        let size = source.image(index)?.dimensions();
        source.alignment(index, size, 1)?;
        if split == Split::Test {
            source.masks(index)?;
        }
        Ok(())
    };
    usable().err().map(|error| BadImage {
        index,
        name: annotations.names[index].clone(),
        split,
        reason: describe(&error),
    })
}

/// What an earlier run found, if it still holds: the same data set, and everything on the list still bad.
fn known(context: &Context, data: &DataSet) -> Option<Vec<BadImage>> {
    if !context.manifest().stages.contains_key(STAGE) {
        return None;
    }
    let table = ReadTable::csv(&context.results().join(artefacts::BAD_IMAGES), true).ok()?;
    let positions = table.integers("position").ok()?;
    let in_range = |index: i64| {
        usize::try_from(index)
            .ok()
            .filter(|&index| index < data.annotations().len())
    };
    let again: Vec<BadImage> = positions
        .into_iter()
        .map(|index| examine(data, in_range(index)?))
        .collect::<Option<_>>()?;
    let current = context.workspace.is_current(STAGE, &key(context, data, &again));
    (current && again.len() <= context.experiment.data.bad_images_limit).then_some(again)
}

fn key(context: &Context, data: &DataSet, bad: &[BadImage]) -> Key {
    Key::default()
        .settings(&context.experiment.data.deciding())
        .settings(&bad.iter().map(|image| &image.name).collect::<Vec<_>>())
        .text(&data.source.fingerprint())
}

/// Names of the images left out: what predictions and explanations are not of is part of what they depend on.
pub fn names(data: &DataSet) -> Vec<&str> {
    data.skipped.iter().map(|image| image.name.as_str()).collect()
}

/// Lists the images left out: in the results folder, in the manifest and on the terminal.
///
/// # Errors
/// Those of writing.
pub fn record(context: &Context, data: &DataSet) -> Result<()> {
    let skipped = data.skipped.iter().map(|image| image.name.clone()).collect();
    context.workspace.amend(|manifest| manifest.skipped_images = skipped);
    if context.experiment.data.on_bad_image == OnBadImage::Fail {
        context.workspace.forget(STAGE);
        context.results().remove(artefacts::BAD_IMAGES)?;
        return Ok(context.workspace.save()?);
    }
    if !data.skipped.is_empty() {
        context.progress().say(&format!(
            "{:24} {} that cannot be used left out: {}",
            "bad images",
            data.skipped.len(),
            context.results().join(artefacts::BAD_IMAGES).display()
        ));
    }
    let key = key(context, data, &data.skipped);
    context.workspace.stage(STAGE, key, || {
        let positions: Vec<i64> = data.skipped.iter().map(|image| image.index as i64).collect();
        let texts = |value: fn(&BadImage) -> String| data.skipped.iter().map(value).collect::<Vec<_>>();
        let bytes = Columns::default()
            .integers("position", &positions)
            .texts("image", &texts(|image| image.name.clone()))
            .texts("split", &texts(|image| image.split.to_string()))
            .texts("reason", &texts(|image| image.reason.clone()))
            .to_csv()
            .map_err(Error::table(&context.results().join(artefacts::BAD_IMAGES)))?;
        context.results().write(artefacts::BAD_IMAGES, &bytes)?;
        Ok(vec![artefacts::BAD_IMAGES.to_owned()])
    })
}

/// A bad image that ends a run, with what lets the run go on.
pub fn with_way_out(context: &Context, error: &dataset::Error) -> Error {
    let way_out = match context.experiment.data.on_bad_image {
        OnBadImage::Fail => "`data.on_bad_image: skip` leaves such images out of everything and lists them",
        OnBadImage::Skip => {
            // Without its list the stage is not current: the next run looks again. If this fails, so does that.
            context.results().remove(artefacts::BAD_IMAGES).ok();
            "it could be read before; the same command looks at all images anew"
        }
    };
    Error::Request(format!("{}; {way_out}", describe(error)))
}
