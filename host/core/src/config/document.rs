//! JSON with places: every key and value of a text with where it stands.
//!
//! Comments (`//` and `/* */`) are allowed; everything else is strict JSON, and no key may stand
//! twice in an object. Knows nothing of what the keys mean.

mod place;
mod read;
mod write;

pub(super) use place::Place;

use place::Step;

use super::diagnose::{Position, Problem};

/// A parsed text.
pub(super) struct Document {
    name: Option<String>,
    text: String,
    root: Node,
}

/// A JSON value and the byte at which it begins.
pub(super) struct Node {
    offset: usize,
    /// What it is.
    pub(super) value: Value,
}

impl Node {
    /// `{}`.
    pub(super) fn is_empty_object(&self) -> bool {
        matches!(&self.value, Value::Object(members) if members.is_empty())
    }
}

/// A JSON value. Numbers are kept as they were written.
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A key and its value.
pub(super) struct Member {
    offset: usize,
    pub(super) key: String,
    pub(super) node: Node,
}

/// Which end of a member a problem points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Key,
    Value,
}

impl Document {
    /// Reads a text. The problems beside the document are duplicate keys and impossible numbers,
    /// whose values are left out.
    ///
    /// # Errors
    ///
    /// The one problem that makes the text no JSON.
    pub(super) fn parse(
        name: Option<String>,
        text: &str,
    ) -> Result<(Self, Vec<Problem>), Box<Problem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let mut document = Self {
            name,
            root: Node {
                offset: 0,
                value: Value::Null,
            },
            text,
        };
        match read::read(&document.text) {
            Ok((root, faults)) => {
                document.root = root;
                let problems = faults
                    .into_iter()
                    .map(|(fault, place)| {
                        document.problem_at(fault.offset, place.to_string(), fault.message)
                    })
                    .collect();
                Ok((document, problems))
            }
            Err(fault) => Err(Box::new(document.problem_at(
                fault.offset,
                String::new(),
                fault.message,
            ))),
        }
    }

    /// The outermost value.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// The value at a place.
    pub(super) fn node(&self, place: &Place) -> Option<&Node> {
        let mut node = &self.root;
        for step in place.steps() {
            node = node.step(step)?.1;
        }
        Some(node)
    }

    /// The keys of the object at a place, in the order of the text.
    pub(super) fn keys(&self, place: &Place) -> Vec<&str> {
        match self.node(place) {
            Some(Node {
                value: Value::Object(members),
                ..
            }) => members.iter().map(|member| member.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// A problem with what stands at a place, or with its nearest ancestor if nothing does.
    pub(super) fn problem(&self, place: &Place, aim: Aim, message: impl Into<String>) -> Problem {
        let mut node = &self.root;
        let mut offset = node.offset;
        for (depth, step) in place.steps().iter().enumerate() {
            let last = depth + 1 == place.steps().len();
            let Some((key, value)) = node.step(step) else {
                break;
            };
            offset = match aim {
                Aim::Value if last => value.offset,
                _ => key,
            };
            node = value;
        }
        self.problem_at(offset, place.to_string(), message.into())
    }

    fn problem_at(&self, offset: usize, path: String, message: String) -> Problem {
        Problem {
            file: self.name.clone(),
            position: Some(position(&self.text, offset)),
            path,
            message,
        }
    }

    /// The document as plain JSON text without comments and without what stands at these places.
    pub(super) fn to_json(&self, without: &[Place]) -> String {
        let mut json = String::with_capacity(self.text.len());
        write::node(&self.root, &Place::default(), without, &mut json);
        json
    }
}

impl Node {
    /// The member or element of that step: where its key begins, and its value.
    fn step(&self, step: &Step) -> Option<(usize, &Node)> {
        match (&self.value, step) {
            (Value::Object(members), Step::Key(key)) => members
                .iter()
                .find(|member| *member.key == **key)
                .map(|member| (member.offset, &member.node)),
            (Value::Array(elements), Step::Index(index)) => {
                elements.get(*index).map(|node| (node.offset, node))
            }
            _ => None,
        }
    }
}

/// Where a byte stands, as editors count.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or("").chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Document, Vec<Problem>) {
        Document::parse(Some("x.json".to_owned()), text).unwrap()
    }

    fn broken(text: &str) -> String {
        match Document::parse(Some("x.json".to_owned()), text) {
            Ok(_) => panic!("{text} was taken for JSON"),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let (document, _) = parse("{\r\n  \"é\": 1, \"b\": [true,\n 2]\r\n}");
        let place = Place::default().key("b").index(1);
        let problem = document.problem(&place, Aim::Value, "no");
        assert_eq!(problem.to_string(), "x.json:3:2: b[1]: no");
        let key = document.problem(&Place::default().key("b"), Aim::Key, "no");
        assert_eq!(key.to_string(), "x.json:2:11: b: no");
        let absent = document.problem(&Place::default().key("b").key("c"), Aim::Value, "no");
        assert_eq!(absent.to_string(), "x.json:2:11: b.c: no");
    }

    #[test]
    fn comments_and_a_byte_order_mark_are_allowed() {
        let (document, problems) = parse("\u{feff}// a\n{ /* b */ \"a\": \"x//y\" } // c");
        assert!(problems.is_empty());
        assert_eq!(document.to_json(&[]), r#"{"a":"x//y"}"#);
    }

    #[test]
    fn numbers_are_kept_as_written_and_places_can_be_left_out() {
        let (document, _) = parse(r#"{"a": 0.030, "b": [1e2, null, {}], "c": {"d": true}}"#);
        let without = [Place::default().key("c").key("d")];
        assert_eq!(
            document.to_json(&without),
            r#"{"a":0.030,"b":[1e2,null,{}],"c":{}}"#
        );
    }

    #[test]
    fn a_key_may_stand_once() {
        let (document, problems) = parse("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}");
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            lines,
            ["x.json:2:16: b.c: duplicate key: it stands on line 2 already, remove one of them"]
        );
        assert_eq!(document.to_json(&[]), r#"{"a":1,"b":{"c":1}}"#);
    }

    #[test]
    fn broken_json_says_where_and_what_was_expected() {
        let cases = [
            (
                "",
                "x.json:1:1: the file is empty: expected an object, such as {}",
            ),
            (
                "{\"a\": 1,}",
                "x.json:1:8: a comma before the closing brace or bracket: remove it",
            ),
            (
                "{\"a\": 1\n \"b\": 2}",
                "x.json:1:8: expected a comma or the closing brace or bracket",
            ),
            ("{\"a\" 1}", "x.json:1:6: expected a colon after the key"),
            (
                "{\"a\": }",
                "x.json:1:7: expected a value, found a closing brace",
            ),
            (
                "{\"a\": 1",
                "x.json:1:1: this object is not closed: expected a closing brace",
            ),
            (
                "{\"a\": [1",
                "x.json:1:7: this array is not closed: expected a closing bracket",
            ),
            ("{a: 1}", "x.json:1:2: expected a key in double quotes"),
            (
                "{\"a\": yes}",
                "x.json:1:7: expected a value, found a bare word: text needs double quotes",
            ),
            (
                "{\"a\": 'x'}",
                "x.json:1:7: text needs double quotes, not single ones",
            ),
            (
                "{\"a\": \"x,\n \"b\": 1}",
                "x.json:1:7: this text is not closed on its line: expected a double quote",
            ),
            (
                "{\"a\": \"\\q\"}",
                "x.json:1:8: no such escape: write a backslash as \\\\",
            ),
            (
                "{} {}",
                "x.json:1:4: expected the end of the file: only one object may stand in it",
            ),
            (
                "{\"a\": +1}",
                "x.json:1:7: a number must not begin with a plus",
            ),
            (
                "{\"a\": 01}",
                "x.json:1:8: expected a comma or the closing brace or bracket",
            ),
            ("{\"a\": -}", "x.json:1:8: expected a digit"),
        ];
        for (text, expected) in cases {
            assert_eq!(broken(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        assert!(parse(&deep).1.first().unwrap().message.contains("levels"));
        assert!(broken(&"[".repeat(100_000)).contains("nested"));
    }
}
