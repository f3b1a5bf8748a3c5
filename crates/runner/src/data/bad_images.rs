//! Images that cannot be used: found before the first stage, left out of all of them, and listed.
//!
//! With `data.on_bad_image: skip` every image that the run would use is read once. Leaving bad ones out there, and not while
//! training, keeps everything that follows exact: counts and class weights, batches, the bytes after an interruption, and the
//! images that predictions and energies are of. What was found is in `bad_images.csv`, and is not looked for again while the
//! data set is the same and all that is listed is still bad.

use dataset::{Source, Split};
use rayon::prelude::*;

use super::content::{Reading, images_content, masks_content};
use super::set::{BadImage, DataSet};
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result, describe};
use crate::experiment::OnBadImage;
use crate::recorded::Recorded;
use disk::Columns;
use pipeline::{Declaration, ReadTable, Sandbox};

/// Bumped when the step would find other images bad.
const VERSION: u32 = 2;

/// The step.
pub const STEP: &str = "bad_images";
/// Images read between two looks at the limit and at Ctrl-C.
const CHUNK: usize = 256;

/// Reads every image that the run would use, and returns those that cannot be.
///
/// # Errors
/// When they are more than `data.bad_images_limit`; [`Interrupted`](pipeline::Interrupted).
pub fn find(context: &Context, data: &DataSet) -> Result<Vec<BadImage>> {
    let manifest = context.manifest();
    if let Some(known) = known(&context.recorded(&manifest), data, Reading::of(context))? {
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
        let found: Result<Vec<Option<BadImage>>> = part.par_iter().map(|&index| examine(data, index)).collect();
        bad.extend(found?.into_iter().flatten());
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

/// Refuses a run of which images cannot be used.
///
/// # Errors
/// When there are some: all of them up to `data.bad_images_limit`, or the first; [`Interrupted`](pipeline::Interrupted).
pub fn refuse(context: &Context, data: &DataSet) -> Result<()> {
    let bad = find(context, data)?;
    if bad.is_empty() {
        return Ok(());
    }
    let reasons: Vec<&str> = bad.iter().map(|image| image.reason.as_str()).collect();
    Err(Error::Request(format!(
        "data.check_images: {} that cannot be used:\n- {}\n`data.on_bad_image: skip` leaves such images out of everything and lists them",
        match bad.len() {
            1 => "1 image".to_owned(),
            several => format!("{several} images"),
        },
        reasons.join("\n- ")
    )))
}

/// Whether an image can be decoded, aligned and, where energies are measured on it, looked up in its masks.
///
/// # Errors
/// When the system cannot read its file at the moment, which says nothing of the image.
fn examine(data: &DataSet, index: usize) -> Result<Option<BadImage>> {
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
    match usable() {
        Ok(()) => Ok(None),
        Err(error) if error.is_of_the_system() => Err(error.into()),
        Err(error) => Ok(Some(BadImage {
            index,
            name: annotations.names[index].clone(),
            split,
            reason: describe(&error),
        })),
    }
}

/// What an earlier run found, if it still holds: the same data set, and everything on the list still bad.
///
/// # Errors
/// When a file cannot be read at the moment; [`Interrupted`](pipeline::Interrupted).
pub fn known(recorded: &Recorded<'_>, data: &DataSet, reading: Reading<'_>) -> Result<Option<Vec<BadImage>>> {
    if !recorded.manifest.stages.contains_key(STEP) {
        return Ok(None);
    }
    let listed = || -> Option<Vec<usize>> {
        let table = ReadTable::csv(&recorded.folder.join(artefacts::BAD_IMAGES)).ok()?;
        let in_range = |index: i64| {
            usize::try_from(index)
                .ok()
                .filter(|&index| index < data.annotations().len())
        };
        table.integers("position").ok()?.into_iter().map(in_range).collect()
    };
    let Some(listed) = listed() else { return Ok(None) };
    let again: Result<Option<Vec<BadImage>>> = listed.into_iter().map(|index| examine(data, index)).collect();
    let Some(again) = again?.filter(|again| again.len() <= recorded.experiment.data.bad_images_limit) else {
        return Ok(None);
    };
    let left_out: Vec<&str> = again.iter().map(|image| image.name.as_str()).collect();
    let declaration = declaration(data, &left_out, reading)?;
    let reason = pipeline::why(recorded.manifest, recorded.folder, reading.contents, &declaration)?;
    Ok(reason.is_none().then_some(again))
}

/// What the step reads: every image that the run would use, those that it leaves out among them, and the masks of the test images.
fn declaration(data: &DataSet, left_out: &[&str], reading: Reading<'_>) -> Result<Declaration> {
    let skipped = data.skipped.iter().map(|image| image.index);
    let mut all: Vec<usize> = [&data.training, &data.validation, &data.test]
        .into_iter()
        .flatten()
        .copied()
        .chain(skipped)
        .collect();
    all.sort_unstable();
    let tested = all.iter().copied();
    let tested: Vec<usize> = tested
        .filter(|&index| data.annotations().splits[index] == Split::Test)
        .collect();
    Ok(Declaration::of(STEP, VERSION)
        .settings("left out", left_out)
        .file("images", &images_content(data, &all, "images", reading)?)
        .file("masks of test images", &masks_content(data, &tested, reading)?))
}

/// Lists the images left out: in the results folder, in the manifest and on the terminal.
///
/// # Errors
/// Those of writing.
pub fn record(context: &Context, data: &DataSet) -> Result<()> {
    let skipped = data.skipped.iter().map(|image| image.name.clone()).collect();
    context.workspace.amend(|manifest| manifest.skipped_images = skipped);
    if context.experiment.data.on_bad_image == OnBadImage::Fail {
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
    let left_out: Vec<&str> = data.skipped.iter().map(|image| image.name.as_str()).collect();
    let declaration = declaration(data, &left_out, Reading::of(context))?;
    context
        .workspace
        .step(&declaration, |folder| list(folder, &data.skipped))
}

/// Writes the list of images left out.
fn list(folder: &Sandbox<'_>, skipped: &[BadImage]) -> Result<()> {
    let positions: Vec<i64> = skipped.iter().map(|image| image.index as i64).collect();
    let texts = |value: fn(&BadImage) -> String| skipped.iter().map(value).collect::<Vec<_>>();
    let bytes = Columns::default()
        .integers("position", &positions)
        .texts("image", &texts(|image| image.name.clone()))
        .texts("split", &texts(|image| image.split.to_string()))
        .texts("reason", &texts(|image| image.reason.clone()))
        .to_csv()
        .map_err(Error::table(&folder.scratch(artefacts::BAD_IMAGES)))?;
    Ok(folder.write(artefacts::BAD_IMAGES, &bytes)?)
}

/// A bad image, the first of `all`, that ends a run which fails at such, with what lets the run go on.
pub fn left_out_by_skip(error: &dataset::Error, all: usize) -> Error {
    let way_out = "`data.on_bad_image: skip` leaves such images out of everything and lists them";
    let others = match all {
        0 | 1 => String::new(),
        all => format!(", the first of {all} images that cannot be read"),
    };
    Error::Request(format!("{}{others}; {way_out}", describe(error)))
}

/// A bad image that ends a step, with what lets the run go on.
pub fn with_way_out(on_bad_image: OnBadImage, folder: &Sandbox<'_>, error: &dataset::Error) -> Error {
    if on_bad_image == OnBadImage::Fail {
        return left_out_by_skip(error, 1);
    }
    // Without its list the step is not current: the next run looks again. If this fails, so does that.
    std::fs::remove_file(folder.scratch(artefacts::BAD_IMAGES)).ok();
    let way_out = "it could be read before; the same command looks at all images anew";
    Error::Request(format!("{}; {way_out}", describe(error)))
}
