//! Reads the modules of a crate from its files.

use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, ForeignItem, Item, ItemForeignMod, ItemMacro, ItemMod, Lit, Meta};

use super::imports::imports;
use super::test_only::without_tests;
use super::tree::{Binding, Definition, Module, ModuleId, Tree};
use crate::error::{Error, Result};
use crate::workspace::Member;

impl Tree {
    /// Reads a crate's library and programs; paths of files are told from this root on.
    pub fn read(root: &Path, member: &Member) -> Result<Self> {
        let mut reader = Reader {
            root,
            tree: Self::default(),
        };
        if let Some((name, file)) = member.library() {
            let library = reader.file(file, folder_of(file), None)?;
            reader.tree.library = Some((name.to_owned(), library));
        }
        for file in member.programs() {
            reader.file(file, folder_of(file), None)?;
        }
        Ok(reader.tree)
    }
}

struct Reader<'r> {
    root: &'r Path,
    tree: Tree,
}

impl Reader<'_> {
    /// Reads a file, and all those that it declares; they are looked for in this folder.
    fn file(&mut self, path: &Path, children: PathBuf, parent: Option<ModuleId>) -> Result<ModuleId> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(Error::Read { path, source }),
        };
        match syn::parse_file(&text) {
            Ok(file) => self.module(&path, &children, parent, without_tests(file)),
            Err(source) => Err(Error::Syntax { path, source }),
        }
    }

    fn module(&mut self, file: &Path, children: &Path, parent: Option<ModuleId>, items: Vec<Item>) -> Result<ModuleId> {
        let id = ModuleId(self.tree.modules.len());
        self.tree.modules.push(Module {
            file: file.strip_prefix(self.root).unwrap_or(file).to_owned(),
            parent,
            items: Vec::new(),
            names: Default::default(),
            imports: Vec::new(),
        });
        let mut own = Vec::new();
        for item in items {
            match item {
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let child = self.child(file, children, id, item)?;
                    self.bind(id, name, Binding::Module(child));
                }
                item => own.push(item),
            }
        }
        let mut names = Names {
            reader: self,
            module: id,
        };
        own.iter().for_each(|item| names.visit_item(item));
        self.tree.modules[id.0].items = own;
        Ok(id)
    }

    /// A module that another one declares, with its content there or in a file of its own.
    fn child(&mut self, file: &Path, children: &Path, parent: ModuleId, item: ItemMod) -> Result<ModuleId> {
        let name = item.ident.to_string();
        let below = children.join(&name);
        if let Some(path) = path_attribute(&item) {
            let path = folder_of(file).join(path);
            return self.file(&path, folder_of(&path), Some(parent));
        }
        if let Some((_, items)) = item.content {
            return self.module(file, &below, Some(parent), items);
        }
        let candidates = [children.join(format!("{name}.rs")), below.join("mod.rs")];
        match candidates.into_iter().find(|path| path.is_file()) {
            Some(path) => self.file(&path, below, Some(parent)),
            None => Err(Error::NoFile {
                path: file.to_owned(),
                name,
            }),
        }
    }

    fn bind(&mut self, module: ModuleId, name: String, binding: Binding) {
        self.tree.modules[module.0].names.entry(name).or_default().push(binding);
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}

/// The file of `#[path = "..."]`.
fn path_attribute(item: &ItemMod) -> Option<String> {
    item.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// Takes in the names of a module's items, and of those inside them.
struct Names<'n, 'r> {
    reader: &'n mut Reader<'r>,
    module: ModuleId,
}

impl Names<'_, '_> {
    fn define(&mut self, name: String, is_type: bool) {
        self.define_with(name, is_type, []);
    }

    fn define_with(&mut self, name: String, is_type: bool, variants: impl IntoIterator<Item = String>) {
        let definition = Definition {
            module: self.module,
            name: name.clone(),
            is_type,
            variants: variants.into_iter().collect(),
        };
        self.reader.bind(self.module, name, Binding::Definition(definition));
    }
}

impl<'ast> Visit<'ast> for Names<'_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Const(item) => self.define(item.ident.to_string(), false),
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| variant.ident.to_string());
                self.define_with(item.ident.to_string(), true, variants);
            }
            Item::Fn(item) => self.define(item.sig.ident.to_string(), false),
            Item::Static(item) => self.define(item.ident.to_string(), false),
            Item::Struct(item) => self.define(item.ident.to_string(), true),
            Item::Trait(item) => self.define(item.ident.to_string(), true),
            Item::TraitAlias(item) => self.define(item.ident.to_string(), true),
            Item::Type(item) => self.define(item.ident.to_string(), true),
            Item::Union(item) => self.define(item.ident.to_string(), true),
            Item::Macro(ItemMacro { ident: Some(name), .. }) => {
                let macros = self.reader.tree.macros.entry(name.to_string()).or_default();
                macros.push(self.module);
                self.define(name.to_string(), false);
            }
            Item::Use(item) => {
                for import in imports(item) {
                    if let Some(name) = import.name.clone() {
                        self.reader
                            .bind(self.module, name, Binding::Import(import.path.clone()));
                    }
                    self.reader.tree.modules[self.module.0].imports.push(import);
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_foreign_mod(&mut self, block: &'ast ItemForeignMod) {
        for item in &block.items {
            match item {
                ForeignItem::Fn(item) => self.define(item.sig.ident.to_string(), false),
                ForeignItem::Static(item) => self.define(item.ident.to_string(), false),
                ForeignItem::Type(item) => self.define(item.ident.to_string(), true),
                _ => {}
            }
        }
    }
}
