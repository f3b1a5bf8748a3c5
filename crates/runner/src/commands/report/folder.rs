//! A results folder as a comparison reads it: from its tables alone, so that folders of other versions and data sets can stand
//! side by side.

use std::collections::BTreeMap;
use std::path::Path;

use metrics::Interval;

use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{RegionSource, resolved, settings_of};
use crate::regions;
use pipeline::{self, MANIFEST, Manifest, ReadTable};

/// What is compared of a run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// Its name on the page.
    pub name: String,
    /// The way to its folder from the page.
    pub link: String,
    /// What made it.
    pub manifest: Manifest,
    /// Every setting by its path.
    pub settings: BTreeMap<String, String>,
    /// What each classifier does, in the order of the run's own tables.
    pub classifiers: Vec<RunClassifier>,
    /// Names of the attributes, in the order of the run's own tables.
    pub attributes: Vec<String>,
    /// Whether each attribute's region is local; `None` where the regions are not to be had.
    pub local: Option<Vec<bool>>,
    /// The verdicts by the claim's name.
    pub claims: Vec<RunClaim>,
    /// The drawings by name: SVG.
    pub figures: Vec<(String, String)>,
}

/// The four measures of a classifier; one value an attribute, absent where nothing was there to measure.
#[derive(Debug, Clone)]
pub struct RunClassifier {
    /// Its name.
    pub name: String,
    /// Error among the minority class.
    pub minority_error: Vec<Option<f64>>,
    /// Error among the majority class.
    pub majority_error: Vec<Option<f64>>,
    /// Energy of the images predicted as the minority class.
    pub minority_energy: Vec<Option<f64>>,
    /// Energy of those predicted as the majority class.
    pub majority_energy: Vec<Option<f64>>,
}

/// A verdict on a claim.
#[derive(Debug, Clone)]
pub struct RunClaim {
    /// The claim's name.
    pub claim: String,
    /// The verdict.
    pub verdict: String,
    /// The effect.
    pub effect: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
}

impl RunFolder {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it is no results folder, has no tables yet, or tables of a version that measured something else.
    pub fn read(folder: &Path, name: String, link: &str) -> Result<Self> {
        let shown = folder.display();
        if !folder.is_dir() {
            return Err(Error::Request(format!("{shown}: no such folder")));
        }
        if !folder.join(MANIFEST).is_file() {
            return Err(Error::Request(format!(
                "{shown}: no results folder, for it has no {MANIFEST}; expected one such as results/embedded"
            )));
        }
        let manifest = Manifest::read(folder)?;
        let table = folder.join("tables/attributes.csv");
        if !table.is_file() {
            return Err(Error::Request(format!(
                "{shown}: a run without tables; `{}` finishes it",
                manifest.command_line()
            )));
        }
        let older = |error: pipeline::Error| {
            let reason = match error {
                pipeline::Error::Artefact { message, .. } => message,
                other => crate::error::describe(&other),
            };
            Error::Request(format!(
                "{shown}: made by biascam {}, whose tables differ ({reason}); `{}` makes them anew",
                manifest.version,
                manifest.command_line()
            ))
        };
        let path = folder.join(artefacts::EXPERIMENT);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path, "reading"))?;
        let settings = settings_of(&text).map_err(|error| Error::artefact(&path, error))?;
        let place = table;
        let table = ReadTable::csv(&place)?;
        let attributes = table.texts("attribute").map_err(older)?;
        let classifiers = classifiers(&table).map_err(older)?;
        if classifiers.is_empty() {
            return Err(older(pipeline::Error::artefact(&place, "no classifier")));
        }
        let claims = claims(&folder.join("tables/claims.csv")).map_err(older)?;
        let regions = match settings
            .get("measure.regions")
            .cloned()
            .map_or(RegionSource::Celeba, RegionSource::from)
        {
            RegionSource::File(named) => RegionSource::File(resolved(folder, &named)),
            other => other,
        };
        let size = settings.get("data.image_size").and_then(|size| size.parse().ok());
        let areas = table.doubles("region_area").map_err(older)?;
        let local = regions::choose(&regions, &attributes, size.unwrap_or(112)).ok();
        let local = local.map(|regions| {
            let areas = areas.iter().enumerate();
            areas
                .map(|(attribute, area)| regions.is_local(attribute, *area))
                .collect()
        });
        Ok(Self {
            name,
            link: link.to_owned(),
            settings,
            classifiers,
            attributes,
            local,
            claims,
            figures: figures(folder, &manifest),
            manifest,
        })
    }
}

fn classifiers(table: &ReadTable) -> pipeline::Result<Vec<RunClassifier>> {
    const MARK: &str = "_minority_error";
    let positive: Vec<bool> = table
        .texts("minority")?
        .iter()
        .map(|class| class == "positive")
        .collect();
    let columns = table.columns();
    let names = columns.iter().filter_map(|column| column.strip_suffix(MARK));
    names
        .map(|name| {
            let column = |what: &str| table.doubles(&format!("{name}_{what}"));
            let (plus, minus) = (
                column("energy_predicted_positive")?,
                column("energy_predicted_negative")?,
            );
            let energy = |minority: bool| {
                let of = |(at, &positive): (usize, &bool)| if positive == minority { plus[at] } else { minus[at] };
                positive.iter().enumerate().map(of).collect()
            };
            Ok(RunClassifier {
                minority_error: column("minority_error")?,
                majority_error: column("majority_error")?,
                minority_energy: energy(true),
                majority_energy: energy(false),
                name: name.to_owned(),
            })
        })
        .collect()
}

/// No table is no verdict: a run of classifiers with other names has none.
fn claims(path: &Path) -> pipeline::Result<Vec<RunClaim>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let table = ReadTable::csv(path)?;
    if table.height() == 0 {
        return Ok(Vec::new());
    }
    let (names, verdicts) = (table.texts("claim")?, table.texts("verdict")?);
    let (effects, low, high) = (table.doubles("effect")?, table.doubles("low")?, table.doubles("high")?);
    Ok((0..names.len())
        .map(|row| RunClaim {
            claim: names[row].clone(),
            verdict: verdicts[row].clone(),
            effect: effects[row],
            interval: low[row].zip(high[row]).map(|(low, high)| Interval { low, high }),
        })
        .collect())
}

/// The drawings that are there.
fn figures(folder: &Path, manifest: &Manifest) -> Vec<(String, String)> {
    let files = manifest
        .stages
        .get("draw")
        .map(|stage| stage.artefacts.keys())
        .into_iter()
        .flatten();
    files
        .filter_map(|file| file.strip_prefix("figures/")?.strip_suffix(".svg"))
        .filter_map(|name| {
            let svg = std::fs::read_to_string(folder.join(format!("figures/{name}.svg"))).ok()?;
            Some((name.to_owned(), svg))
        })
        .collect()
}
