//! The variables and type parameters in scope, which hide items of the same name.

use std::collections::BTreeSet;

/// The variables and type parameters in scope.
#[derive(Debug, Default)]
pub struct Locals {
    scopes: Vec<BTreeSet<String>>,
}

impl Locals {
    pub fn open(&mut self) {
        self.scopes.push(BTreeSet::new());
    }

    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// Names something in the innermost scope.
    pub fn add(&mut self, name: String) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name);
        }
    }

    /// Whether a path is the name of something local.
    pub fn has(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.scopes.iter().any(|scope| scope.contains(name)))
    }
}
