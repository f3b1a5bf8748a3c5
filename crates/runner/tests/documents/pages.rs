//! The Markdown files of the repository, and what is in them.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A link or a picture of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The line it stands in, from 1.
    pub line: usize,
    /// What it leads to, as written.
    pub target: String,
}

/// What a page has that others may refer to, and what it refers to itself.
#[derive(Debug, Default)]
pub struct Page {
    /// Links and pictures in their order.
    pub links: Vec<Link>,
    /// The names under which its headings are found, as GitHub makes them.
    pub anchors: BTreeSet<String>,
}

/// The folder of the repository.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the repository's folder")
}

/// All Markdown files of the repository: not what is built, and neither data sets nor results.
pub fn markdown_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root(), 0, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            let made_by_runs = depth == 1 && (folder.ends_with("data") || folder.ends_with("results"));
            if name != "target" && !name.starts_with('.') && !made_by_runs {
                collect(&path, depth + 1, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Reads a page.
pub fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap_or_default());
                let times = seen.entry(anchor.clone()).or_default();
                page.anchors.insert(match *times {
                    0 => anchor,
                    times => format!("{anchor}-{times}"),
                });
                *times += 1;
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => page.links.push(Link {
                line: text[..range.start].matches('\n').count() + 1,
                target: dest_url.into_string(),
            }),
            _ => {}
        }
    }
    page
}

/// The name of a heading in an address: small letters, without punctuation, with hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[test]
fn links_and_anchors_of_a_page_are_found() {
    let text = "# What `x` is, now\n\nsee [it](a.md#b)\n\n```sh\n[no](link.md)\n```\n\n## Twice\n\n![p](q.png)\n\n## Twice\n\n`[no](l.md)`\n\n| [t](u.md) |\n|---|\n";
    let page = read(text);
    let links: Vec<(usize, &str)> = page
        .links
        .iter()
        .map(|link| (link.line, link.target.as_str()))
        .collect();
    assert_eq!(links, [(3, "a.md#b"), (11, "q.png"), (17, "u.md")]);
    let anchors: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
    assert_eq!(anchors, ["twice", "twice-1", "what-x-is-now"]);
}
