//! The paths of a `use`, one by one.

use syn::{ItemUse, UseTree, Visibility};

use super::tree::Import;

/// Takes a `use` apart.
pub fn imports(item: &ItemUse) -> Vec<Import> {
    let mut imports = Vec::new();
    // A path from `::` on begins with a crate of another's, which no name here has.
    let prefix = item.leading_colon.as_ref().map(|_| String::new());
    collect(&item.tree, prefix.into_iter().collect(), &mut |path, name| {
        imports.push(Import {
            path,
            name,
            is_re_export: !matches!(item.vis, Visibility::Inherited),
        });
    });
    imports
}

fn collect(tree: &UseTree, mut prefix: Vec<String>, found: &mut impl FnMut(Vec<String>, Option<String>)) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            collect(&path.tree, prefix, found);
        }
        UseTree::Name(name) => named(prefix, name.ident.to_string(), None, found),
        UseTree::Rename(rename) => named(prefix, rename.ident.to_string(), Some(rename.rename.to_string()), found),
        UseTree::Glob(_) => found(prefix, None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect(tree, prefix.clone(), found)),
    }
}

/// The end of a path. `self` in a group is what stands before the group.
fn named(
    mut path: Vec<String>,
    last: String,
    renamed: Option<String>,
    found: &mut impl FnMut(Vec<String>, Option<String>),
) {
    if last != "self" || path.is_empty() {
        path.push(last);
    }
    let name = renamed.or_else(|| path.last().cloned());
    found(path, name);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every path with the name that it gets.
    fn paths(code: &str) -> Vec<(String, Option<String>)> {
        let item: ItemUse = syn::parse_str(code).unwrap();
        let imports = imports(&item).into_iter();
        imports.map(|import| (import.path.join("::"), import.name)).collect()
    }

    #[test]
    fn a_group_is_taken_apart() {
        let expected = [
            ("crate::a", Some("a")),
            ("crate::a::B", Some("B")),
            ("crate::a::C", Some("D")),
            ("crate::a::e", None),
        ];
        let expected = expected.map(|(path, name)| (path.to_owned(), name.map(str::to_owned)));
        assert_eq!(paths("use crate::a::{self, B, C as D, e::*};"), expected);
    }

    #[test]
    fn only_what_others_see_is_a_re_export() {
        let is_re_export = |code| imports(&syn::parse_str(code).unwrap())[0].is_re_export;
        assert!(is_re_export("pub use a::B;"));
        assert!(is_re_export("pub(crate) use a::B;"));
        assert!(!is_re_export("use a::B;"));
    }
}
