//! The modules of a crate and the names in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::Item;

/// The modules of a crate: of its library and of its programs.
#[derive(Default)]
pub struct Tree {
    pub(super) modules: Vec<Module>,
    /// The library's name in paths, and its root.
    pub(super) library: Option<(String, ModuleId)>,
    /// Where each `macro_rules!` is. It is in scope below without a path, so its mere name is looked up here.
    pub(super) macros: BTreeMap<String, Vec<ModuleId>>,
}

/// A module's place in [`Tree::modules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleId(pub(super) usize);

/// A module: a file, or a part of one.
pub struct Module {
    /// The file, from the workspace's root on.
    pub file: PathBuf,
    pub(super) parent: Option<ModuleId>,
    /// Its code without tests; the items of a module inside it are that module's.
    pub items: Vec<Item>,
    /// What each name means: several things where `cfg`s or namespaces tell them apart.
    /// Names inside a function's body are counted as the module's.
    pub(super) names: BTreeMap<String, Vec<Binding>>,
    pub imports: Vec<Import>,
}

/// What a name in a module stands for.
#[derive(Debug)]
pub(super) enum Binding {
    Module(ModuleId),
    Definition(Definition),
    /// What the path of a `use` names.
    Import(Vec<String>),
}

/// An item that is no module.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) module: ModuleId,
    pub(super) name: String,
    /// Whether a path can go on behind it, to a variant or an associated item.
    pub(super) is_type: bool,
    pub(super) variants: BTreeSet<String>,
}

/// One path of a `use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub path: Vec<String>,
    /// The name that it gets here; nothing where the path ends in `*`.
    pub(super) name: Option<String>,
    /// Whether it is visible beyond the module.
    pub is_re_export: bool,
}

impl Tree {
    /// Every module with its place.
    pub fn modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.modules
            .iter()
            .enumerate()
            .map(|(index, module)| (ModuleId(index), module))
    }

    pub(super) fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0]
    }

    /// The file that a module is, or is a part of.
    pub fn file_of(&self, module: ModuleId) -> &Path {
        &self.module(module).file
    }

    /// Whether a module is another one, or stands somewhere below it.
    pub fn is_within(&self, module: ModuleId, outer: ModuleId) -> bool {
        self.with_outer(module).any(|id| id == outer)
    }

    pub(super) fn root_of(&self, module: ModuleId) -> ModuleId {
        self.with_outer(module).last().unwrap_or(module)
    }

    /// A module, that around it, and so on to the root.
    fn with_outer(&self, module: ModuleId) -> impl Iterator<Item = ModuleId> {
        std::iter::successors(Some(module), |id| self.module(*id).parent)
    }
}
