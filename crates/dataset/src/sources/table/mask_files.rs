//! Masks of single attributes, one picture an image and attribute.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use crate::files::is_clutter;
use crate::sources::found::{Listing, Match, entries, key};
use crate::sources::lines::quote;
use crate::{AttributeMasks, Attributes, Error, MaskPicture, Result};

/// A folder with `ATTRIBUTE/IMAGE.png`, or another format that [`MaskPicture`] reads.
#[derive(Debug)]
pub(super) struct MaskFiles {
    /// The folder of each attribute, if there is one.
    attributes: Vec<Option<MaskFolder>>,
    pictures: Pictures,
    note: Option<String>,
}

/// The masks of one attribute.
#[derive(Debug)]
struct MaskFolder {
    path: PathBuf,
    files: Listing,
    /// The one value of the first file that has one, and that file.
    value: OnceLock<(u8, PathBuf)>,
}

impl MaskFolder {
    /// The mask of a picture, if there is one, as a path below the folder: under its name, or however that is spelt.
    fn find(&self, name: &str, pictures: &Pictures) -> Option<String> {
        let exact = places(name).find(|place| self.files.has(place));
        exact.or_else(|| {
            let wanted = Path::new(name).with_extension("png");
            let file = match self.files.find(&wanted.to_string_lossy(), false) {
                Match::Same(file) | Match::Spelt(file) => file,
                Match::Several(_) | Match::Absent(_) => return None,
            };
            // Without the folders before the picture's name it may be the mask of another one.
            let (stem, own) = (without_extension(&file), without_extension(name));
            (stem == own || !pictures.have(&stem)).then_some(file)
        })
    }

    /// Refuses a mask whose value is another label than that of the masks before it.
    fn check_value(&self, mask: &MaskPicture, path: &Path) -> Result<()> {
        let Some(value) = mask.value() else { return Ok(()) };
        let (first, file) = self.value.get_or_init(|| (value, path.to_owned()));
        // White, on a scale to 1 or to 255, is what is inside; any other value is the number of a label.
        let is_white = |value: u8| value == 1 || value >= 128;
        if value == *first || (is_white(value) && is_white(*first)) {
            return Ok(());
        }
        Err(Error::File {
            file: path.display().to_string(),
            found: format!(
                "a mask of 0 and {value}, where {} is one of 0 and {first}, as if they were two labels",
                file.display()
            ),
            expected: "one value inside all masks of an attribute; 255 inside and 0 outside is always understood"
                .to_owned(),
        })
    }

    /// Refuses a mask that is that of two pictures.
    fn check(&self, pictures: &Pictures) -> Result<()> {
        for file in self.files.names() {
            let mut meant = pictures
                .of(file)
                .filter(|name| self.find(name, pictures).as_deref() == Some(file));
            if let (Some(one), Some(other)) = (meant.next(), meant.next()) {
                return Err(Error::File {
                    file: self.path.join(file).display().to_string(),
                    found: format!("a mask that fits two images of the table, {one} and {other}"),
                    expected: format!(
                        "a mask of one image; name it by the whole name of its image, as {one}.png or {other}.png"
                    ),
                });
            }
        }
        Ok(())
    }
}

/// The pictures of the table, by what their masks may be called.
#[derive(Debug)]
struct Pictures {
    /// [`without_extension`] of each.
    stems: HashSet<String>,
    /// Those that one name may mean: without their extension, and without the folders before them.
    alike: HashMap<String, Vec<String>>,
}

impl Pictures {
    fn of_table(names: &[String]) -> Self {
        let mut alike: HashMap<String, Vec<&String>> = HashMap::new();
        let mut stems = HashSet::new();
        for name in names {
            let stem = without_extension(name);
            let mut rest = stem.as_str();
            loop {
                alike.entry(rest.to_owned()).or_default().push(name);
                match rest.split_once('/') {
                    Some((_, shorter)) => rest = shorter,
                    None => break,
                }
            }
            stems.insert(stem);
        }
        let several = alike.into_iter().filter(|(_, names)| names.len() > 1);
        let alike = several.map(|(stem, names)| (stem, names.into_iter().cloned().collect()));
        Self {
            stems,
            alike: alike.collect(),
        }
    }

    fn have(&self, stem: &str) -> bool {
        self.stems.contains(stem)
    }

    /// Pictures that the name of a mask may mean, where it may mean several.
    fn of(&self, file: &str) -> impl Iterator<Item = &str> {
        let found = match self.alike.is_empty() {
            true => None,
            false => self.alike.get(&without_extension(file)),
        };
        found.into_iter().flatten().map(String::as_str)
    }
}

impl MaskFiles {
    /// The masks of pictures `names` below `folder`; `columns` are the table's, also those that are no attributes here.
    ///
    /// # Errors
    /// When it is no folder or cannot be read, has none for any of the attributes, or one that may be that of two; when a mask fits two pictures.
    pub(super) fn open(folder: &Path, attributes: &Attributes, names: &[String], columns: &[String]) -> Result<Self> {
        let depth = attributes.names().iter().map(|name| name.split('/').count()).max();
        let mut folders = Vec::new();
        list(folder, "", depth.unwrap_or(1), &mut folders)?;
        folders.sort_unstable();
        let found = folders_of(attributes.names(), &folders, folder)?;
        if found.iter().all(Option::is_none) {
            return Err(Error::Missing {
                what: "a folder of masks for any attribute".to_owned(),
                looked_for: attributes.names().iter().map(|name| folder.join(name)).collect(),
            });
        }
        let of = |name: &str| {
            let path = folder.join(name);
            let files = Listing::of_folder(&path)?;
            let value = OnceLock::new();
            Ok(MaskFolder { path, files, value })
        };
        let note = slip(attributes, &found, &folders, columns).map(|slip| format!("{}: {slip}", folder.display()));
        let found = found.into_iter().map(|name| name.map(of).transpose());
        let found: Vec<Option<MaskFolder>> = found.collect::<Result<_>>()?;
        let pictures = Pictures::of_table(names);
        for folder in found.iter().flatten() {
            folder.check(&pictures)?;
        }
        Ok(Self {
            attributes: found,
            pictures,
            note,
        })
    }

    /// What is to be said of folders that belong to no attribute.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The files that [`read`](Self::read) reads, one entry an attribute.
    pub(super) fn files(&self, name: &str) -> Vec<Option<PathBuf>> {
        let of = |folder: &Option<MaskFolder>| {
            let folder = folder.as_ref()?;
            Some(folder.path.join(folder.find(name, &self.pictures)?))
        };
        self.attributes.iter().map(of).collect()
    }

    /// The masks of an image of `size` (width, height); an attribute without a file has none of its pixels. `None` without any
    /// file.
    ///
    /// # Errors
    /// When a file is no mask (see [`MaskPicture::read`]), or not of the image's size.
    pub(super) fn read(&self, name: &str, size: (u32, u32)) -> Result<Option<AttributeMasks>> {
        let mut masks = None;
        for (attribute, folder) in self.attributes.iter().enumerate() {
            let Some(folder) = folder else { continue };
            let Some((mask, path)) = first(folder, name, &self.pictures)? else {
                continue;
            };
            if mask.size() != size {
                let turned = if mask.size() == (size.1, size.0) {
                    " as it is seen, turned as its EXIF orientation says; the mask may be that of the picture as it is stored"
                } else {
                    ""
                };
                return Err(Error::File {
                    file: path.display().to_string(),
                    found: format!("a mask of {} x {} pixels", mask.size().0, mask.size().1),
                    expected: format!("{} x {}, as the image{turned}", size.0, size.1),
                });
            }
            let masks = masks.get_or_insert_with(|| AttributeMasks::new(size.0, size.1, self.attributes.len()));
            for (x, y) in mask.inside() {
                masks.insert(attribute, x, y);
            }
        }
        Ok(masks)
    }
}

/// Extensions of masks; PNG keeps every value, and comes first.
const EXTENSIONS: [&str; 8] = ["png", "PNG", "bmp", "gif", "webp", "jpg", "jpeg", "JPG"];

/// Where the mask under an image's name may be: with one more extension, under the very name, or with another extension.
fn places(name: &str) -> impl Iterator<Item = String> {
    let longer = EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}"));
    let path = Path::new(name);
    let other = EXTENSIONS
        .iter()
        .map(move |extension| path.with_extension(extension).to_string_lossy().into_owned());
    longer.chain([name.to_owned()]).chain(other)
}

/// The name of a picture or mask without its extension, however it is spelt.
fn without_extension(name: &str) -> String {
    key(&Path::new(name).with_extension("").to_string_lossy())
}

/// Adds the folders below a folder, which `before` leads to.
fn list(folder: &Path, before: &str, depth: usize, names: &mut Vec<String>) -> Result<()> {
    for entry in entries(folder)? {
        // Most are files, and need not be looked at.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let (Ok(name), path) = (entry.file_name().into_string(), entry.path()) else {
            continue;
        };
        if is_file || !path.is_dir() {
            continue;
        }
        let name = format!("{before}{name}");
        if depth > 1 {
            list(&path, &format!("{name}/"), depth - 1, names)?;
        }
        names.push(name);
    }
    Ok(())
}

/// Attributes without a folder, where there are folders without an attribute or column of the table: perhaps one is the other, misspelt.
fn slip(attributes: &Attributes, found: &[Option<&str>], folders: &[String], columns: &[String]) -> Option<String> {
    let quoted = |names: Vec<&str>| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let without = attributes.names().iter().zip(found);
    let without: Vec<&str> = without
        .filter(|(_, folder)| folder.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let known: HashSet<String> = columns.iter().map(|column| key(column)).collect();
    let is_left = |folder: &&str| {
        let is_used = found
            .iter()
            .flatten()
            .any(|used| used.split('/').next() == Some(*folder));
        !folder.contains('/') && !is_used && !is_clutter(folder) && !known.contains(&key(folder))
    };
    let left: Vec<&str> = folders.iter().map(String::as_str).filter(is_left).collect();
    (!without.is_empty() && !left.is_empty()).then(|| {
        format!(
            "no folder is called {}, and no column of the table {}",
            quoted(without),
            quoted(left)
        )
    })
}

/// Which of the `folders` below `place` is that of each attribute: the one of its very name, or the one whose name is most like it and
/// the very name of no other.
///
/// # Errors
/// When a folder may be that of two attributes, or an attribute's folder one of two.
fn folders_of<'a>(attributes: &[String], folders: &'a [String], place: &Path) -> Result<Vec<Option<&'a str>>> {
    let refused = |file: &Path, found: String, expected: String| Error::File {
        file: file.display().to_string(),
        found,
        expected,
    };
    let mut found: Vec<Option<&str>> = Vec::with_capacity(attributes.len());
    // The attributes that folders of other names are taken for.
    let mut taken: HashMap<&str, &str> = HashMap::new();
    for attribute in attributes {
        let exact = folders.iter().find(|folder| *folder == attribute);
        if exact.is_some() {
            found.push(exact.map(String::as_str));
            continue;
        }
        let depth = |name: &str| name.split('/').count();
        let fits = |folder: &&String| {
            plain(folder).to_lowercase() == plain(attribute).to_lowercase()
                && (depth(folder) == 1 || depth(folder) == depth(attribute))
                && !attributes.contains(*folder)
        };
        let alike: Vec<&String> = folders.iter().filter(fits).collect();
        // Those of the same characters go before those of other ones, and these before those of another case.
        let same = |folder: &&&String| folder.nfc().eq(attribute.nfc());
        let cased = |folder: &&&String| plain(folder) == plain(attribute);
        let mut best: Vec<&String> = alike.iter().filter(same).copied().collect();
        if best.is_empty() {
            best = alike.iter().filter(cased).copied().collect();
        }
        if best.is_empty() {
            best = alike;
        }
        let one = match best.as_slice() {
            [] => None,
            [one] => Some(one.as_str()),
            [one, other, ..] => {
                return Err(refused(
                    place,
                    format!(
                        "folders {} and {} for attribute {}",
                        quote(one),
                        quote(other),
                        quote(attribute)
                    ),
                    format!("one folder of its masks; rename it to {}", quote(attribute)),
                ));
            }
        };
        if let Some(one) = one
            && let Some(other) = taken.insert(one, attribute)
        {
            return Err(refused(
                &place.join(one),
                format!(
                    "a folder of masks that may be that of two attributes, {} and {}",
                    quote(other),
                    quote(attribute)
                ),
                "a folder of the very name of its attribute; where the name has a slash, folders one in the other"
                    .to_owned(),
            ));
        }
        found.push(one);
    }
    Ok(found)
}

/// An attribute's name as that of a folder may be: with `_` for what some systems do not allow, and for blanks.
fn plain(name: &str) -> String {
    let character = |c: char| {
        if c.is_alphanumeric() || "-.".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.nfc().map(character).collect()
}

/// The mask under the image's name.
fn first(folder: &MaskFolder, name: &str, pictures: &Pictures) -> Result<Option<(MaskPicture, PathBuf)>> {
    let Some(file) = folder.find(name, pictures) else {
        return Ok(None);
    };
    let path = folder.path.join(file);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path, source }),
    };
    let mask = MaskPicture::read(&bytes, &path)?;
    folder.check_value(&mask, &path)?;
    Ok(Some((mask, path)))
}
