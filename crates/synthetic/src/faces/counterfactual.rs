//! Faces drawn a second time with one attribute toggled.

use image::GrayImage;

use super::attribute::Attribute;
use super::encoded::encoded;
use super::face::FacePlan;
use crate::Result;
use crate::counterfactual::{Counterfactual, difference};

impl FacePlan {
    /// Whether toggling the attribute changes what the picture shows of this attribute alone: `false` where it would hide or bare the cue
    /// of another one that the face has (see [`Attribute::hides`]). Toggling Bald on a face with black hair changes both.
    pub fn can_toggle_alone(&self, attribute: Attribute) -> bool {
        self.hidden_with(attribute).next().is_none()
    }

    /// The attributes that the face has and whose cues go or come with this one.
    pub fn hidden_with(&self, attribute: Attribute) -> impl Iterator<Item = Attribute> + '_ {
        attribute.changes_too(&self.labels)
    }
}

impl Attribute {
    /// The attributes that a face with these labels has and whose cues go or come when this one is toggled.
    pub fn changes_too(self, labels: &[i8]) -> impl Iterator<Item = Self> + '_ {
        let hidden = self.hides().iter().copied();
        hidden.filter(|&other| labels.get(other as usize).is_some_and(|&label| label > 0))
    }
}

/// The face `index` of the data set with this seed, drawn with the attribute toggled; `None` where the attribute cannot be toggled alone.
///
/// # Errors
/// When it cannot be encoded.
pub fn counterfactual(seed: u64, index: u64, attribute: Attribute) -> Result<Option<Counterfactual>> {
    let plan = FacePlan::new(seed, index);
    if !plan.can_toggle_alone(attribute) {
        return Ok(None);
    }
    Ok(Some(Counterfactual {
        bytes: encoded(&plan.toggled(attribute).draw().image, index as usize)?,
        label: plan.labels[attribute as usize],
    }))
}

/// The face `index` of the data set with this seed in a picture with other noise of the sensor, as the bytes of a file.
///
/// # Errors
/// When it cannot be encoded.
pub fn with_other_noise(seed: u64, index: u64, number: u64) -> Result<Vec<u8>> {
    encoded(
        &FacePlan::new(seed, index).with_other_noise(number).draw().image,
        index as usize,
    )
}

/// Where the face `index` and the same with the attribute toggled differ, `[218, 178]`: 255 there, 0 elsewhere. It is what was drawn that is
/// compared: the files' JPEG compression spreads a difference over blocks of 16 x 16 pixels, by little.
pub fn difference_mask(seed: u64, index: u64, attribute: Attribute) -> GrayImage {
    let plan = FacePlan::new(seed, index);
    difference(&plan.draw().image, &plan.toggled(attribute).draw().image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::Traits;

    #[test]
    fn the_counterfactual_of_a_counterfactual_is_the_face() {
        for attribute in Attribute::ALL {
            let plan = FacePlan::new(3, attribute as u64);
            let toggled = plan.toggled(attribute);
            let changed: Vec<usize> = (0..Attribute::ALL.len())
                .filter(|&other| plan.labels[other] != toggled.labels[other])
                .collect();
            assert_eq!(changed, [attribute as usize]);
            for other in Attribute::ALL {
                let moved = (toggled.traits.value(other) - plan.traits.value(other)).abs();
                let expected = if other == attribute {
                    2.0 * Traits::mean(other)
                } else {
                    0.0
                };
                assert!((moved - expected).abs() < 1e-5, "{other:?} of {attribute:?}");
            }
            // Taking and adding the same number rounds a trait, which moves an edge's grey by a step here and there.
            let (again, face) = (toggled.toggled(attribute).draw(), plan.draw());
            assert_eq!(again.labels, face.labels);
            let most = again
                .image
                .iter()
                .zip(face.image.iter())
                .map(|(a, b)| a.abs_diff(*b))
                .max();
            assert!(most <= Some(1), "{attribute:?} {most:?}");
        }
    }

    /// Away from the attribute's site a pixel is what it was: background, light and noise are those of the face. A hat's shadow ends 5 pixels
    /// below its brim, and the picture's blur reaches 2.6 deviations of at most 1.6 pixels; the site's grid is half as fine.
    #[test]
    fn pixels_away_from_the_cue_are_the_same() {
        let away = |attribute: Attribute, index: u64| {
            let plan = FacePlan::new(8, index);
            let (face, toggled) = (plan.draw(), plan.toggled(attribute).draw());
            let differs = difference(&face.image, &toggled.image);
            let near = |x: u32, y: u32| {
                let reach = 5_i64;
                (-reach..=reach).any(|dy| {
                    (-reach..=reach).any(|dx| {
                        let (x, y) = (i64::from(x / 2) + dx, i64::from(y / 2) + dy);
                        let masks = [&face.masks, &toggled.masks];
                        let inside = (0..i64::from(face.masks.width())).contains(&x)
                            && (0..i64::from(face.masks.height())).contains(&y);
                        inside
                            && masks
                                .iter()
                                .any(|one| one.contains(attribute as usize, x as u32, y as u32))
                    })
                })
            };
            let all = differs.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 0);
            let (mut beyond, mut count) = (0_u32, 0_u32);
            for (x, y, _) in all {
                count += 1;
                beyond += u32::from(!near(x, y));
            }
            (beyond, count)
        };
        for attribute in [
            Attribute::Eyeglasses,
            Attribute::WearingHat,
            Attribute::WearingEarrings,
            Attribute::Bangs,
            Attribute::Mustache,
            Attribute::RosyCheeks,
        ] {
            for index in 0..4 {
                let (beyond, count) = away(attribute, index);
                assert!(count > 20, "{attribute:?} of face {index} changes {count} pixels");
                assert_eq!(
                    beyond, 0,
                    "{attribute:?} of face {index} changes pixels away from its site"
                );
            }
        }
    }

    #[test]
    fn a_pair_in_which_another_cue_goes_too_is_left_out() {
        let mut plan = FacePlan::new(1, 0);
        plan.labels = [-1; 40];
        assert!(plan.can_toggle_alone(Attribute::Bald));
        plan.labels[Attribute::BlackHair as usize] = 1;
        assert!(!plan.can_toggle_alone(Attribute::Bald));
        assert!(plan.can_toggle_alone(Attribute::Smiling));
    }

    #[test]
    fn other_noise_changes_every_part_of_the_picture_by_little() {
        let plan = FacePlan::new(5, 3);
        let face = plan.draw();
        let other = plan.with_other_noise(0).draw();
        assert_eq!((face.labels, &face.masks), (other.labels, &other.masks));
        let changes: Vec<f64> = face
            .image
            .iter()
            .zip(other.image.iter())
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .collect();
        let mean = changes.iter().sum::<f64>() / changes.len() as f64;
        assert!((0.5..8.0).contains(&mean), "{mean} grey levels");
        assert!(changes.iter().filter(|&&change| change > 0.0).count() * 2 > changes.len());
        assert_ne!(other.image, plan.with_other_noise(1).draw().image);
    }

    #[test]
    fn the_file_is_that_of_the_drawn_face() {
        let found = (0..20).find_map(|index| {
            let one = counterfactual(5, index, Attribute::Bald).unwrap();
            one.map(|one| (index, one))
        });
        let (index, one) = found.expect("a face without hair that hides");
        let plan = FacePlan::new(5, index);
        assert_eq!(one.label, plan.labels[Attribute::Bald as usize]);
        let drawn = plan.toggled(Attribute::Bald).draw().image;
        assert_eq!(one.bytes, encoded(&drawn, 0).unwrap());
        let mask = difference_mask(5, index, Attribute::Bald);
        assert_eq!(mask.dimensions(), drawn.dimensions());
        assert!(mask.iter().any(|&value| value > 0) && mask.contains(&0));
    }
}
