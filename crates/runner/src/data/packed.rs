//! The packed images of a data set: decoded once, kept in one file.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dataset::{PackedPixels, Packing};

use super::place::Place;
use super::set::DataSet;
use crate::error::{Error, Result};

/// Opens or writes the packed images of an experiment.
///
/// # Errors
/// When they cannot be written, with the way to do without them; [`Interrupted`](pipeline::Interrupted).
pub fn open(place: &Place<'_>, size: usize, folder: &Path, data: &DataSet) -> Result<Arc<PackedPixels>> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let path = place.root.join("packed").join(format!("{name}-{size}.pixels"));
    let mut indices: Vec<usize> = [&data.training, &data.validation, &data.test]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    indices.sort_unstable();
    let mut work = place.progress.work("packed images", indices.len() as u64);
    let mut show = |done: usize| {
        work.at(done as u64, "");
        if place.interrupt.check().is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    match PackedPixels::open(&path, data.source.as_ref(), &indices, size, &mut show) {
        Ok((packed, Packing::AlreadyThere)) => {
            work.abandon();
            Ok(Arc::new(packed))
        }
        Ok((packed, outcome)) => {
            let why = match outcome {
                Packing::Replaced => "; the old file was of other images, or damaged",
                _ => "",
            };
            work.done(&format!(
                "{} images, {:.1} GB in {}{why}",
                packed.images(),
                packed.bytes() as f64 / 1e9,
                path.display()
            ));
            Ok(Arc::new(packed))
        }
        Err(error) => {
            work.abandon();
            place.interrupt.check()?;
            Err(Error::Request(format!(
                "{}. `--set data.packed_cache=false` does without packed images",
                crate::error::describe(&error)
            )))
        }
    }
}
