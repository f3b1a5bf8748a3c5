//! Zip archives of images, beside CelebA's text files and below a table.
#![no_main]

use dataset::{CelebaFolder, Source};
use fuzz::{Folder, begin, bounded};
use libfuzzer_sys::fuzz_target;

const LABELS: &str = "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg 1 1\n";
const PARTITION: &str = "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n";

fuzz_target!(init: begin(Vec::new), |bytes: &[u8]| {
    let folder = Folder::new();
    folder.write("list_attr_celeba.txt", LABELS);
    folder.write("list_eval_partition.txt", PARTITION);
    folder.write("img_align_celeba.zip", bytes);
    bounded(|| {
        if let Ok(faces) = CelebaFolder::open(folder.path()) {
            for index in 0..3 {
                let _ = (faces.image(index), faces.image_size(index));
            }
            let _ = (faces.fingerprint(), faces.contents());
        }
    });
});
