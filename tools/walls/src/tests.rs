//! The whole check, on small crates in a temporary folder.

use std::fs;

use tempfile::TempDir;

use crate::arrows::{FileArrow, arrows};
use crate::error::Error;
use crate::findings;
use crate::modules::Tree;
use crate::workspace::Workspace;

/// A crate of these files in `src/`.
fn write(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let manifest = "[package]\nname = \"metrics\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    for (file, code) in files {
        let path = folder.path().join("src").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, code).unwrap();
    }
    folder
}

/// The findings in a crate of these files, a text for each.
fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    findings(write(files).path()).unwrap()
}

/// The arrows between these files.
fn arrows_in(files: &[(&str, &str)]) -> Vec<String> {
    let folder = write(files);
    let workspace = Workspace::read(folder.path()).unwrap();
    let tree = Tree::read(&workspace.root, &workspace.members[0]).unwrap();
    let line = |FileArrow { from, to, name }: FileArrow| {
        let [from, to] = [from, to].map(|path| path.strip_prefix("src").unwrap().display().to_string());
        format!("{from} -> {to}: {name}")
    };
    arrows(&tree).into_iter().map(line).collect()
}

/// The arrows from `a.rs` with this code, beside a file `b.rs` and a folder `c`.
fn arrows_of(code: &str) -> Vec<String> {
    arrows_in(&[
        (
            "lib.rs",
            "mod a; mod b; mod c; pub use c::Deep; pub const ROOT: u8 = 0;",
        ),
        ("a.rs", code),
        (
            "b.rs",
            "pub struct B; pub enum Kind { One, Two } pub fn make() -> B { B } pub fn energy() {}",
        ),
        (
            "c/mod.rs",
            "mod deep; pub mod inner { pub const INNER: u8 = 1; } pub use deep::*; pub trait Drawn {}",
        ),
        (
            "c/deep.rs",
            "pub struct Deep; impl Deep { pub const NEW: Self = Self; }",
        ),
    ])
}

#[test]
fn a_circle_through_re_exports_is_found_with_its_names() {
    let found = found_in(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B; pub struct A(pub B, pub B);"),
        (
            "b.rs",
            "pub struct B; impl B { pub fn a(self) -> crate::A { todo!() } }",
        ),
    ]);
    let expected =
        "src: a circle of a.rs, b.rs\n  b.rs -> a.rs -> b.rs\n    b.rs -> a.rs: `A`\n    a.rs -> b.rs: `B`\n";
    assert_eq!(found, [expected]);
}

#[test]
fn a_circle_of_folders_is_found_though_no_files_make_one() {
    let found = found_in(&[
        ("lib.rs", "mod one; mod two;"),
        ("one/mod.rs", "pub mod x; pub mod y;"),
        ("one/x.rs", "use crate::two::x::X;"),
        ("one/y.rs", "pub struct Y;"),
        ("two/mod.rs", "pub mod x; pub mod y;"),
        ("two/x.rs", "pub struct X;"),
        ("two/y.rs", "use crate::one::y::Y;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("src: a circle of one/, two/\n"), "{found:?}");
    assert!(found[0].contains("one/x.rs -> two/x.rs: `X`\n"), "{found:?}");
    assert!(found[0].contains("two/y.rs -> one/y.rs: `Y`\n"), "{found:?}");
}

#[test]
fn a_circle_that_only_tests_close_is_none() {
    let found = found_in(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn both_sides_of_a_cfg_are_read() {
    let found = found_in(&[
        (
            "lib.rs",
            "mod a; #[cfg(feature = \"x\")] mod b; #[cfg(not(feature = \"x\"))] #[path = \"c.rs\"] mod b;",
        ),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B(crate::a::A);"),
        ("c.rs", "pub struct B; #[cfg(windows)] use crate::a::A;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("src: a circle of a.rs, b.rs, c.rs\n"), "{found:?}");
}

#[test]
fn what_a_module_re_exports_from_below_is_no_import_of_its_own() {
    let files = |code| {
        [
            ("lib.rs", code),
            ("a.rs", "use super::ROOT;"),
            ("a/b.rs", "pub struct B;"),
        ]
    };
    assert_eq!(
        arrows_in(&files("mod a; pub(crate) use a::*; const ROOT: u8 = 0;")),
        ["a.rs -> lib.rs: ROOT"]
    );
    let used = arrows_in(&[
        ("lib.rs", "mod a; pub use a::A; const B: A = A;"),
        ("a.rs", "pub struct A;"),
    ]);
    assert_eq!(used, ["lib.rs -> a.rs: A"]);
}

#[test]
fn paths_are_followed_from_the_crate_the_module_and_the_one_around_it() {
    for code in [
        "use crate::b::B;",
        "use super::b::B;",
        "mod x { use super::super::b::B; }",
        "use crate::{a as _, b::{self, B}};",
    ] {
        assert_eq!(arrows_of(code), ["a.rs -> b.rs: B"], "{code}");
    }
    assert_eq!(
        arrows_of("mod x { pub struct B; } use self::x::B; struct C(B);"),
        [""; 0]
    );
    assert_eq!(arrows_of("use super::ROOT;"), ["a.rs -> lib.rs: ROOT"]);
    assert_eq!(arrows_of("use crate::c::inner::INNER;"), ["a.rs -> c/mod.rs: INNER"]);
}

#[test]
fn re_exports_are_followed_to_the_definition() {
    for code in [
        "use crate::Deep;",
        "use crate::c::Deep as D;",
        "use crate::*; struct A(Deep);",
        "const A: u8 = crate::Deep::NEW;",
    ] {
        assert_eq!(arrows_of(code), ["a.rs -> c/deep.rs: Deep"], "{code}");
    }
}

#[test]
fn paths_in_code_count_without_a_use() {
    assert_eq!(arrows_of("fn f() { crate::b::make(); }"), ["a.rs -> b.rs: make"]);
    assert_eq!(
        arrows_of("fn f() { use super::b; let b = b::make(); b.a(); }"),
        ["a.rs -> b.rs: make"]
    );
    assert_eq!(
        arrows_of("struct A; impl crate::c::Drawn for A {}"),
        ["a.rs -> c/mod.rs: Drawn"]
    );
    assert_eq!(arrows_of("type A = Vec<crate::b::B>;"), ["a.rs -> b.rs: B"]);
}

#[test]
fn a_variant_counts_as_its_enum() {
    for code in [
        "use crate::b::Kind::*;",
        "use crate::b::Kind::{One, Two};",
        "use crate::b::*; fn f() { Kind::One; }",
    ] {
        assert_eq!(arrows_of(code), ["a.rs -> b.rs: Kind"], "{code}");
    }
}

#[test]
fn names_of_a_star_count_where_they_are_used_and_not_hidden() {
    assert_eq!(arrows_of("use crate::b::*;"), [""; 0]);
    assert_eq!(
        arrows_of("use crate::b::*; fn f() { let energy = energy(); }"),
        ["a.rs -> b.rs: energy"]
    );
    assert_eq!(arrows_of("use crate::b::*; fn f(energy: u8) { energy; }"), [""; 0]);
    assert_eq!(
        arrows_of("use crate::b::*; use std::fmt::Error as B; fn f() -> B { B }"),
        [""; 0]
    );
}

#[test]
fn other_crates_comments_and_strings_do_not_count() {
    assert_eq!(
        arrows_of("use ::b::B; use b::Kind; fn f() { ::b::make(); b::energy(); }"),
        [""; 0]
    );
    assert_eq!(
        arrows_of("/// [`B`](crate::b::B)\nconst A: &str = \"crate::b::B\"; // crate::b::B"),
        [""; 0]
    );
}

#[test]
fn macros_are_followed_as_far_as_their_tokens_tell() {
    let with = |code| {
        arrows_in(&[
            ("lib.rs", "#[macro_use] mod m; mod a; mod b;"),
            (
                "m.rs",
                "macro_rules! made { ($name:ident) => { pub struct $name(pub $crate::b::B); } } pub(crate) use made;",
            ),
            ("a.rs", code),
            ("b.rs", "pub struct B; pub fn f() -> B { B }"),
        ])
    };
    let own = "m.rs -> b.rs: B";
    assert_eq!(with("made!(A);"), ["a.rs -> m.rs: made", own]);
    assert_eq!(with("use crate::m::made;"), ["a.rs -> m.rs: made", own]);
    assert_eq!(
        with("fn f() { println!(\"{:?}\", [1].map(|_| crate::b::f())); }"),
        ["a.rs -> b.rs: f", own]
    );
    assert_eq!(
        with("fn f() { unknown! { x => crate::b::f() }; }"),
        ["a.rs -> b.rs: f", own]
    );
}

#[test]
fn what_a_macro_makes_counts_for_the_file_that_calls_it() {
    let found = arrows_in(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::Made;"),
        ("b.rs", "other::make!(Made);"),
    ]);
    assert_eq!(found, ["a.rs -> b.rs: Made"]);
}

#[test]
fn a_program_imports_from_the_library_beside_it() {
    let found = arrows_in(&[
        ("lib.rs", "pub mod cli;"),
        ("cli.rs", "pub fn run() {}"),
        ("main.rs", "fn main() { metrics::cli::run(); }"),
    ]);
    assert_eq!(found, ["main.rs -> cli.rs: run"]);
}

#[test]
fn re_exports_in_a_ring_come_to_an_end() {
    let found = arrows_in(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub use crate::b::*; pub use crate::b::Ring;"),
        (
            "b.rs",
            "pub use crate::a::*; pub use crate::a::Ring; fn f() { Nothing::new(); }",
        ),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_module_without_a_file_is_an_error() {
    let error = findings(write(&[("lib.rs", "mod a;")]).path()).unwrap_err();
    assert!(matches!(&error, Error::NoFile { name, .. } if name == "a"), "{error}");
}
