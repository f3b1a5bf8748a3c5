use std::path::Path;

use super::text_files::parse_landmarks;
use crate::files::read;
use crate::{Landmarks, Result};

/// The threshold of the paper's evaluation.
pub const FRONTAL_THRESHOLD: f32 = 0.1;

/// Whether a face looks into the camera: with e the middle of the eyes, m the middle of the mouth and n the tip of the
/// nose, whether `distance(n, line through e and m) / (m_y - e_y) <= threshold`.
///
/// With [`FRONTAL_THRESHOLD`] it selects exactly the images of the authors' published lists. A mouth level with the eyes
/// or above them is never frontal.
pub fn is_frontal(landmarks: &Landmarks, threshold: f32) -> bool {
    let (e, m) = (landmarks.eye_middle(), landmarks.mouth_middle());
    let n = landmarks.nose.map(f64::from);
    let (dx, dy) = (m[0] - e[0], m[1] - e[1]);
    if dy <= 0.0 {
        return false;
    }
    let distance = (dx * (n[1] - e[1]) - dy * (n[0] - e[0])).abs() / dx.hypot(dy);
    distance / dy <= f64::from(threshold)
}

/// The names in a landmarks file, in its order, whose faces are [frontal](is_frontal).
///
/// # Errors
/// When the file cannot be read or breaks its format ([`parse_landmarks`]).
pub fn frontal_names(landmarks: &Path, threshold: f32) -> Result<Vec<String>> {
    let rows = parse_landmarks(&landmarks.display().to_string(), &read(landmarks)?)?;
    let frontal = rows
        .rows()
        .iter()
        .filter(|(_, landmarks)| is_frontal(landmarks, threshold));
    Ok(frontal.map(|(name, _)| name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eyes at height 0, mouth at height 10, both around x = 5; the nose where asked.
    fn face(nose: [f32; 2]) -> Landmarks {
        Landmarks::from_row([0.0, 0.0, 10.0, 0.0, nose[0], nose[1], 2.0, 10.0, 8.0, 10.0])
    }

    #[test]
    fn the_nose_may_leave_the_middle_by_the_threshold() {
        assert!(is_frontal(&face([5.0, 6.0]), 0.0));
        assert!(is_frontal(&face([5.9, 2.0]), 0.1));
        assert!(is_frontal(&face([4.1, 90.0]), 0.1));
        assert!(!is_frontal(&face([6.1, 6.0]), 0.1));
        assert!(!is_frontal(&face([3.9, 6.0]), 0.1));
    }

    #[test]
    fn a_face_upside_down_is_not_frontal() {
        let row = [0.0, 10.0, 10.0, 10.0, 5.0, 5.0, 2.0, 0.0, 8.0, 0.0];
        assert!(!is_frontal(&Landmarks::from_row(row), 100.0));
    }

    #[test]
    fn the_authors_validation_list_comes_out_exactly() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/celeba"));
        let Ok(published) = std::fs::read_to_string(folder.join("frontal_validation_0.1.txt")) else {
            eprintln!("skipped: {} is absent", folder.display());
            return;
        };
        let landmarks = folder.join("list_landmarks_align_celeba_validation.txt");
        let ours = frontal_names(&landmarks, FRONTAL_THRESHOLD).unwrap();
        // The authors' list names their aligned images, which are PNG.
        let ours: Vec<String> = ours.iter().map(|name| name.replace(".jpg", ".png")).collect();
        let published: Vec<&str> = published.lines().collect();
        assert_eq!(published.len(), 10_539);
        assert_eq!(ours, published);
    }
}
