//! Files that are named after what users named: attributes, pictures.

use std::collections::HashSet;

/// The longest name in bytes, which leaves room for what follows it: file systems take 255.
const LONGEST: usize = 120;

/// A name as part of a file's name: letters, digits and `_-. ` stay, everything else becomes `_`, and what is too long is cut. A name of
/// nothing but dots is a folder's everywhere: its dots do not stay.
fn plain(name: &str) -> String {
    let only_dots = name.chars().all(|c| c == '.');
    let stays = |c: char| c.is_alphanumeric() || "_- ".contains(c) || (c == '.' && !only_dots);
    let mut plain = String::new();
    for c in name.chars().map(|c| if stays(c) { c } else { '_' }) {
        if plain.len() + c.len_utf8() > LONGEST {
            break;
        }
        plain.push(c);
    }
    plain
}

/// The name, or the first of NAME-2, NAME-3, ... that is free, which is taken then. Case does not make a difference: on some systems it
/// is one file.
pub fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !name.is_empty() && taken.insert(name.to_lowercase()));
    free.unwrap_or_else(|| name.to_owned())
}

/// Names of files for some names, in their order: no two are the same, whatever the names are. A name that needs no change keeps it.
pub fn distinct<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<(&str, String)> = names.into_iter().map(|name| (name, plain(name))).collect();
    let mut taken = HashSet::new();
    // Those that stay as they are come first: `a_b` is that file's, and `a/b` becomes `a_b-2`, whatever their order.
    let unchanged: Vec<bool> = names
        .iter()
        .map(|(name, plain)| !name.is_empty() && name == plain && taken.insert(plain.to_lowercase()))
        .collect();
    names
        .into_iter()
        .zip(unchanged)
        .map(|((_, plain), unchanged)| match unchanged {
            true => plain,
            false => unique(&plain, &mut taken),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_become_one_get_files_of_their_own() {
        assert_eq!(distinct(["a/b", "a b", "a:b", "a_b"]), ["a_b-2", "a b", "a_b-3", "a_b"]);
        assert_eq!(
            distinct(["Smiling", "smiling", "SMILING"]),
            ["Smiling", "smiling-2", "SMILING-3"]
        );
        assert_eq!(distinct(["a/b", "a_b-2", "a_b"]), ["a_b-3", "a_b-2", "a_b"]);
        assert_eq!(
            distinct(["??", "!!", "笑顔", "..", ""]),
            ["__", "__-2", "笑顔", "__-3", "-2"]
        );
        let long = ["ä".repeat(200), format!("{}b", "ä".repeat(199))];
        let found = distinct(long.iter().map(String::as_str));
        assert!(found.iter().all(|name| name.len() <= LONGEST + 2), "{found:?}");
        assert_ne!(found[0], found[1]);
    }
}
