//! `energy.parquet`: what is known of each test image and attribute, row by row.

use metrics::BiasReliance;

use super::localiser::RegionShare;
use crate::measured::write_columns;
use disk::Columns;

/// What is known of one image and attribute.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its evidence is not a number where the attribute has no region in the image.
    pub reliance: BiasReliance,
    /// Energy of the centred map.
    pub centred: Option<f64>,
    /// Absent where there is no map, or the attribute has no region in the image.
    pub measured: Option<RegionShare>,
    /// Absent where the data set has no masks, or the attribute's is empty.
    pub exact: Option<f64>,
    /// Mean energy of the other attributes' maps of the image in this one's region; absent where each image has regions of its own, and
    /// where no other attribute has a map with energy.
    pub others: Option<f64>,
}

/// The columns of some rows.
pub fn columns(table: Columns, rows: &[Row]) -> Columns {
    let column = |value: fn(&Row) -> Option<f64>| -> Vec<Option<f32>> {
        rows.iter().map(|row| value(row).map(|value| value as f32)).collect()
    };
    let explained: Vec<i8> = rows.iter().map(|row| i8::from(row.measured.is_some())).collect();
    let table = table
        .labels("explained", &explained)
        .singles("energy", &column(|row| row.measured?.localisation.energy))
        .singles(
            "energy_corrected",
            &column(|row| row.measured?.localisation.energy_corrected),
        )
        .singles("mask_ratio", &column(|row| row.measured?.localisation.mask_ratio))
        .singles(
            "mask_ratio_corrected",
            &column(|row| row.measured?.localisation.mask_ratio_corrected),
        )
        .singles("region_area", &column(|row| Some(row.measured?.area)))
        .singles("energy_exact", &column(|row| row.exact))
        .singles("energy_centred", &column(|row| row.centred))
        .singles("energy_of_others", &column(|row| row.others));
    write_columns(table, rows.iter().map(|row| &row.reliance))
}
