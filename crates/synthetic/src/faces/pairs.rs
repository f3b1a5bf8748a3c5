//! The counterfactuals of a data set's faces, written beside them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dataset::Attributes;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder};
use rayon::prelude::*;

use super::attribute::{ATTRIBUTES, Attribute};
use super::config::Config;
use super::encoded::encoded;
use super::face::FacePlan;
use super::form::Toggled;
use super::store::{Annotated, Drawn, Store, name};
use crate::counterfactual::difference;
use crate::folder::{Progress, cannot_write, put};
use crate::{Error, Result};

/// The table of pairs.
pub const PAIRS: &str = "pairs.csv";
/// The table of pairs that are not there.
pub const LEFT_OUT: &str = "left_out.csv";
/// The folder of the masks of pixels that differ.
pub const DIFFERENCES: &str = "differences";

/// Faces whose counterfactuals are in memory together.
const TOGETHER: usize = 16;

/// A face and one of its counterfactuals.
struct Pair {
    attribute: Attribute,
    picture: Drawn,
    mask: Vec<u8>,
    differing: usize,
}

/// A toggle that would change another cue too: the face, the attribute, and those whose cues go or come with it.
type LeftOut = (usize, Attribute, Vec<Attribute>);

/// Adds the counterfactuals of all faces behind the last of them: images, masks, annotations of the face that they are made of (its person,
/// its landmarks, its split) with the toggled label, and the tables of pairs.
pub(super) fn add(
    folder: &Path,
    config: &Config,
    toggled: Toggled,
    store: &mut Store,
    rows: &mut Vec<Annotated>,
    progress: &Progress<'_>,
) -> Result<()> {
    let differences = folder.join(DIFFERENCES);
    fs::create_dir_all(&differences).map_err(cannot_write(&differences))?;
    let names = Attributes::celeba();
    let mut table = "image,counterfactual,attribute,label,counterfactual_label,differing_pixels\n".to_owned();
    let mut not_there = "image,attribute,changes_too\n".to_owned();
    let mut next = config.images;
    for start in (0..config.images).step_by(TOGETHER) {
        let faces = start..(start + TOGETHER).min(config.images);
        let drawn: Vec<(Vec<Pair>, Vec<LeftOut>)> = faces
            .clone()
            .into_par_iter()
            .map(|face| pairs(config.seed, face, toggled))
            .collect::<Result<_>>()?;
        for (face, (pairs, left_out)) in faces.zip(drawn) {
            for pair in pairs {
                if next >= super::config::MOST {
                    return Err(Error::Invalid {
                        what: "procedural faces with counterfactuals".to_owned(),
                        found: format!("more than {} images", super::config::MOST),
                        expected: "fewer faces, or fewer attributes that are toggled".to_owned(),
                    });
                }
                store.put_further(next, &pair.picture)?;
                put(&differences.join(name(next, "png")), &pair.mask)?;
                let label = -pair.picture.labels[pair.attribute as usize];
                // Writing to a string cannot fail.
                let _ = writeln!(
                    table,
                    "{},{},{},{label},{},{}",
                    name(face, "jpg"),
                    name(next, "jpg"),
                    names.name(pair.attribute as usize),
                    -label,
                    pair.differing
                );
                rows.push(Annotated {
                    labels: pair.picture.labels,
                    landmarks: pair.picture.landmarks,
                    face,
                });
                next += 1;
            }
            for (face, attribute, others) in left_out {
                let others: Vec<&str> = others.iter().map(|&other| names.name(other as usize)).collect();
                let _ = writeln!(
                    not_there,
                    "{},{},{}",
                    name(face, "jpg"),
                    names.name(attribute as usize),
                    others.join(" ")
                );
            }
            if progress(next).is_break() {
                return Err(Error::Stopped);
            }
        }
    }
    put(&folder.join(PAIRS), table.as_bytes())?;
    put(&folder.join(LEFT_OUT), not_there.as_bytes())
}

/// A face's counterfactuals, and those that are not there.
fn pairs(seed: u64, face: usize, toggled: Toggled) -> Result<(Vec<Pair>, Vec<LeftOut>)> {
    let plan = FacePlan::new(seed, face as u64);
    let drawn = plan.draw();
    let (mut pairs, mut left_out) = (Vec::new(), Vec::new());
    for attribute in (0..ATTRIBUTES)
        .filter_map(Attribute::at)
        .filter(|&one| toggled.has(one))
    {
        let hidden: Vec<Attribute> = plan.hidden_with(attribute).collect();
        if !hidden.is_empty() {
            left_out.push((face, attribute, hidden));
            continue;
        }
        let other = plan.toggled(attribute).draw();
        let differs = difference(&drawn.image, &other.image);
        pairs.push(Pair {
            attribute,
            differing: differs.iter().filter(|&&value| value > 0).count(),
            mask: png(&differs, face)?,
            picture: Drawn {
                jpeg: encoded(&other.image, face)?,
                masks: other.masks.to_png(name(face, "png").as_ref())?,
                labels: other.labels,
                // Aligned by its own landmarks, the whole picture would move with a smile.
                landmarks: drawn.landmarks,
            },
        });
    }
    Ok((pairs, left_out))
}

fn png(mask: &GrayImage, face: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(mask.as_raw(), mask.width(), mask.height(), ExtendedColorType::L8)
        .map_err(|source| Error::Encode {
            path: name(face, "png").into(),
            source,
        })?;
    Ok(bytes)
}
