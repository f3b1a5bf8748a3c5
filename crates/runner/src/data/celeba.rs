//! CelebA, in whichever form it is there.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dataset::{CelebaFolder, CelebaParquet, Source};

use crate::error::{Error, Result};
use pipeline::{Interrupt, Progress};

/// What is said where the frontal filter is asked for and cannot work.
pub const NO_LANDMARKS: &str = "data                     no landmarks: the frontal filter cannot run, so results are on all test images, unlike the \
    paper's; faces stand where CelebA's own alignment puts them. list_landmarks_align_celeba.txt (10 MB, with CelebA's official \
    files) in the data folder gives both";

/// Opens the official files where their images are there, else the hub's Parquet files.
///
/// # Errors
/// Those of either.
pub fn open(folder: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<Arc<dyn Source>> {
    if CelebaFolder::has_images(folder) || !CelebaParquet::is_in(folder) {
        return Ok(Arc::new(CelebaFolder::open(folder)?));
    }
    let work = Mutex::new(None);
    let show = |done: u64, total: u64| {
        // A poisoned lock only means that showing progress failed once.
        if let Ok(mut work) = work.lock() {
            work.get_or_insert_with(|| progress.work("indexing the shards", total))
                .at(done, "");
        }
        if interrupt.check().is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let opened = CelebaParquet::open(folder, &show);
    if let Ok(Some(work)) = work.into_inner() {
        match &opened {
            Ok(data) => work.done(&format!("{} images; done once", data.annotations().len())),
            Err(_) => work.abandon(),
        }
    }
    match opened {
        Ok(data) => Ok(Arc::new(data)),
        Err(error) => {
            interrupt.check()?;
            let text = crate::error::describe(&error);
            let mended = "fetches what is missing or damaged";
            Err(Error::Request(format!(
                "{text}. `biascam data fetch celeba --out {}` {mended}",
                folder.display()
            )))
        }
    }
}

/// What a person hears who has no CelebA in `folder`.
pub fn missing(folder: &Path) -> Option<String> {
    let labels = [folder.join("Anno"), folder.to_owned()].map(|place| place.join("list_attr_celeba.txt").exists());
    if labels.contains(&true) || CelebaFolder::has_images(folder) || CelebaParquet::is_in(folder) {
        return None;
    }
    let folder = folder.display();
    Some(format!(
        "{folder}: CelebA is not there. It may not be redistributed; either get img_align_celeba.zip and the annotation files \
         (about 1.4 GB) from its authors' page, mmlab.ie.cuhk.edu.hk/projects/CelebA.html, into this folder (the zip is read as it \
         is), or `biascam data fetch celeba --out {folder}` (11.7 GB from the Hugging Face hub, without the landmarks that the frontal filter needs); \
         --data or data.folder name another place. Without CelebA, `biascam reproduce` runs on procedural faces"
    ))
}
