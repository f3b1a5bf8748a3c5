//! CelebA's text files.
#![no_main]

use dataset::{parse_identities, parse_labels, parse_landmarks, parse_partition};
use fuzz::{begin, bounded, stays_inside};
use libfuzzer_sys::fuzz_target;

const FIRST: [&str; 4] = [
    "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg 1 1\n",
    "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 8692\n",
    "2\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n\
     000001.jpg 69 109 106 113 77 142 73 152 108 154\n000002.jpg 69 110 107 112 81 135 70 151 108 153\n",
];

fuzz_target!(init: begin(|| FIRST.map(Vec::from).to_vec()), |bytes: &[u8]| {
    bounded(|| {
        if let Ok(table) = parse_labels("file", bytes) {
            assert_eq!(table.labels.len(), table.names.len() * table.attributes.len());
            assert!(table.names.iter().all(|name| stays_inside(name)));
        }
        if let Ok(rows) = parse_partition("file", bytes) {
            assert!(rows.rows().iter().all(|(name, _)| stays_inside(name)));
        }
        if let Ok(rows) = parse_identities("file", bytes) {
            assert!(rows.rows().iter().all(|(name, _)| stays_inside(name)));
        }
        if let Ok(rows) = parse_landmarks("file", bytes) {
            assert!(rows.rows().iter().all(|(name, face)| stays_inside(name) && face.nose[0].is_finite()));
        }
    });
});
