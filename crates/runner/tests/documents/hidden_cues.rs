//! The table of attributes that cannot be toggled alone is the program's, which a test of `synthetic` measures.

use std::collections::BTreeMap;

use dataset::Attributes;
use synthetic::faces::Attribute;

use crate::pages::root;

#[test]
fn the_table_of_hidden_cues_is_the_programs() {
    let names = Attributes::celeba();
    let name = |attribute: Attribute| names.name(attribute as usize).to_owned();
    let hiding = Attribute::ALL.into_iter().filter(|one| !one.hides().is_empty());
    let expected: BTreeMap<String, Vec<String>> = hiding
        .map(|one| (name(one), one.hides().iter().map(|&other| name(other)).collect()))
        .collect();
    let page = std::fs::read_to_string(root().join("docs/understand/interventions.md")).expect("the page");
    let (_, table) = page
        .split_once("| toggling | hides the cues of |\n|---|---|\n")
        .expect("the table");
    let told: BTreeMap<String, Vec<String>> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].to_owned(), cells[2].split(", ").map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(told, expected);
}
