//! CelebA's official files.

mod folder;
mod frontal;
mod text_files;

pub use folder::CelebaFolder;
pub(super) use folder::{ALIGNED_LANDMARKS, IDENTITIES, LABELS, check_aligned, sample_sizes};
pub use frontal::{FRONTAL_THRESHOLD, frontal_names, is_frontal};
pub use text_files::{LabelTable, Rows, parse_identities, parse_labels, parse_landmarks, parse_partition};
pub(super) use text_files::{attribute_names, begins_with_a_count};
