//! Rust source as the checks look at it: the tokens of the language's own lexer, without comments
//! and unit tests, each with its line.

use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, a literal, a bracket or a punctuation mark; `::` is one token.
pub(super) struct Token {
    /// As it is written.
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What marks a module of unit tests, which ends the product.
const TESTS: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];

/// The tokens of a file up to its unit tests.
///
/// # Errors
///
/// The text is no Rust; the message names the line.
pub(super) fn product(text: &str) -> Result<Vec<Token>> {
    let stream = TokenStream::from_str(text)
        .map_err(|error| anyhow!("line {}: {error}", error.span().start().line))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    let begins_tests = |window: &[Token]| window.iter().map(|token| token.text.as_str()).eq(TESTS);
    if let Some(end) = tokens.windows(TESTS.len()).position(begins_tests) {
        tokens.truncate(end);
    }
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let mut line = tree.span().start().line;
        let text = match tree {
            // A comment of documentation is the attribute `[doc = "…"]` to the lexer.
            TokenTree::Group(group) if group.stream().to_string().starts_with("doc =") => {
                while tokens
                    .pop_if(|mark| matches!(&*mark.text, "#" | "!"))
                    .is_some()
                {}
                continue;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token {
                    text: open.to_owned(),
                    line,
                });
                line = group.span_close().end().line;
                flatten(group.stream(), tokens);
                close.to_owned()
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                let is_colon = |next: &TokenTree| matches!(next, TokenTree::Punct(next) if next.as_char() == ':');
                let is_path = trees.next_if(is_colon).is_some();
                if is_path { "::" } else { ":" }.to_owned()
            }
            other => other.to_string(),
        };
        tokens.push(Token { text, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = product(text).expect("it is Rust");
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_left_out_and_literals_are_one_token() {
        let text = "//! wasmtime\n/// sqlx\nfn a<'x>() { /* reqwest /* deep */ */ \"use sqlx\" }\n#[doc(hidden)]\n";
        assert_eq!(
            words(text).join(" "),
            "fn a < ' x > ( ) { \"use sqlx\" } # [ doc ( hidden ) ]"
        );
    }

    #[test]
    fn a_test_module_ends_the_product() {
        let text =
            "use a;\n#[cfg(test)]\nuse c;\nfn d() {}\n#[cfg(test)]\nmod tests { fn e() {} }\n";
        let left = words(text).join(" ");
        assert!(left.contains("fn d ( )") && left.contains("use c"));
        assert!(!left.contains("fn e"));
    }

    #[test]
    fn paths_are_tokens_with_their_lines() {
        let text = "use crate::{\n    a, b::c,\n};\nlet d: &e = f;";
        let found = words(text).join(" ");
        assert_eq!(found, "use crate :: { a , b :: c , } ; let d : & e = f ;");
        let lines = product(text).expect("it is Rust");
        let lines: Vec<usize> = lines.iter().map(|token| token.line).collect();
        assert_eq!(
            lines,
            [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]
        );
    }

    #[test]
    fn what_is_no_rust_is_told_with_its_line() {
        let error = product("fn a() {}\nfn b( {").err().expect("it is no Rust");
        assert!(error.to_string().starts_with("line 2"), "{error}");
    }
}
