//! A regions file as a results folder keeps it.

use std::path::{Component, Path};

use crate::error::{Error, Result};
use crate::yaml::{self, KeyPath, Layers, Node};

/// A regions file and the pictures that it names, each with its path in a folder of its own and its bytes. The regions file comes first,
/// under its name. It is kept byte by byte, unless it names pictures that are not in or below its folder: those get other places.
///
/// # Errors
/// When one of the files cannot be read, or the regions file is malformed.
pub fn kept(path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let reading = |path: &Path| std::fs::read(path).map_err(Error::io(path, "keeping what the regions are of"));
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "keeping the regions"))?;
    let place = path.display().to_string();
    let mut node = Layers::read(&text, &place).map_err(|fault| Error::Experiment(vec![fault]))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut pictures: Vec<(String, Vec<u8>)> = Vec::new();
    let mut moved = false;
    if let Some(regions) = node.get_mut(&KeyPath::new("regions")) {
        for (number, (_, region)) in regions.entries_mut().iter_mut().enumerate() {
            let Some(Node::Text(mask)) = region.get_mut(&KeyPath::new("mask")) else {
                continue;
            };
            let bytes = reading(&folder.join(&*mask))?;
            if !is_below(Path::new(mask)) {
                let name = Path::new(mask).file_name().unwrap_or_default().to_string_lossy();
                *mask = format!("masks/{}-{name}", number + 1);
                moved = true;
            }
            if !pictures.iter().any(|(known, _)| known == mask) {
                pictures.push((mask.clone(), bytes));
            }
        }
    }
    let text = if moved {
        yaml::write(&node).map_err(|message| Error::experiment(place, message))?
    } else {
        text
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok([(name, text.into_bytes())].into_iter().chain(pictures).collect())
}

/// Whether a path stays in the folder that it starts from.
fn is_below(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_along_and_those_from_elsewhere_get_a_place() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("in/a.png", "a");
        write("out/b.png", "b");
        let inside = "# mine\nregions: {x: {attributes: [A], mask: a.png}, y: {attributes: [B], mask: a.png}, z: {attributes: [C]}}\n";
        write("in/r.yaml", inside);
        let found = kept(&folder.path().join("in/r.yaml")).expect("kept");
        let names = |found: &[(String, Vec<u8>)]| found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), ["r.yaml", "a.png"]);
        assert_eq!(
            (found[0].1.as_slice(), found[1].1.as_slice()),
            (inside.as_bytes(), &b"a"[..])
        );

        write(
            "in/r.yaml",
            "side: 8\nregions: {x: {attributes: [A], mask: ../out/b.png}, y: {attributes: [B], mask: a.png}}\n",
        );
        let found = kept(&folder.path().join("in/r.yaml")).expect("kept");
        assert_eq!(names(&found), ["r.yaml", "masks/1-b.png", "a.png"]);
        assert_eq!(found[1].1, b"b");
        let text = String::from_utf8(found[0].1.clone()).expect("text");
        assert!(
            text.contains("mask: masks/1-b.png") && text.contains("side: 8"),
            "{text}"
        );
    }
}
