//! No link of any page is dead, and every page of `docs/` is in its index.

use std::fs;
use std::path::Path;

use crate::pages::{markdown_files, read, root};

/// What is wrong with a link of the page at `path`, if anything.
fn fault(path: &Path, target: &str) -> Option<String> {
    // Addresses elsewhere are not looked up: a test does not depend on a network.
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let linked = match file {
        "" => path.to_owned(),
        file => path.parent().expect("a folder").join(file),
    };
    if !linked.exists() {
        return Some(format!("{target}: there is no such file"));
    }
    if anchor.is_empty() {
        return None;
    }
    let page = read(&fs::read_to_string(&linked).ok()?);
    (!page.anchors.contains(anchor)).then(|| format!("{target}: no heading has this name, but {:?}", page.anchors))
}

#[test]
fn no_link_is_dead() {
    let files = markdown_files();
    assert!(files.len() >= 20, "{files:?}");
    let mut links = 0;
    let mut dead = Vec::new();
    for path in &files {
        for link in read(&fs::read_to_string(path).expect("text")).links {
            links += 1;
            if let Some(fault) = fault(path, &link.target) {
                dead.push(format!("{}:{}: {fault}", path.display(), link.line));
            }
        }
    }
    assert!(links >= 50, "{links} links");
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn a_dead_link_is_seen() {
    let page = root().join("docs/README.md");
    assert_eq!(fault(&page, "../README.md"), None);
    assert!(fault(&page, "nowhere.md").is_some());
    assert!(fault(&page, "../README.md#no-such-heading").is_some());
    assert!(fault(&page, "#no-such-heading").is_some());
}

/// Pages are also named in comments, messages and lists of commands, where no Markdown link stands.
#[test]
fn every_page_that_is_named_exists() {
    let mut missing = Vec::new();
    let mut named = 0;
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                let skipped = ["target", "data", "results", ".git"].contains(&name);
                folders.extend((!skipped).then_some(path));
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            // What versions before said is history.
            if name == "CHANGELOG.md" {
                continue;
            }
            for (at, _) in text.match_indices("docs/") {
                let rest = &text[at..];
                let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_/.".contains(letter)));
                let page = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
                // An address on another site has something in front.
                let own = !text[..at].ends_with(|letter: char| letter.is_alphanumeric());
                if page.ends_with(".md") && own {
                    named += 1;
                    if !root().join(page).exists() {
                        let line = text[..at].matches('\n').count() + 1;
                        missing.push(format!("{}:{line}: {page}", path.display()));
                    }
                }
            }
        }
    }
    assert!(named >= 40, "{named}");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_page_is_in_the_index() {
    let docs = root().join("docs");
    let index = docs.join("README.md");
    let linked: Vec<_> = read(&fs::read_to_string(&index).expect("an index")).links;
    let linked: Vec<_> = linked
        .iter()
        .filter_map(|link| docs.join(link.target.split('#').next()?).canonicalize().ok())
        .collect();
    for path in markdown_files() {
        if path.starts_with(&docs) && path != index {
            assert!(linked.contains(&path), "{} is not in docs/README.md", path.display());
        }
    }
}
