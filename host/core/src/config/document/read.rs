//! Text into nodes: the parser's strictness and what it says of broken JSON.

use std::collections::BTreeMap;

use jsonc_parser::ast::{Object, Value as Ast};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::value::RawValue;

use super::{Member, Node, Place, Value};

/// Nesting beyond this is refused; the deepest sensible configuration has fewer than ten levels.
const DEEPEST: usize = 100;

/// What is wrong, and the byte at which.
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// The nodes of a text, and what had to be left out of them.
pub(super) fn read(text: &str) -> Result<(Node, Vec<(Fault, Place)>), Fault> {
    if let Some(offset) = unclosed_text(text) {
        return Err(Fault {
            offset,
            message: "this text is not closed on its line: expected a double quote".to_owned(),
        });
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict())
        .map_err(|error| explain(&error, text))?;
    let Some(ast) = parsed.value else {
        return Err(Fault {
            offset: 0,
            message: "the file is empty: expected an object, such as {}".to_owned(),
        });
    };
    let mut reader = Reader {
        text,
        faults: Vec::new(),
    };
    let root = reader.node(&ast, &Place::default(), 0);
    Ok((root, reader.faults))
}

fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

struct Reader<'a> {
    text: &'a str,
    faults: Vec<(Fault, Place)>,
}

impl Reader<'_> {
    fn node(&mut self, ast: &Ast<'_>, place: &Place, depth: usize) -> Node {
        let offset = ast.start();
        if depth > DEEPEST {
            let message = format!("nested deeper than {DEEPEST} levels: flatten it");
            self.fault(offset, place.member(), message);
            return Node {
                offset,
                value: Value::Null,
            };
        }
        let value = match ast {
            Ast::NullKeyword(_) => Value::Null,
            Ast::BooleanLit(boolean) => Value::Bool(boolean.value),
            Ast::StringLit(text) => Value::Text(text.value.to_string()),
            Ast::NumberLit(number) => self.number(offset, place, number.value),
            Ast::Array(array) => {
                let elements = array.elements.iter().enumerate();
                let elements =
                    elements.map(|(index, node)| self.node(node, &place.index(index), depth + 1));
                Value::Array(elements.collect())
            }
            Ast::Object(object) => Value::Object(self.members(object, place, depth)),
        };
        Node { offset, value }
    }

    fn members(&mut self, object: &Object<'_>, place: &Place, depth: usize) -> Vec<Member> {
        let mut members = Vec::with_capacity(object.properties.len());
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for property in &object.properties {
            let key = property.name.as_str();
            let offset = property.name.start();
            let place = place.key(key);
            if let Some(first) = seen.get(key) {
                let line = super::position(self.text, *first).line;
                let message =
                    format!("duplicate key: it stands on line {line} already, remove one of them");
                self.fault(offset, place, message);
                continue;
            }
            seen.insert(key, offset);
            members.push(Member {
                offset,
                key: key.to_owned(),
                node: self.node(&property.value, &place, depth + 1),
            });
        }
        members
    }

    /// The parser takes a few spellings that JSON does not.
    fn number(&mut self, offset: usize, place: &Place, number: &str) -> Value {
        if serde_json::from_str::<&RawValue>(number).is_ok() {
            return Value::Number(number.to_owned());
        }
        let message = format!("{number} is no number that JSON knows");
        self.fault(offset, place.clone(), message);
        Value::Null
    }

    fn fault(&mut self, offset: usize, place: Place, message: String) {
        self.faults.push((Fault { offset, message }, place));
    }
}

/// A text in quotes that runs over the end of its line. A parser that only knows that two texts
/// stand side by side would point far away from where the quote is missing.
fn unclosed_text(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((start, byte)) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'/', Some((_, b'/'))) => {
                bytes.find(|(_, byte)| *byte == b'\n');
            }
            (b'/', Some((_, b'*'))) => {
                bytes.next();
                let mut star = false;
                bytes.find(|(_, byte)| {
                    let end = star && *byte == b'/';
                    star = *byte == b'*';
                    end
                });
            }
            (b'"', _) => loop {
                match bytes.next() {
                    Some((_, b'"')) => break,
                    Some((_, b'\\')) => {
                        bytes.next();
                    }
                    None | Some((_, b'\n' | b'\r')) => return Some(start),
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    None
}

/// What the parser found, with the fix. Its own words name no character of the text, so that
/// a key which was pasted into the wrong place is not repeated.
fn explain(error: &ParseError, text: &str) -> Fault {
    use ParseErrorKind as Kind;
    let message = match error.kind() {
        Kind::ExpectedComma | Kind::UnexpectedTokenInObject => {
            "expected a comma or the closing brace or bracket"
        }
        Kind::TrailingCommasNotAllowed => "a comma before the closing brace or bracket: remove it",
        Kind::ExpectedColonAfterObjectKey => "expected a colon after the key",
        Kind::ExpectedObjectValue => "expected a value after the colon",
        Kind::ExpectedStringObjectProperty => "expected a key in double quotes",
        Kind::UnexpectedWord | Kind::UnexpectedToken => {
            "expected a value, found a bare word: text needs double quotes"
        }
        Kind::SingleQuotedStringsNotAllowed => "text needs double quotes, not single ones",
        Kind::UnexpectedCloseBrace => "expected a value, found a closing brace",
        Kind::UnexpectedCloseBracket => "expected a value, found a closing bracket",
        Kind::UnexpectedColon => "expected a value, found a colon",
        Kind::UnexpectedComma => "expected a value, found a comma",
        Kind::UnterminatedObject => "this object is not closed: expected a closing brace",
        Kind::UnterminatedArray => "this array is not closed: expected a closing bracket",
        Kind::UnterminatedCommentBlock => "this comment is not closed: expected */",
        Kind::MultipleRootJsonValues => {
            "expected the end of the file: only one object may stand in it"
        }
        Kind::NestingDepthExceeded => "nested too deeply: flatten it",
        Kind::String(_) => "no such escape: write a backslash as \\\\",
        Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral => "expected a digit",
        Kind::UnaryPlusNumbersNotAllowed => "a number must not begin with a plus",
        Kind::HexadecimalNumbersNotAllowed => "a number must be written in decimal digits",
        Kind::BareDecimalPointNumbersNotAllowed => {
            "a number needs a digit before and after its decimal point"
        }
        Kind::NonFiniteNumbersNotAllowed => "expected a number: NaN and Infinity are none",
        Kind::CommentsNotAllowed => "comments are written // or /* */",
    };
    Fault {
        offset: error.range().start.min(text.len()),
        message: message.to_owned(),
    }
}
