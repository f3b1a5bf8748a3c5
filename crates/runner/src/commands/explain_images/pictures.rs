//! Which pictures are explained, under which names, and how each is read.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dataset::Landmarks;

use crate::error::{Error, Result};
use crate::file_names::unique;

/// Endings of the files that are taken from a folder, in lower case.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp"];
/// Endings of pictures that are not read: named, as a person would miss them.
const OTHER_ENDINGS: [&str; 11] = [
    "tif", "tiff", "heic", "heif", "avif", "jp2", "j2k", "jxl", "dng", "psd", "dcm",
];

/// So many pictures are named whose names were taken.
const NAMED: usize = 10;

/// A file to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Where it is.
    pub path: PathBuf,
    /// The name of its folder among the results: no other picture has it.
    pub name: String,
}

/// What there is to explain.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order in which they were named, those of a folder in the order of their paths.
    pub pictures: Vec<Picture>,
    /// What was left out of folders, and which pictures share a name, a sentence each.
    pub said: Vec<String>,
    /// Those whose name was taken.
    renamed: Vec<Picture>,
}

/// The files named, and all pictures in the folders named and below. Links to folders are followed, and each folder is looked into once;
/// what is hidden is left out. A file that is named need not exist or be a picture: that is found out when it is read.
///
/// # Errors
/// When a folder cannot be listed or has no picture.
pub fn find(paths: &[PathBuf]) -> Result<Found> {
    // Beside the pictures' folders there is one of sheets.
    let mut taken = HashSet::from(["sheets".to_owned()]);
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            found.add(path.clone(), &name, &mut taken);
            continue;
        }
        let mut folder = Folder::default();
        folder.list(path)?;
        let left_out = folder.left_out();
        folder.pictures.sort();
        if folder.pictures.is_empty() {
            let also = left_out.map_or_else(String::new, |left_out| format!("; left out: {left_out}"));
            return Err(Error::Request(format!(
                "{}: no picture in this folder; expected files that end in {}{also}",
                path.display(),
                ENDINGS.join(", ")
            )));
        }
        if let Some(left_out) = left_out {
            found.said.push(format!("{}: left out: {left_out}", path.display()));
        }
        for file in folder.pictures {
            let below = file.strip_prefix(path).unwrap_or(&file).with_extension("");
            let parts: Vec<_> = below
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect();
            found.add(file.clone(), &parts.join("-"), &mut taken);
        }
    }
    let named = found.renamed.iter().take(NAMED);
    let mut sentences: Vec<String> = named
        .map(|Picture { path, name }| {
            let path = path.display();
            format!("{path}: its results are called `{name}`, for another picture has its name")
        })
        .collect();
    let more = found.renamed.len().saturating_sub(NAMED);
    if more > 0 {
        sentences.push(format!("so it is with {more} more pictures"));
    }
    found.said.append(&mut sentences);
    Ok(found)
}

impl Found {
    /// Adds a picture under this name, or under one like it that is free.
    fn add(&mut self, path: PathBuf, wanted: &str, taken: &mut HashSet<String>) {
        let name = unique(wanted, taken);
        let picture = Picture { path, name };
        if picture.name != wanted {
            self.renamed.push(picture.clone());
        }
        self.pictures.push(picture);
    }
}

/// What is in a folder and below.
#[derive(Default)]
struct Folder {
    pictures: Vec<PathBuf>,
    /// Hidden folders, and hidden files whose ending is that of a picture.
    hidden: Vec<PathBuf>,
    /// Pictures that are not read.
    others: Vec<PathBuf>,
    /// Device and number of the folders that were looked into: a link may lead to one of them, or to a folder above.
    seen: HashSet<(u64, u64)>,
    /// Links to folders, which are looked into when all else is known, so that a picture goes by the path without a link.
    links: Vec<PathBuf>,
}

impl Folder {
    fn list(&mut self, root: &Path) -> Result<()> {
        let mut waiting = vec![root.to_owned()];
        while !waiting.is_empty() {
            for folder in std::mem::take(&mut waiting) {
                self.look_into(&folder)?;
            }
            waiting = std::mem::take(&mut self.links);
            waiting.sort();
        }
        Ok(())
    }

    fn look_into(&mut self, folder: &Path) -> Result<()> {
        let failed = |error| Error::io(folder, "listing")(error);
        let known = std::fs::metadata(folder).map_err(failed)?;
        if !self.seen.insert((known.dev(), known.ino())) {
            return Ok(());
        }
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            // A link that leads nowhere is told when the picture is read; a pipe or a socket would keep its reader waiting for ever.
            let kind = std::fs::metadata(&path).map(|file| file.file_type());
            let is_folder = kind.as_ref().is_ok_and(|kind| kind.is_dir());
            if kind.is_ok_and(|kind| !kind.is_dir() && !kind.is_file()) {
                continue;
            }
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            let is_picture = ENDINGS.contains(&ending.as_str());
            if dataset::is_clutter(&entry.file_name().to_string_lossy()) {
                if is_folder || is_picture {
                    self.hidden.push(path);
                }
            } else if !is_folder {
                if is_picture {
                    self.pictures.push(path);
                } else if OTHER_ENDINGS.contains(&ending.as_str()) {
                    self.others.push(path);
                }
            } else if entry.file_type().map_err(failed)?.is_symlink() {
                self.links.push(path);
            } else {
                self.look_into(&path)?;
            }
        }
        Ok(())
    }

    /// What was left out, in words.
    fn left_out(&mut self) -> Option<String> {
        let mut parts = Vec::new();
        for (paths, what) in [
            (&mut self.hidden, "hidden or made by a file manager"),
            (&mut self.others, "of a format that is not read; convert to PNG or JPEG"),
        ] {
            paths.sort();
            let Some(first) = paths.first() else { continue };
            let more = match paths.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            parts.push(format!("{}{more} ({what})", first.display()));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Landmarks by file name.
pub struct Landmarked {
    file: PathBuf,
    faces: HashMap<String, Landmarks>,
}

impl Landmarked {
    /// Reads CelebA's `list_landmarks*.txt`, or lines of a file name and ten numbers (x and y of left eye, right eye, nose, left
    /// and right corner of the mouth, in the picture's pixels), separated by commas, with or without a header.
    ///
    /// # Errors
    /// When the file cannot be read, or a line does not say that.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(Error::io(file, "reading the landmarks"))?;
        let name = file.display().to_string();
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default();
        let faces = if first.contains(',') {
            parse_csv(&name, &text)?
        } else {
            dataset::parse_landmarks(&name, &bytes)?
                .rows()
                .iter()
                .cloned()
                .collect()
        };
        Ok(Self {
            file: file.to_owned(),
            faces,
        })
    }

    /// Those of a picture.
    ///
    /// # Errors
    /// When it has none.
    pub fn of(&self, picture: &Path) -> Result<&Landmarks> {
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        self.faces.get(name.as_ref()).ok_or_else(|| {
            Error::Request(format!(
                "{}: no landmarks of `{name}` in {}",
                picture.display(),
                self.file.display()
            ))
        })
    }
}

fn parse_csv(file: &str, text: &str) -> Result<HashMap<String, Landmarks>> {
    let mut faces = HashMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fault = |found: String| {
            Error::Request(format!(
                "{file}:{}: {found}, expected a file name and ten numbers, separated by commas",
                index + 1
            ))
        };
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [name, values @ ..] = fields.as_slice() else {
            continue;
        };
        let numbers: Vec<Option<f32>> = values
            .iter()
            .map(|value| value.parse().ok().filter(|value: &f32| value.is_finite()))
            .collect();
        if index == 0 && numbers.iter().all(Option::is_none) {
            continue;
        }
        if let Some(bad) = numbers.iter().position(Option::is_none) {
            return Err(fault(format!("`{}`", values[bad])));
        }
        let numbers: Vec<f32> = numbers.into_iter().flatten().collect();
        let row = <[f32; 10]>::try_from(numbers).map_err(|all| fault(format!("{} numbers", all.len())))?;
        if faces.insert((*name).to_owned(), Landmarks::from_row(row)).is_some() {
            return Err(fault(format!("`{name}` again")));
        }
    }
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_names_do_not_collide() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let named = file("sheets.png");
        for name in ["in/a.jpg", "in/a.PNG", "in/b/a.jpg", "in/b-a.jpeg", "in/notes.txt"] {
            file(name);
        }
        let found = find(&[named, place.path().join("in")]).unwrap();
        let names: Vec<&str> = found.pictures.iter().map(|picture| picture.name.as_str()).collect();
        // In the order of the paths: a.PNG, a.jpg, b/a.jpg (a folder's parts compare first), b-a.jpeg.
        assert_eq!(names, ["sheets-2", "a", "a-2", "b-a", "b-a-2"]);
        assert_eq!(found.said.len(), 3, "{:?}", found.said);
        assert!(
            found.said[0].contains("sheets.png: its results are called `sheets-2`"),
            "{:?}",
            found.said
        );
        let _socket = std::os::unix::net::UnixListener::bind(place.path().join("in/socket.png")).unwrap();
        assert_eq!(find(&[place.path().join("in")]).unwrap().pictures.len(), 4);
        std::fs::create_dir(place.path().join("empty")).unwrap();
        let message = find(&[place.path().join("empty")]).unwrap_err().to_string();
        assert!(message.contains("empty: no picture"), "{message}");
    }

    #[test]
    fn hidden_pictures_are_left_out_and_links_are_followed_once() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for name in [
            "in/a.png",
            "in/.b.png",
            "in/._a.png",
            "in/.DS_Store",
            "in/.ipynb_checkpoints/a-checkpoint.png",
            "in/__MACOSX/a.png",
            "in/Thumbs.db",
            "in/z z/c.JPEG",
            "in/photo.HEIC",
            "elsewhere/d.webp",
            "elsewhere/e.bmp",
            "only/.hidden/x.png",
        ] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
        }
        // To a folder elsewhere, twice; to a folder that is here already; and two circles.
        for (to, link) in [
            ("elsewhere", "in/sub"),
            ("elsewhere", "in/sub2"),
            ("in/z z", "in/b"),
            ("in", "in/z z/up"),
            ("in", "elsewhere/back"),
            ("elsewhere/d.webp", "in/f.webp"),
        ] {
            std::os::unix::fs::symlink(at(to), at(link)).unwrap();
        }
        let found = find(&[at("in")]).unwrap();
        let names: Vec<&str> = found.pictures.iter().map(|picture| picture.name.as_str()).collect();
        assert_eq!(names, ["a", "f", "sub-d", "sub-e", "z z-c"]);
        let [left_out] = found.said.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            !left_out.contains(".DS_Store") && left_out.contains("in/._a.png and 3 more (hidden"),
            "{left_out}"
        );
        assert!(
            left_out.contains("in/photo.HEIC (of a format that is not read"),
            "{left_out}"
        );
        let message = find(&[at("only")]).unwrap_err().to_string();
        assert!(
            message.contains("no picture") && message.contains("only/.hidden (hidden"),
            "{message}"
        );
        // Named, it is no longer left out.
        assert_eq!(find(&[at("only/.hidden")]).unwrap().pictures.len(), 1);
    }

    #[test]
    fn landmarks_are_read_from_csv() {
        let text = "image,lx,ly,rx,ry,nx,ny,mx,my,qx,qy\na.jpg,1,2,3,4,5,6,7,8,9,10\n\nb.jpg, 1,2,3,4,5,6,7,8,9,10.5";
        let faces = parse_csv("l.csv", text).unwrap();
        assert_eq!(faces["b.jpg"].right_mouth, [9.0, 10.5]);
        for (line, expected) in [
            ("a,1,2", "l.csv:1: 2 numbers"),
            ("a,1,x,3,4,5,6,7,8,9,10", "l.csv:1: `x`"),
            ("a,1,2,3,4,5,6,7,8,9,nan", "`nan`"),
            ("a,1,2,3,4,5,6,7,8,9,10\na,1,2,3,4,5,6,7,8,9,10", "l.csv:2: `a` again"),
        ] {
            let message = parse_csv("l.csv", line)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(message.contains(expected), "{message:?} should contain {expected:?}");
        }
    }
}
