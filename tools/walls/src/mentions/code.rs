//! The paths in a module's code.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, Block, Expr, ExprClosure, ExprForLoop, ExprIf, ExprWhile, GenericParam, Generics, ImplItem, Item,
    Local, Macro, Meta, PatIdent, Path, TraitItem,
};

use super::locals::Locals;
use super::tokens;

/// What a module's code names, its `use`s aside.
#[derive(Debug, Default)]
pub struct Mentions {
    /// The paths but for those of variables and type parameters.
    pub paths: BTreeSet<Vec<String>>,
    /// The macros that are called by their mere name.
    pub macros: BTreeSet<String>,
}

/// What these items name.
pub fn mentions(items: &[Item]) -> Mentions {
    let mut reader = Reader::default();
    items.iter().for_each(|item| reader.visit_item(item));
    reader.mentions
}

#[derive(Default)]
struct Reader {
    mentions: Mentions,
    locals: Locals,
}

impl Reader {
    fn mention(&mut self, path: Vec<String>) {
        if !self.locals.has(&path) {
            self.mentions.paths.insert(path);
        }
    }

    /// Reads something in a scope of its own.
    fn scoped(&mut self, read: impl FnOnce(&mut Self)) {
        self.locals.open();
        read(self);
        self.locals.close();
    }

    /// The input of a macro: expressions if it can be read so, otherwise every path in it.
    fn input(&mut self, input: &TokenStream) {
        let list = TokenTree::Group(Group::new(Delimiter::Bracket, input.clone()));
        match syn::parse2::<Expr>(list.into()) {
            Ok(list) => self.visit_expr(&list),
            Err(_) => tokens::paths(input.clone())
                .into_iter()
                .for_each(|path| self.mention(path)),
        }
    }

    /// Where a single word can mean anything: the paths of several names alone.
    fn longer_paths(&mut self, tokens: &TokenStream) {
        let paths = tokens::paths(tokens.clone()).into_iter();
        self.mentions.paths.extend(paths.filter(|path| path.len() > 1));
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Use(_) => {}
            Item::Macro(definition) if definition.ident.is_some() => self.longer_paths(&definition.mac.tokens),
            _ => self.scoped(|reader| visit::visit_item(reader, item)),
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string());
            self.mention(names.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        match call.path.get_ident() {
            Some(name) => {
                self.mentions.macros.insert(name.to_string());
            }
            None => self.visit_path(&call.path),
        }
        self.input(&call.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.longer_paths(&list.tokens);
        }
    }

    /// A variable, or by its spelling a constant or a variant.
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        if name.starts_with(char::is_uppercase) {
            self.mention(vec![name]);
        } else {
            self.locals.add(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_generics(&mut self, generics: &'ast Generics) {
        for parameter in &generics.params {
            match parameter {
                GenericParam::Type(parameter) => self.locals.add(parameter.ident.to_string()),
                GenericParam::Const(parameter) => self.locals.add(parameter.ident.to_string()),
                GenericParam::Lifetime(_) => {}
            }
        }
        visit::visit_generics(self, generics);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        self.scoped(|reader| visit::visit_impl_item(reader, item));
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        self.scoped(|reader| visit::visit_trait_item(reader, item));
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.scoped(|reader| visit::visit_block(reader, block));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.scoped(|reader| visit::visit_expr_closure(reader, closure));
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.scoped(|reader| visit::visit_arm(reader, arm));
    }

    fn visit_expr_while(&mut self, expression: &'ast ExprWhile) {
        self.scoped(|reader| visit::visit_expr_while(reader, expression));
    }

    fn visit_expr_if(&mut self, expression: &'ast ExprIf) {
        self.scoped(|reader| {
            reader.visit_expr(&expression.cond);
            reader.visit_block(&expression.then_branch);
        });
        if let Some((_, otherwise)) = &expression.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast ExprForLoop) {
        self.visit_expr(&expression.expr);
        self.scoped(|reader| {
            reader.visit_pat(&expression.pat);
            reader.visit_block(&expression.body);
        });
    }

    /// The value first: in `let energy = energy(map)` the variable is not yet there.
    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.visit_local_init(init);
        }
        self.visit_pat(&local.pat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths in this code.
    fn paths(code: &str) -> Vec<String> {
        let mentions = mentions(&syn::parse_file(code).unwrap().items);
        mentions.paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn variables_are_no_paths_where_they_are_in_scope() {
        assert_eq!(paths("fn f() { let energy = energy(); energy; }"), ["energy"]);
        assert_eq!(paths("fn f() { { let energy = 1; } energy; }"), ["energy"]);
        assert_eq!(
            paths("fn f() { if let Some(a) = b { a } else { a } }"),
            ["Some", "a", "b"]
        );
        assert_eq!(paths("fn f() { for a in b { a } }"), ["b"]);
        assert_eq!(paths("fn f(a: A) { |b| a + b; }"), ["A"]);
        assert_eq!(paths("fn f() { match a { b if b => b, MAX => c } }"), ["MAX", "a", "c"]);
    }

    #[test]
    fn type_parameters_are_no_paths() {
        assert_eq!(
            paths("fn f<T: A, const N: usize>(a: [T; N]) -> B {}"),
            ["A", "B", "usize"]
        );
        assert_eq!(
            paths("impl<T> A<T> { fn f<U>() -> (T, U) {} } fn g() -> T {}"),
            ["A", "T"]
        );
    }

    #[test]
    fn macros_are_read() {
        assert_eq!(paths("fn f() { vec![a::B; 2]; }"), ["a::B"]);
        assert_eq!(
            paths("fn f(x: X) { format!(\"{}\", x.map(|c| a::b(c))); }"),
            ["X", "a::b"]
        );
        assert_eq!(
            paths("fn f(x: X) { unparsed!(x => a::B { .. }, c::d(x)); }"),
            ["X", "a::B", "c::d"]
        );
        assert_eq!(
            paths("macro_rules! m { ($a:expr) => { $crate::b::C + local } }"),
            ["crate::b::C"]
        );
    }

    #[test]
    fn comments_strings_and_plain_attributes_are_not_read() {
        let code = "/// [`a::B`]\n #[derive(C)] #[doc = \"d::E\"] #[error(\"{}\", f::g(x))] struct H(\nI);";
        assert_eq!(paths(code), ["I", "f::g"]);
    }
}
