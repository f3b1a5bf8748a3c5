//! Which file of a crate imports which.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::mentions::mentions;
use crate::modules::{Module, ModuleId, Named, Tree};

/// A file names an item that another one defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileArrow {
    pub from: PathBuf,
    pub to: PathBuf,
    pub name: String,
}

/// All arrows between the files of a crate.
pub fn arrows(tree: &Tree) -> BTreeSet<FileArrow> {
    let mut arrows = BTreeSet::new();
    for (id, module) in tree.modules() {
        each_named(tree, id, module, &mut |Named { module: definer, name }| {
            let (from, to) = (module.file.as_path(), tree.file_of(definer));
            if from != to {
                arrows.insert(FileArrow {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    name: name.to_owned(),
                });
            }
        });
    }
    arrows
}

/// Goes through the items that a module names in its `use`s and in its code.
fn each_named(tree: &Tree, id: ModuleId, module: &Module, visit: &mut impl FnMut(Named)) {
    for import in &module.imports {
        let is_counted = |named: &Named| !(import.is_re_export && tree.is_within(named.module, id));
        tree.resolve(id, &import.path).filter(is_counted).for_each(&mut *visit);
    }
    let mentions = mentions(&module.items);
    mentions
        .paths
        .iter()
        .for_each(|path| tree.resolve(id, path).for_each(&mut *visit));
    mentions
        .macros
        .iter()
        .for_each(|name| tree.resolve_macro(name).for_each(&mut *visit));
}
