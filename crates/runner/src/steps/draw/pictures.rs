//! The figures that show faces: average maps, and examples.

use cam::PostProcessing;
use image::RgbImage;
use metrics::Class;

use super::locality_pictures::LocalityPictures;
use crate::error::Result;
use crate::measured::{DataFacts, Measured, of_last_layer};
use crate::recorded::Recorded;
use crate::regions;
use crate::steps::examples::{Chosen, WAYS};
use crate::steps::explain::MapsFile;
use render::Outline;
use render::figures::{
    AverageCams, AveragePanel, AverageRow, ExampleCell, ExamplePanel, ExampleRow, ExamplesFigure, LocalityFigure,
    LocalityPanel,
};

/// The average map of each attribute over the images predicted positive and negative.
///
/// # Errors
/// Those of the maps' files and of the regions file.
pub fn average_cams(recorded: &Recorded<'_>, facts: &DataFacts, measured: &Measured) -> Result<AverageCams> {
    let maps: Vec<MapsFile> = measured
        .classifiers
        .iter()
        .map(|name| MapsFile::read(recorded, name, facts.attributes.len()))
        .collect::<Result<_>>()?;
    let regions = regions::load(recorded.experiment, &facts.attributes)?;
    let rows = measured.attributes.iter().filter_map(|attribute| {
        let index = facts.position(&attribute.name)?;
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
        Some(AverageRow {
            attribute: attribute.name.clone(),
            outline: regions.outline(index),
            panels: (0..measured.classifiers.len())
                .map(|classifier| Class::BOTH.map(|class| panel(classifier, class)))
                .collect(),
        })
    });
    Ok(AverageCams {
        classifiers: measured.classifiers.clone(),
        rows: rows.collect(),
    })
}

/// The influence on each cell of the maps, over the first image on which it was found; `None` where it was not looked for.
///
/// # Errors
/// Those of the classifiers' files.
pub fn locality(recorded: &Recorded<'_>, measured: &Measured) -> Result<Option<LocalityFigure>> {
    let mut panels = Vec::new();
    let mut first: Option<(RgbImage, String)> = None;
    for (classifier, found) in measured.classifiers.iter().zip(&measured.locality) {
        let Some(found) = found else { continue };
        let pictures = LocalityPictures::read(recorded, classifier)?;
        let words = of_last_layer(found, pictures.influence).map(|one| {
            format!(
                "{:.2} in the own square ({:.2} of the image), {:.2} with its neighbours ({:.2})",
                one.shares[0], one.areas[0], one.shares[1], one.areas[1]
            )
        });
        first.get_or_insert_with(|| (pictures.image.clone(), pictures.in_words().to_owned()));
        panels.push(LocalityPanel {
            classifier: classifier.clone(),
            words: words.unwrap_or_default(),
            columns: pictures.columns(),
            cells: pictures.cells(),
        });
    }
    Ok(first.map(|(image, influence)| LocalityFigure {
        image,
        influence,
        panels,
    }))
}

/// The chosen images with their maps; none when the experiment wants none.
///
/// # Errors
/// Those of the chosen images' files and of the regions file.
pub fn examples(recorded: &Recorded<'_>, facts: &DataFacts, classifiers: &[String]) -> Result<Option<ExamplesFigure>> {
    let each = recorded.experiment.figures.examples;
    if each == 0 {
        return Ok(None);
    }
    let chosen = Chosen::read(recorded.folder, classifiers)?;
    let config = recorded.experiment.explain.config();
    let regions = regions::load(recorded.experiment, &facts.attributes)?;
    let (_, height, width) = chosen.shape;
    let size = chosen.size;
    if chosen.faces.is_empty() {
        return Ok(None);
    }
    let post_processing = PostProcessing::new(config.method, config.resize, [height, width], size)?;
    let cell = |row: usize, chosen_by: &'static str| {
        let pixels = chosen.faces[row * size * size * 3..(row + 1) * size * size * 3].to_vec();
        let image = RgbImage::from_raw(size as u32, size as u32, pixels)?;
        let panel = |classifier: usize| {
            let mut map = vec![0.0; size * size];
            post_processing.finalise(chosen.map(row, classifier), &mut map);
            ExamplePanel {
                score: chosen.scores[classifier][row],
                energy: chosen.energies[classifier][row],
                map,
            }
        };
        let own = chosen.regions.as_ref().and_then(|all| {
            let inside: Vec<bool> = all[row * size * size..][..size * size]
                .iter()
                .map(|&cell| cell == 1)
                .collect();
            let partial = inside.contains(&true) && inside.contains(&false);
            partial.then_some(Outline { side: size, inside })
        });
        Some(ExampleCell {
            outline: own.or_else(|| {
                let index = facts.position(&chosen.attributes[row])?;
                regions.outline(index)
            }),
            chosen: chosen_by,
            name: chosen.images[row].clone(),
            image,
            label: chosen.labels[row],
            panels: (0..classifiers.len()).map(panel).collect(),
        })
    };
    let mut names: Vec<&String> = chosen.attributes.iter().collect();
    names.dedup();
    let rows = names.into_iter().map(|name| {
        let of = |way: &'static str| {
            let rows = chosen.attributes.iter().zip(&chosen.ways).enumerate();
            let mut rows = rows.filter(move |(_, (attribute, found))| *attribute == name && *found == way);
            let mut next = move || rows.next().map(|(row, _)| row);
            (0..each).map(move |_| next()).collect::<Vec<_>>()
        };
        let cells = WAYS.into_iter().flat_map(|way| {
            let cell = &cell;
            of(way).into_iter().map(move |row| row.and_then(|row| cell(row, way)))
        });
        ExampleRow {
            attribute: name.clone(),
            cells: cells.collect(),
        }
    });
    let rows: Vec<ExampleRow> = rows.collect();
    Ok((!rows.is_empty()).then(|| ExamplesFigure {
        classifiers: classifiers.to_vec(),
        rows,
    }))
}
