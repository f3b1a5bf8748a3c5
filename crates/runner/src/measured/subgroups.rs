//! Errors and energies of one attribute within another one's classes: where a classifier fails whom both are rare for.
//!
//! A group is the images of one class of an attribute and of one class of another: minority x minority, and so on. Groups are ranked by how
//! far the lower end of their error's interval is above the error of the whole class: a class that is always decided wrongly has no worse
//! group, and a few unlucky images are none. A group that was picked from thousands as the worst looks worse than it is: other images
//! should confirm it.

use metrics::{Class, Interval, MIN_SAMPLES, Ratios, rate_interval};
use rayon::prelude::*;

use super::sample::Scored;
use crate::error::Result;

/// What a classifier does with an attribute in one group of images.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroup {
    /// Position of the classifier.
    pub classifier: usize,
    /// Position of the attribute that is decided.
    pub attribute: usize,
    /// Whether the images are of that attribute's minority class.
    pub minority: bool,
    /// Position of the other attribute.
    pub within: usize,
    /// Whether the images are of the other attribute's minority class.
    pub within_minority: bool,
    /// Number of images.
    pub n: usize,
    /// Part of them that is decided wrongly.
    pub error: f64,
    /// Its interval over people.
    pub interval: Interval,
    /// The error of the attribute's whole class.
    pub class_error: f64,
    /// Mean energy of their maps of the attribute; a map without positive value takes no part. Absent without any.
    pub energy: Option<f64>,
    /// Its interval over people.
    pub energy_interval: Option<Interval>,
}

/// The worst `most` groups of each classifier (all with `None`), worst first, of at least [`MIN_SAMPLES`] images. `minorities`: the rarer class of
/// each attribute.
///
/// # Errors
/// None that what was measured can cause.
pub(super) fn subgroups(scored: &[Scored], minorities: &[Class], most: Option<usize>) -> Result<Vec<Subgroup>> {
    if most == Some(0) {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for (classifier, one) in scored.iter().enumerate() {
        let attributes = 0..minorities.len();
        let mut found: Vec<(Subgroup, Vec<usize>)> = attributes
            .into_par_iter()
            .flat_map_iter(|attribute| of_attribute(one, classifier, attribute, minorities))
            .collect();
        let excess = |group: &Subgroup| group.interval.low - group.class_error;
        found.sort_by(|(a, _), (b, _)| {
            excess(b)
                .total_cmp(&excess(a))
                .then(b.error.total_cmp(&a.error))
                .then((a.attribute, a.within).cmp(&(b.attribute, b.within)))
        });
        found.truncate(most.unwrap_or(usize::MAX));
        for (mut group, images) in found {
            energy_of(&mut group, one, &images, minorities.len())?;
            all.push(group);
        }
    }
    Ok(all)
}

/// The groups of one attribute, with their images.
fn of_attribute(
    scored: &Scored,
    classifier: usize,
    attribute: usize,
    minorities: &[Class],
) -> Vec<(Subgroup, Vec<usize>)> {
    let width = minorities.len();
    let is_minority =
        |image: usize, attribute: usize| match (scored.labels[image * width + attribute], minorities[attribute]) {
            (0, _) => None,
            (label, Class::Positive) => Some(label > 0),
            (label, Class::Negative) => Some(label < 0),
        };
    let is_wrong = |image: usize| {
        let at = image * width + attribute;
        (scored.scores[at] >= 0.0) != (scored.labels[at] > 0)
    };
    let class_errors = [true, false].map(|minority| {
        let of_class = || (0..scored.images.len()).filter(|&image| is_minority(image, attribute) == Some(minority));
        let wrong = of_class().filter(|&image| is_wrong(image)).count();
        wrong as f64 / of_class().count().max(1) as f64
    });
    let mut groups = Vec::new();
    for within in (0..width).filter(|&within| within != attribute) {
        for (minority, within_minority) in [(true, true), (true, false), (false, true), (false, false)] {
            let images: Vec<usize> = (0..scored.images.len())
                .filter(|&image| {
                    is_minority(image, attribute) == Some(minority)
                        && is_minority(image, within) == Some(within_minority)
                })
                .collect();
            // A class that all are of makes no group.
            let whole = (0..scored.images.len()).filter(|&image| is_minority(image, attribute) == Some(minority));
            if images.len() < MIN_SAMPLES || images.len() == whole.count() {
                continue;
            }
            let mut by_person: Vec<(usize, u32, u32)> = Vec::new();
            for &image in &images {
                let person = scored.people.of_image(image).unwrap_or(image);
                by_person.push((person, u32::from(is_wrong(image)), 1));
            }
            by_person.sort_unstable_by_key(|(person, ..)| *person);
            by_person.dedup_by(|next, first| {
                let same = next.0 == first.0;
                if same {
                    first.1 += next.1;
                    first.2 += next.2;
                }
                same
            });
            let wrong = by_person.iter().map(|(_, wrong, _)| *wrong as usize).sum::<usize>();
            let Some(interval) = rate_interval(by_person.iter().map(|&(_, wrong, all)| (wrong, all))) else {
                continue;
            };
            groups.push((
                Subgroup {
                    classifier,
                    attribute,
                    minority,
                    within,
                    within_minority,
                    n: images.len(),
                    error: wrong as f64 / images.len() as f64,
                    interval,
                    class_error: class_errors[usize::from(!minority)],
                    energy: None,
                    energy_interval: None,
                },
                images,
            ));
        }
    }
    groups
}

fn energy_of(group: &mut Subgroup, scored: &Scored, images: &[usize], width: usize) -> Result<()> {
    let Some(maps) = &scored.maps else { return Ok(()) };
    let values: Vec<(usize, f64)> = images
        .iter()
        .filter_map(|&image| Some((image, f64::from(maps.energies[image * width + group.attribute]?))))
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    group.energy = Some(values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64);
    let mut ratios = Ratios::new(scored.people.clone());
    let cell = ratios.add_share(values)?;
    group.energy_interval = ratios.share_interval(cell);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::People;

    /// Two attributes, both rare; all of whom both are rare for are decided wrongly of the first, and nobody else.
    fn sample() -> Scored {
        let (mut labels, mut scores) = (Vec::new(), Vec::new());
        for image in 0..100 {
            let (first, second) = (image % 5 == 0, image % 2 == 0 && image % 3 == 0);
            labels.extend([if first { 1 } else { -1 }, if second { 1 } else { -1 }]);
            let wrong = first && second;
            scores.extend([
                if first == wrong { -0.5_f32 } else { 0.5 },
                if second { 0.5 } else { -0.5 },
            ]);
        }
        Scored {
            images: (0..100).map(|image| image.to_string()).collect(),
            people: People::each_image(100),
            labels,
            scores,
            maps: None,
        }
    }

    #[test]
    fn the_worst_group_is_whom_both_are_rare_for() {
        // 7 of the 0, 30, 60, 90 images... of both: too few are left out.
        let minorities = [Class::Positive, Class::Positive];
        let mut scored = sample();
        let found = subgroups(&[scored.clone()], &minorities, None).expect("groups");
        assert!(found.iter().all(|group| group.n >= MIN_SAMPLES));
        // Make the second less rare: every even image.
        for image in 0..100 {
            scored.labels[2 * image + 1] = if image % 2 == 0 { 1 } else { -1 };
            let both = image % 10 == 0;
            scored.scores[2 * image] = if (image % 5 == 0) == both { -0.5 } else { 0.5 };
        }
        let found = subgroups(&[scored.clone()], &minorities, Some(1)).expect("groups");
        let [worst] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (worst.attribute, worst.minority, worst.within, worst.within_minority),
            (0, true, 1, true)
        );
        assert_eq!((worst.n, worst.error), (10, 1.0));
        assert!(worst.interval.low > 0.5 && worst.energy.is_none());
        assert!(subgroups(&[scored], &minorities, Some(0)).expect("none").is_empty());
    }
}
