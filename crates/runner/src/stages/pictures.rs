//! The figures that show faces: average maps, and examples.

use std::collections::HashMap;

use dataset::Alignment;
use image::RgbImage;
use metrics::Class;

use super::maps::MapsFile;
use super::{DataSet, Predictions, explain};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::figures::data::{
    AverageCams, AveragePanel, AverageRow, ExampleCell, ExampleFace, ExamplePanel, Examples, Outline,
};
use crate::measured::Measured;
use crate::regions::{self, AttributeRegion};

/// Attributes shown with the example faces when the experiment names none.
const EXAMPLE_ATTRIBUTES: usize = 4;

fn outline(region: &AttributeRegion) -> Outline {
    Outline {
        side: region.grid.side(),
        inside: region.grid.cells().to_vec(),
    }
}

/// The average map of each attribute over the images predicted positive and negative.
///
/// # Errors
/// Those of the regions file.
pub fn average_cams(context: &Context, data: &DataSet, measured: &Measured, maps: &[MapsFile]) -> Result<AverageCams> {
    let regions = regions::load(&context.experiment.measure.regions, data.attributes())?;
    let rows = measured.attributes.iter().map(|attribute| {
        let index = data
            .attributes()
            .iter()
            .position(|name| *name == attribute.name)
            .unwrap_or_default();
        let panel = |classifier: usize, class: Class| {
            let (samples, face, map) = maps[classifier].average(index, class);
            AveragePanel {
                samples,
                energy: attribute.classifiers[classifier]
                    .energy(class)
                    .map(|statistics| statistics.mean),
                face: (samples > 0).then_some(face).flatten(),
                map: (samples > 0).then_some(map),
            }
        };
        AverageRow {
            attribute: attribute.name.clone(),
            outline: Some(outline(&regions[index])),
            panels: (0..measured.classifiers.len())
                .map(|classifier| Class::BOTH.map(|class| panel(classifier, class)))
                .collect(),
        }
    });
    Ok(AverageCams {
        classifiers: measured.classifiers.clone(),
        rows: rows.collect(),
    })
}

/// The attributes that the experiment names for the examples: positions in the data set's order.
///
/// # Errors
/// When one is unknown.
pub fn named_attributes(context: &Context, data: &DataSet) -> Result<Option<Vec<usize>>> {
    let Some(names) = &context.experiment.figures.example_attributes else {
        return Ok(None);
    };
    let known = &data.annotations().attributes;
    let position = |name: &String| {
        known.index(name).ok_or_else(|| Error::Experiment {
            place: "figures.example_attributes".to_owned(),
            message: format!("`{name}` is unknown; known: {}", known.names().join(", ")),
        })
    };
    names.iter().map(position).collect::<Result<_>>().map(Some)
}

/// Which attributes go with the example faces: those named, or else a few from common to rare.
fn example_attributes(context: &Context, data: &DataSet, measured: &Measured) -> Result<Vec<usize>> {
    if let Some(named) = named_attributes(context, data)? {
        return Ok(named);
    }
    let known = &data.annotations().attributes;
    let local: Vec<usize> = measured
        .attributes
        .iter()
        .filter(|attribute| attribute.local)
        .filter_map(|attribute| known.index(&attribute.name))
        .collect();
    let count = EXAMPLE_ATTRIBUTES.min(local.len());
    Ok((0..count).map(|i| local[i * local.len() / count]).collect())
}

/// Some test images with the maps of some attributes; none when the experiment wants none.
///
/// # Errors
/// Those of reading results and images, and of an unknown attribute.
pub fn examples(context: &Context, data: &DataSet, measured: &Measured, maps: &[MapsFile]) -> Result<Option<Examples>> {
    let indices = explain::example_images(data, &context.experiment);
    let attributes = example_attributes(context, data, measured)?;
    if indices.is_empty() || attributes.is_empty() {
        return Ok(None);
    }
    let size = context.experiment.data.image_size;
    let regions = regions::load(&context.experiment.measure.regions, data.attributes())?;
    let predictions: Vec<Predictions> = measured
        .classifiers
        .iter()
        .map(|name| Predictions::read(context, name))
        .collect::<Result<_>>()?;
    let row_of: HashMap<usize, usize> = data.test.iter().enumerate().map(|(row, &index)| (index, row)).collect();
    let width = data.attributes().len();
    let faces = indices.iter().map(|index| {
        let row = row_of[index];
        let cell = |&attribute: &usize| -> Result<ExampleCell> {
            let panel = |classifier: usize| -> Result<ExamplePanel> {
                let map = maps[classifier].example(*index, attribute)?;
                let map = map.unwrap_or_else(|| vec![0.0; size * size]);
                let region = regions[attribute].grid.region(size);
                Ok(ExamplePanel {
                    score: predictions[classifier].scores[row * width + attribute],
                    energy: metrics::proportional_energy(&map, &region)?,
                    map,
                })
            };
            Ok(ExampleCell {
                label: predictions[0].labels[row * width + attribute],
                panels: (0..maps.len()).map(panel).collect::<Result<_>>()?,
            })
        };
        Ok(ExampleFace {
            name: data.annotations().names[*index].clone(),
            image: aligned(data, *index, size)?,
            cells: attributes.iter().map(cell).collect::<Result<_>>()?,
        })
    });
    Ok(Some(Examples {
        classifiers: measured.classifiers.clone(),
        attributes: attributes
            .iter()
            .map(|&i| (data.attributes()[i].clone(), Some(outline(&regions[i]))))
            .collect(),
        faces: faces.collect::<Result<_>>()?,
    }))
}

/// A test image, aligned as the network sees it.
fn aligned(data: &DataSet, index: usize, size: usize) -> Result<RgbImage> {
    let image = data.source.image(index)?;
    let landmarks = data.annotations().landmarks.as_deref().map(|all| &all[index]);
    let transform = Alignment { size }.transform(landmarks, image.dimensions())?;
    let mut pixels = vec![0.0; size * size * 3];
    dataset::warp_into(&image, &transform, size, &mut pixels);
    Ok(cam::picture(&pixels, size)?)
}
