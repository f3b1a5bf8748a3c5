//! How to cite the paper and this program; `CITATION.cff` says the same to machines.

/// The paper, in BibTeX.
pub const PAPER: &str = "@inproceedings{zhang2024biased,
  title     = {Biased Binary Attribute Classifiers Ignore the Majority Classes},
  author    = {Zhang and Bieri and G{\\\"u}nther},
  booktitle = {Swiss Conference on Data Science (SDS)},
  year      = {2024},
  eprint    = {2403.14435},
  archivePrefix = {arXiv},
}";

/// The program, in BibTeX; `revision` is the one that made the results.
#[must_use]
pub fn software(version: &str, revision: Option<&str>) -> String {
    let revision = revision.map_or_else(String::new, |revision| {
        format!("  note    = {{Revision {revision}}},\n")
    });
    format!(
        "@software{{biascam,\n  title   = {{biascam: class activation maps of biased binary attribute classifiers}},\n  \
         author  = {{{{The biascam developers}}}},\n  version = {{{version}}},\n{revision}}}"
    )
}

/// Both.
#[must_use]
pub fn bibtex(version: &str, revision: Option<&str>) -> String {
    format!("{PAPER}\n\n{}", software(version, revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_citation_file_says_the_same() {
        let file: serde_json::Value =
            crate::yaml::parse(include_str!("../../../CITATION.cff"), "CITATION.cff").expect("YAML");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        assert_eq!(text(&file["version"]), env!("CARGO_PKG_VERSION"));
        assert!(software("1", None).contains(&text(&file["title"])));
        assert!(software("1", None).contains(&text(&file["authors"][0]["name"])));
        let paper = &file["references"][0];
        assert!(PAPER.contains(&text(&paper["title"])));
        assert!(PAPER.contains(&text(&paper["conference"]["name"])));
        assert!(PAPER.contains(&format!("{{{}}}", paper["year"].as_u64().expect("a year"))));
        let preprint = text(&paper["identifiers"][0]["value"]);
        assert!(PAPER.contains(preprint.strip_prefix("arXiv:").expect("arXiv")));
        let authors: Vec<String> = paper["authors"]
            .as_array()
            .expect("authors")
            .iter()
            .map(|author| text(&author["family-names"]).replace('ü', "{\\\"u}"))
            .collect();
        assert!(PAPER.contains(&format!("{{{}}}", authors.join(" and "))), "{authors:?}");
    }
}
