//! What a path names: re-exports followed to the definition.

use super::tree::{Binding, Definition, ModuleId, Tree};

/// An item that a path names.
#[derive(Debug, Clone, Copy)]
pub struct Named<'t> {
    /// Where it is defined.
    pub module: ModuleId,
    /// Its name there.
    pub name: &'t str,
}

/// What a path, or the beginning of one, can stand for.
#[derive(Debug, Clone, Copy)]
enum Found<'t> {
    Module(ModuleId),
    Definition(&'t Definition),
    /// An item that is not in a module's text: a macro makes it there.
    Made(Named<'t>),
}

/// The names that are being looked up, so that re-exports in a ring come to an end.
type UnderWay = Vec<(ModuleId, String, bool)>;

impl Tree {
    /// The items of this crate that a path in a module can name: none for another crate's and for local variables, several
    /// where only a `cfg` or a namespace tells them apart. A variant or an associated item counts as its type.
    pub fn resolve<'t>(&'t self, module: ModuleId, path: &'t [String]) -> impl Iterator<Item = Named<'t>> {
        let found = self.walk(module, path, &mut UnderWay::new()).into_iter();
        found.filter_map(|found| match found {
            Found::Module(_) => None,
            Found::Definition(Definition { module, name, .. }) => Some(Named { module: *module, name }),
            Found::Made(named) => Some(named),
        })
    }

    /// The macros that a name can call.
    pub fn resolve_macro<'t>(&'t self, name: &'t str) -> impl Iterator<Item = Named<'t>> {
        let modules = self.macros.get(name).into_iter().flatten();
        modules.map(move |&module| Named { module, name })
    }

    fn walk<'t>(&'t self, module: ModuleId, path: &'t [String], under_way: &mut UnderWay) -> Vec<Found<'t>> {
        let Some((first, mut rest)) = path.split_first() else {
            return Vec::new();
        };
        let mut found = self.first(module, first, rest.is_empty(), under_way);
        while let Some((name, next)) = rest.split_first() {
            rest = next;
            let step = |found| match found {
                Found::Module(module) if name == "super" => self.outer(module),
                Found::Module(module) => {
                    let found = self.look_up(module, name, rest.is_empty(), under_way);
                    let is_made = found.is_empty() && !self.module(module).names.contains_key(name);
                    if is_made {
                        vec![Found::Made(Named { module, name })]
                    } else {
                        found
                    }
                }
                Found::Definition(definition) if !definition.is_type => Vec::new(),
                Found::Definition(_) | Found::Made(_) => vec![found],
            };
            found = found.into_iter().flat_map(step).collect();
        }
        found
    }

    fn first<'t>(&'t self, module: ModuleId, name: &str, is_last: bool, under_way: &mut UnderWay) -> Vec<Found<'t>> {
        match name {
            "crate" => vec![Found::Module(self.root_of(module))],
            "self" => vec![Found::Module(module)],
            "super" => self.outer(module),
            _ => {
                let found = self.look_up(module, name, is_last, under_way);
                match &self.library {
                    Some((library, root)) if found.is_empty() && library == name => vec![Found::Module(*root)],
                    _ => found,
                }
            }
        }
    }

    fn outer(&self, module: ModuleId) -> Vec<Found<'_>> {
        self.module(module).parent.map(Found::Module).into_iter().collect()
    }

    /// What a name in a module means. Where a path goes on behind it, that is a module or a type.
    fn look_up<'t>(&'t self, module: ModuleId, name: &str, is_last: bool, under_way: &mut UnderWay) -> Vec<Found<'t>> {
        let key = (module, name.to_owned(), is_last);
        if under_way.contains(&key) {
            return Vec::new();
        }
        under_way.push(key);
        let bindings = self.module(module).names.get(name).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        for binding in bindings {
            match binding {
                Binding::Module(module) => found.push(Found::Module(*module)),
                Binding::Definition(definition) => found.push(Found::Definition(definition)),
                Binding::Import(path) => found.extend(self.walk(module, path, under_way)),
            }
        }
        if !is_last {
            found.retain(|found| !matches!(found, Found::Definition(definition) if !definition.is_type));
        }
        // A name of the module's own hides that of a `*`. A module hides no function of its name, though.
        if bindings
            .iter()
            .all(|binding| is_last && matches!(binding, Binding::Module(_)))
        {
            self.look_up_in_globs(module, name, is_last, under_way, &mut found);
        }
        under_way.pop();
        found
    }

    fn look_up_in_globs<'t>(
        &'t self,
        module: ModuleId,
        name: &str,
        is_last: bool,
        under_way: &mut UnderWay,
        found: &mut Vec<Found<'t>>,
    ) {
        let globs = self
            .module(module)
            .imports
            .iter()
            .filter(|import| import.name.is_none());
        for glob in globs {
            for source in self.walk(module, &glob.path, under_way) {
                match source {
                    Found::Module(source) => found.extend(self.look_up(source, name, is_last, under_way)),
                    Found::Definition(definition) if definition.variants.contains(name) => found.push(source),
                    Found::Definition(_) | Found::Made(_) => {}
                }
            }
        }
    }
}
