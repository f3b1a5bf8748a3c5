//! Where data sets are, and whom opening one concerns.

use std::path::{Path, PathBuf};

use synthetic::{faces, shapes};

use crate::experiment::{DataSettings, DataSource, is_path};
use pipeline::{Interrupt, Progress};

/// Where data sets are, and whom opening one concerns.
pub struct Place<'a> {
    /// Where all data sets are.
    pub root: &'a Path,
    /// Where progress is shown.
    pub progress: &'a Progress,
    /// Whether the run should stop.
    pub interrupt: &'a Interrupt,
}

/// The data set's folder, for data sets below `root`.
pub fn folder(data: &DataSettings, root: &Path) -> PathBuf {
    match &data.folder {
        Some(folder) if is_path(folder) => folder.clone(),
        _ => root.join(folder_name(data)),
    }
}

/// The data set's folder below the data root.
fn folder_name(data: &DataSettings) -> PathBuf {
    data.folder.clone().unwrap_or_else(|| match data.source {
        DataSource::Celeba => "celeba".into(),
        DataSource::Table => match data.table.as_ref().and_then(|table| table.shapes) {
            Some(shapes) => format!(
                "shapes-v{}-{}-seed{}",
                shapes::GENERATOR_VERSION,
                shapes.images,
                shapes.seed
            )
            .into(),
            None => PathBuf::new(),
        },
        DataSource::Procedural => {
            let faces = &data.procedural;
            let (version, seed) = (faces::GENERATOR_VERSION, faces.seed);
            format!(
                "procedural-v{version}-{}-{}-{}-seed{seed}",
                faces.train, faces.validation, faces.test
            )
            .into()
        }
    })
}
