//! Leaves out what only tests compile.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, File, ImplItem, Item, ItemImpl, ItemMod, ItemTrait, Meta, Stmt, Token, TraitItem};

/// Takes out of a file every item and statement that only tests compile; the whole content if that goes for the file.
pub fn without_tests(mut file: File) -> Vec<Item> {
    if is_test_only(&file.attrs) {
        return Vec::new();
    }
    WithoutTests.visit_file_mut(&mut file);
    file.items
}

struct WithoutTests;

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut File) {
        file.items.retain(is_kept);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(is_kept);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut ItemImpl) {
        block.items.retain(|item| {
            !is_test_only(match item {
                ImplItem::Const(item) => &item.attrs,
                ImplItem::Fn(item) => &item.attrs,
                ImplItem::Type(item) => &item.attrs,
                ImplItem::Macro(item) => &item.attrs,
                _ => &[],
            })
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items.retain(|item| {
            !is_test_only(match item {
                TraitItem::Const(item) => &item.attrs,
                TraitItem::Fn(item) => &item.attrs,
                TraitItem::Type(item) => &item.attrs,
                TraitItem::Macro(item) => &item.attrs,
                _ => &[],
            })
        });
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        block.stmts.retain(|statement| match statement {
            Stmt::Local(local) => !is_test_only(&local.attrs),
            Stmt::Item(item) => is_kept(item),
            Stmt::Macro(call) => !is_test_only(&call.attrs),
            Stmt::Expr(..) => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

fn is_kept(item: &Item) -> bool {
    !is_test_only(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    })
}

fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        path.is_ident("test")
            || path.is_ident("cfg")
                && attribute
                    .parse_args()
                    .is_ok_and(|condition: Meta| needs_test(&condition))
    })
}

/// Whether a condition of a `cfg` can hold in tests alone.
fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let parts = parts.unwrap_or_default();
            list.path.is_ident("all") && parts.iter().any(needs_test)
                || list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
        }
        Meta::NameValue(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many items of this code are left.
    fn left(code: &str) -> usize {
        without_tests(syn::parse_file(code).unwrap()).len()
    }

    #[test]
    fn what_needs_tests_goes() {
        for condition in ["test", "all(test, unix)", "any(test, all(test, unix))"] {
            assert_eq!(left(&format!("#[cfg({condition})] mod tests {{}}")), 0, "{condition}");
        }
        assert_eq!(left("#[test] fn it_works() {}"), 0);
        assert_eq!(left("#![cfg(test)] fn it_works() {}"), 0);
    }

    #[test]
    fn what_is_also_compiled_otherwise_stays() {
        for condition in [
            "unix",
            "not(test)",
            "any(feature = \"test\", test)",
            "all(unix, not(test))",
        ] {
            assert_eq!(left(&format!("#[cfg({condition})] mod code {{}}")), 1, "{condition}");
        }
    }

    #[test]
    fn tests_deeper_inside_go() {
        let code = "mod a { #[cfg(test)] mod tests {} fn f() { #[cfg(test)] use crate::b; } }";
        let items = without_tests(syn::parse_file(code).unwrap());
        let Item::Mod(ItemMod {
            content: Some((_, items)),
            ..
        }) = &items[0]
        else {
            panic!("the module is gone");
        };
        let [Item::Fn(function)] = &items[..] else {
            panic!("not the function alone");
        };
        assert!(function.block.stmts.is_empty());
    }
}
