//! `biascam report A B...`: results folders side by side on one page.

mod folder;
mod tables;

use std::path::{Path, PathBuf};

use clap::Args;
use disk::write_whole;

use crate::error::{Error, Result, describe};
use crate::experiment::way;
use crate::output::print;
use folder::RunFolder;
use render::figures::NAMES;
use render::report::{ComparedFigure, SideBySide, side_by_side};

/// Which runs to compare, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Results folders
    #[arg(value_name = "RESULTS", required = true)]
    pub folders: Vec<PathBuf>,
    /// The page to write
    #[arg(long, value_name = "FILE.html", default_value = "comparison.html")]
    pub out: PathBuf,
}

/// Writes the page. A folder that cannot be compared is named on the page and in the end; the others are compared.
///
/// # Errors
/// When no folder can be compared, or some cannot; when the page cannot be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    let base = arguments.out.parent().unwrap_or_else(|| Path::new(""));
    let mut runs: Vec<RunFolder> = Vec::new();
    let mut left_out = Vec::new();
    for (folder, name) in arguments.folders.iter().zip(names(&arguments.folders)) {
        match RunFolder::read(folder, name, &relative(base, folder)) {
            Ok(run) => runs.push(run),
            Err(error) => left_out.push(describe(error.without_way_out())),
        }
    }
    if runs.is_empty() {
        return Err(Error::Request(left_out.join("\nbiascam: ")));
    }
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let page = side_by_side(&SideBySide {
        title: match runs.len() {
            1 => names[0].to_owned(),
            count => format!("{count} runs"),
        },
        summary: format!("{}.", names.join(", ")),
        left_out: left_out.clone(),
        tables: tables::all(&runs),
        figures: figures(&runs),
    });
    write_whole(&arguments.out, page.as_bytes())?;
    print(arguments.out.display())?;
    if left_out.is_empty() {
        return Ok(());
    }
    Err(Error::Request(format!(
        "{} of {} folders left out: {}",
        left_out.len(),
        arguments.folders.len(),
        left_out.join("; ")
    )))
}

/// A name for each folder: its last part, or its whole path where several end alike.
fn names(folders: &[PathBuf]) -> Vec<String> {
    let last = |folder: &PathBuf| -> String {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        absolute.file_name().map_or_else(
            || folder.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    };
    let short: Vec<String> = folders.iter().map(last).collect();
    let unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    folders
        .iter()
        .zip(&short)
        .map(|(folder, name)| {
            if unique(name) {
                name.clone()
            } else {
                folder.display().to_string()
            }
        })
        .collect()
}

/// The way from a folder to a path, for links.
fn relative(from: &Path, to: &Path) -> String {
    let absolute = |path: &Path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize()
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_owned())
    };
    let way = way(&absolute(from), &absolute(to));
    if way.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        way.display().to_string()
    }
}

/// Every drawing that some run has, in the order of the first run that has it.
fn figures(runs: &[RunFolder]) -> Vec<ComparedFigure> {
    let mut figures: Vec<ComparedFigure> = Vec::new();
    for run in runs {
        for (name, svg) in &run.figures {
            let entry = (
                run.name.clone(),
                svg.clone(),
                format!("{}/figures/{name}.png", run.link),
            );
            match figures.iter_mut().find(|figure| figure.name == *name) {
                Some(figure) => figure.runs.push(entry),
                None => figures.push(ComparedFigure {
                    name: name.clone(),
                    runs: vec![entry],
                }),
            }
        }
    }
    // In the order of a report; what it does not know comes last.
    let place = |name: &str| NAMES.iter().position(|known| *known == name).unwrap_or(NAMES.len());
    figures.sort_by_key(|figure| place(&figure.name));
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_short_as_they_can_be() {
        let folders = ["results/a", "other/a", "results/b/"].map(PathBuf::from);
        assert_eq!(names(&folders), ["results/a", "other/a", "b"]);
    }

    #[test]
    fn links_lead_from_the_page_to_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("results/a")).expect("made");
        std::fs::create_dir_all(root.join("pages")).expect("made");
        assert_eq!(relative(&root.join("pages"), &root.join("results/a")), "../results/a");
        assert_eq!(relative(root, &root.join("results/a")), "results/a");
        assert_eq!(relative(&root.join("results"), &root.join("results")), ".");
    }
}
