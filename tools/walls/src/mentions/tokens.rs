//! The paths in what is not parsed: the input of macros and attributes, and the bodies of `macro_rules!`.

use proc_macro2::{TokenStream, TokenTree};

/// Every path in a row of tokens, as names with `::` between them. Fields and methods (`.name`) and lifetimes are none.
pub fn paths(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = Vec::new();
    collect(tokens, &mut paths);
    paths
}

fn collect(tokens: TokenStream, paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let before = &tokens[..index];
        match token {
            TokenTree::Group(group) => collect(group.stream(), paths),
            TokenTree::Ident(name) if follows(before, "::") => {
                // The rest of a path whose beginning is no name, `$type::NAME` or `<T as A>::NAME`, says nothing.
                if let (Some(path), Some(TokenTree::Ident(_))) = (paths.last_mut(), before.iter().rev().nth(2)) {
                    path.push(name.to_string());
                }
            }
            TokenTree::Ident(_) if follows(before, ".") && !follows(before, "..") || follows(before, "'") => {}
            TokenTree::Ident(name) => paths.push(vec![name.to_string()]),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Whether tokens end with this punctuation.
fn follows(tokens: &[TokenTree], punctuation: &str) -> bool {
    let last = tokens.iter().rev();
    let mut expected = punctuation.chars().rev().zip(last);
    tokens.len() >= punctuation.len()
        && expected.all(|(expected, token)| matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(code: &str) -> Vec<String> {
        let paths = paths(code.parse().unwrap());
        paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn names_and_paths_are_found_at_any_depth() {
        assert_eq!(joined("a => b::C { d: [e::f; 2] }"), ["a", "b::C", "d", "e::f"]);
        assert_eq!(joined("$crate::a::b(0..c)"), ["crate::a::b", "c"]);
    }

    #[test]
    fn fields_lifetimes_and_strings_are_no_paths() {
        assert_eq!(joined("a.b.c(\"d::e\") 'f"), ["a"]);
    }
}
