//! Tables of labels and of scores, which are text or Parquet.

use std::fs;
use std::path::Path;

use dataset::{Fit, Shares, Source, TableConfig, TableFolder, TableSplit};
use runner::commands::scored::{Judging, Scored};

use crate::{Folder, bounded};

/// Opens a data set that is this table, and looks for its images and regions.
pub fn open_table(name: &str, bytes: &[u8], change: impl FnOnce(&mut TableConfig)) {
    let folder = Folder::new();
    let file = folder.write(name, bytes);
    let images = folder.path().join("images");
    fs::create_dir(&images).expect("a folder");
    let mut config = TableConfig {
        file,
        images,
        image_column: "image".to_owned(),
        attributes: None,
        group_column: None,
        split: TableSplit::Stratified(Shares::default()),
        resize: Fit::Crop,
        landmarks: None,
        masks: None,
        boxes: None,
    };
    change(&mut config);
    bounded(|| {
        let Ok(table) = TableFolder::open(&config) else {
            return;
        };
        let annotations = table.annotations();
        let (images, attributes) = (annotations.names.len(), annotations.attributes.len());
        assert_eq!(annotations.labels.len(), images * attributes);
        assert_eq!(annotations.splits.len(), images);
        for (index, name) in annotations.names.iter().enumerate() {
            let climbs = name.split('/').any(|part| part == "..");
            assert!(
                !climbs && !Path::new(name).is_absolute() && !name.contains(['\0', '\\', ':']),
                "{name:?}"
            );
            let _ = (table.image(index), table.masks(index));
        }
    });
}

const LABELS: &str = "3\nA B\n1.jpg 1 -1\n2.jpg -1 1\n3.jpg 1 0\n";

/// Reads scores beside labels of three images.
pub fn read_scores(name: &str, bytes: &[u8]) {
    let folder = Folder::new();
    let scores = folder.write(name, bytes);
    let labels = folder.write("labels.txt", LABELS);
    let judging = Judging {
        labels: &labels,
        image_column: None,
        images: None,
        // Without one, standard error hears of scores that look like probabilities.
        threshold: Some(0.5),
    };
    if let Ok(scored) = bounded(|| Scored::read(&scores, judging)) {
        for attribute in &scored.attributes {
            assert_eq!(attribute.scores.len(), scored.images.len());
            assert_eq!(attribute.labels.len(), scored.images.len());
            assert!(attribute.scores.iter().all(|score| !score.is_nan()));
        }
    }
}
