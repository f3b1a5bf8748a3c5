//! How local the cells of a classifier's layers are: `locality.parquet`, summed up.

use pipeline::ReadTable;

use crate::artefacts;
use crate::error::Result;
use crate::recorded::Recorded;

/// Shares of the influence on the cells of a layer, means over cells.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerLocality {
    /// The layer.
    pub layer: String,
    /// How the influence was found: `gradient`, `occlusion` or `fame`.
    pub influence: String,
    /// In a cell's own square, and in it with its neighbours.
    pub shares: [f64; 2],
    /// The shares of the image that these are: what a cell that depends on all pixels alike would have.
    pub areas: [f64; 2],
    /// Number of cells.
    pub cells: usize,
    /// Whether the run's maps are made of this layer's cells.
    pub has_maps: bool,
}

/// Those of one classifier, in the order of the layers; `None` where the experiment does not want them, or nothing is recorded to have made
/// them.
///
/// # Errors
/// When the file is damaged.
pub fn read(recorded: &Recorded<'_>, classifier: &str) -> Result<Option<Vec<LayerLocality>>> {
    let [file, _] = artefacts::locality(classifier);
    if !recorded.experiment.wants_locality(classifier) || !recorded.has(&file) {
        return Ok(None);
    }
    let table = ReadTable::parquet(&recorded.folder.join(file))?;
    let (mut layers, influences) = (table.texts("layer")?, table.texts("influence")?);
    let [own, grown, own_area, grown_area] = ["own", "grown", "own_area", "grown_area"].map(|name| table.doubles(name));
    let columns = [own?, grown?, own_area?, grown_area?];
    let mut found: Vec<LayerLocality> = Vec::new();
    for row in 0..layers.len() {
        let known = found
            .last_mut()
            .filter(|one| one.layer == layers[row] && one.influence == influences[row]);
        // A cell without influence has no share, and its area does not count either.
        let values: Option<Vec<f64>> = columns.iter().map(|column| column[row]).collect();
        let one = match known {
            Some(one) => one,
            None => {
                found.push(LayerLocality {
                    layer: layers[row].clone(),
                    influence: influences[row].clone(),
                    shares: [0.0; 2],
                    areas: [0.0; 2],
                    cells: 0,
                    has_maps: false,
                });
                // Just pushed.
                let Some(last) = found.last_mut() else { continue };
                last
            }
        };
        if let Some(values) = values {
            one.cells += 1;
            let sums = one.shares.iter_mut().chain(&mut one.areas);
            sums.zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    found.retain(|one| one.cells > 0);
    for one in &mut found {
        let cells = one.cells as f64;
        one.shares
            .iter_mut()
            .chain(&mut one.areas)
            .for_each(|sum| *sum /= cells);
    }
    let explain = &recorded.experiment.explain;
    // A map of the image's size has no cells.
    if !explain.method.is_whole() {
        layers.dedup();
        let layer = explain.config().layer_of(&layers)?;
        found.iter_mut().for_each(|one| one.has_maps = one.layer == layer);
    }
    Ok(Some(found))
}

/// That of the maps' layer by one kind of influence; `None` where the maps have no cells.
pub fn of_maps<'a>(all: &'a [LayerLocality], influence: &str) -> Option<&'a LayerLocality> {
    all.iter().find(|one| one.has_maps && one.influence == influence)
}

/// The last layer's by one kind of influence.
pub fn of_last_layer<'a>(all: &'a [LayerLocality], influence: &str) -> Option<&'a LayerLocality> {
    all.iter().rev().find(|one| one.influence == influence)
}
