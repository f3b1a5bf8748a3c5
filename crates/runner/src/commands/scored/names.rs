//! Which image of one file is which of another.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use dataset::{Listing, Match};

use crate::error::{Error, Result};

/// Where names are in a list of them.
pub struct Named<'a> {
    listing: Listing,
    positions: HashMap<&'a str, usize>,
}

/// What a name means.
pub enum Meant {
    /// The name at this position.
    One(usize),
    /// One of these two names, and perhaps of more.
    Several([String; 2]),
    /// None.
    Nothing,
}

impl<'a> Named<'a> {
    /// A list of names, each of which is there once.
    pub fn of(names: &'a [String]) -> Self {
        Self {
            listing: Listing::of(names.to_vec()),
            positions: (names.iter().map(String::as_str)).zip(0..).collect(),
        }
    }

    /// The position of the very name; if it is not there, of the one that differs from it in extension, case, Unicode form, slashes or the
    /// folders before one of the two.
    pub fn matching(&self, name: &str) -> Meant {
        match self.listing.find_in_any_folder(name, false) {
            Match::Same(found) | Match::Spelt(found) => self
                .positions
                .get(found.as_str())
                .map_or(Meant::Nothing, |&position| Meant::One(position)),
            Match::Several(two) => Meant::Several(two),
            Match::Absent(_) => Meant::Nothing,
        }
    }
}

/// The name without its extension: the authors' aligned images are PNG, CelebA's are JPEG.
pub fn stem(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // A dot in a folder's name begins no extension.
    if name[stem.len()..].contains('/') { name } else { stem }
}

/// The names, without extension where they differ without it.
pub fn short(names: &[String]) -> Vec<String> {
    let mut alike: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    for name in names {
        *alike.entry(stem(name)).or_default() += 1;
    }
    let short = |name: &String| match alike.get(stem(name)) {
        Some(1) => stem(name).to_owned(),
        _ => name.clone(),
    };
    names.iter().map(short).collect()
}

/// The images that a list names.
pub struct Wanted {
    /// Where they are among the scores.
    pub positions: HashSet<usize>,
    /// Those that have no score.
    pub without: Vec<String>,
}

impl Wanted {
    /// Finds the images of the file `list` among these.
    ///
    /// # Errors
    /// When the list cannot be read, or a name may be that of several images.
    pub fn read(list: &Path, images: &[String]) -> Result<Self> {
        let named = Named::of(images);
        let (mut positions, mut without) = (HashSet::new(), Vec::new());
        for name in &read_list(list)? {
            match named.matching(name) {
                Meant::Nothing => without.push(stem(name).to_owned()),
                Meant::One(position) => {
                    positions.insert(position);
                }
                Meant::Several([one, other]) => {
                    return Err(Error::Request(format!(
                        "{}: `{name}` may be `{one}` or `{other}` of the scores, expected the exact name of one of them",
                        list.display(),
                    )));
                }
            }
        }
        Ok(Self { positions, without })
    }
}

fn read_list(path: &Path) -> Result<BTreeSet<String>> {
    let text = disk::read_text(path).map_err(Error::io(path, "reading the list of images"))?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_a_folder_s_name_begins_no_extension() {
        assert_eq!(["a.b/c", "a.b/c.d", "c"].map(stem), ["a.b/c", "a.b/c", "c"]);
        assert_eq!(
            short(&["x.png", "x.jpg", "y.png"].map(str::to_owned)),
            ["x.png", "x.jpg", "y"]
        );
    }
}
