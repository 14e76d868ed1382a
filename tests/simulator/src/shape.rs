//! A small language for the shape of a request's JSON, and the check against it. The vendors' request
//! bodies are declared as tables of it; what a flaw is called in an error message is the vendor's business.

use serde_json::{Map, Value};

/// What a JSON value must look like.
pub(crate) enum Shape {
    Any,
    Text,
    Flag,
    /// An integer from … to, inclusive.
    Whole(i64, i64),
    /// A number from … to, inclusive.
    Number(f64, f64),
    OneOf(&'static [&'static str]),
    /// Any object.
    Open,
    Object(&'static [Field]),
    /// An object whose fields depend on the value of its tag.
    Tagged(&'static str, &'static [(&'static str, &'static [Field])]),
    List(&'static Shape),
    /// An object of any names whose values all have this shape.
    Map(&'static Shape),
    /// The same as another, which may be this one's ancestor.
    Ref(&'static Shape),
    Either(&'static [Shape]),
}

/// A field of an object. A `null` counts as absent.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

pub(crate) const fn field(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
    }
}

pub(crate) const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: true,
    }
}

/// One thing wrong with a body, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flaw {
    pub(crate) path: Vec<Segment>,
    pub(crate) kind: FlawKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FlawKind {
    Unknown,
    Missing,
    Type {
        expected: String,
        found: &'static str,
    },
    Range {
        min: f64,
        max: f64,
        value: f64,
    },
    Choice {
        allowed: Vec<&'static str>,
        found: String,
    },
}

impl Flaw {
    /// `messages[0].content`, as OpenAI and Google write it.
    pub(crate) fn bracketed(&self) -> String {
        let mut text = String::new();
        for segment in &self.path {
            match segment {
                Segment::Key(key) if text.is_empty() => text.push_str(key),
                Segment::Key(key) => text.push_str(&format!(".{key}")),
                Segment::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    /// `messages.0.content`, as Anthropic writes it.
    pub(crate) fn dotted(&self) -> String {
        let name = |segment: &Segment| match segment {
            Segment::Key(key) => key.clone(),
            Segment::Index(index) => index.to_string(),
        };
        self.path.iter().map(name).collect::<Vec<_>>().join(".")
    }

    /// The path without its last segment, and that segment's text: where an unknown name stood.
    pub(crate) fn parent_and_name(&self) -> (Self, String) {
        let mut parent = self.clone();
        let name = match parent.path.pop() {
            Some(Segment::Key(key)) => key,
            Some(Segment::Index(index)) => index.to_string(),
            None => String::new(),
        };
        (parent, name)
    }
}

/// Checks values against shapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checker {
    /// Whether fields that no table names are let through.
    pub(crate) unknown_fields: bool,
}

impl Checker {
    /// Refuses what no table names.
    pub(crate) const STRICT: Self = Self {
        unknown_fields: false,
    };
    /// Ignores what no table names.
    pub(crate) const LENIENT: Self = Self {
        unknown_fields: true,
    };

    /// The first flaw in document order of the tables, if any.
    pub(crate) fn check(self, value: &Value, shape: &Shape) -> Result<(), Flaw> {
        self.at(value, shape, &mut Vec::new())
    }

    fn at(self, value: &Value, shape: &Shape, path: &mut Vec<Segment>) -> Result<(), Flaw> {
        match (shape, value) {
            (Shape::Any, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Flag, Value::Bool(_))
            | (Shape::Open, Value::Object(_)) => Ok(()),
            (Shape::Whole(min, max), Value::Number(number)) if is_whole(number) => {
                in_range(number, *min as f64, *max as f64, path)
            }
            (Shape::Number(min, max), Value::Number(number)) => in_range(number, *min, *max, path),
            (Shape::OneOf(allowed), Value::String(found)) => one_of(allowed, found, path),
            (Shape::Object(fields), Value::Object(object)) => {
                self.object(object, fields, None, path)
            }
            (Shape::Tagged(tag, variants), Value::Object(object)) => {
                self.tagged(object, tag, variants, path)
            }
            (Shape::List(item), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    path.push(Segment::Index(index));
                    self.at(value, item, path)?;
                    path.pop();
                }
                Ok(())
            }
            (Shape::Map(item), Value::Object(members)) => {
                for (name, value) in members {
                    path.push(Segment::Key(name.clone()));
                    self.at(value, item, path)?;
                    path.pop();
                }
                Ok(())
            }
            (Shape::Ref(shape), _) => self.at(value, shape, path),
            (Shape::Either(shapes), _) => self.either(value, shapes, path),
            _ => Err(wrong_type(shape.expected(), value, path)),
        }
    }

    fn object(
        self,
        object: &Map<String, Value>,
        fields: &[Field],
        tag: Option<&str>,
        path: &mut Vec<Segment>,
    ) -> Result<(), Flaw> {
        let known = |name: &str| tag == Some(name) || fields.iter().any(|field| field.name == name);
        if !self.unknown_fields
            && let Some(name) = object.keys().find(|name| !known(name))
        {
            return Err(flaw_at(path, name, FlawKind::Unknown));
        }
        for field in fields {
            match object.get(field.name) {
                None | Some(Value::Null) if field.required => {
                    return Err(flaw_at(path, field.name, FlawKind::Missing));
                }
                None | Some(Value::Null) => {}
                Some(value) => {
                    path.push(Segment::Key(field.name.to_owned()));
                    self.at(value, &field.shape, path)?;
                    path.pop();
                }
            }
        }
        Ok(())
    }

    fn tagged(
        self,
        object: &Map<String, Value>,
        tag: &'static str,
        variants: &[(&'static str, &'static [Field])],
        path: &mut Vec<Segment>,
    ) -> Result<(), Flaw> {
        let found = match object.get(tag) {
            None | Some(Value::Null) => return Err(flaw_at(path, tag, FlawKind::Missing)),
            Some(Value::String(found)) => found,
            Some(other) => {
                path.push(Segment::Key(tag.to_owned()));
                return Err(wrong_type("a string".to_owned(), other, path));
            }
        };
        match variants.iter().find(|(name, _)| name == found) {
            Some((_, fields)) => self.object(object, fields, Some(tag), path),
            None => {
                let allowed = variants.iter().map(|(name, _)| *name).collect();
                Err(flaw_at(
                    path,
                    tag,
                    FlawKind::Choice {
                        allowed,
                        found: found.clone(),
                    },
                ))
            }
        }
    }

    fn either(self, value: &Value, shapes: &[Shape], path: &mut Vec<Segment>) -> Result<(), Flaw> {
        let depth = path.len();
        let mut deepest: Option<Flaw> = None;
        for shape in shapes {
            match self.at(value, shape, path) {
                Ok(()) => return Ok(()),
                Err(flaw) => {
                    path.truncate(depth);
                    let is_this_type =
                        flaw.path.len() > depth || !matches!(flaw.kind, FlawKind::Type { .. });
                    if is_this_type
                        && deepest
                            .as_ref()
                            .is_none_or(|other| other.path.len() < flaw.path.len())
                    {
                        deepest = Some(flaw);
                    }
                }
            }
        }
        let expected = || {
            shapes
                .iter()
                .map(Shape::expected)
                .collect::<Vec<_>>()
                .join(" or ")
        };
        Err(deepest.unwrap_or_else(|| wrong_type(expected(), value, path)))
    }
}

impl Shape {
    fn expected(&self) -> String {
        let text = match self {
            Self::Any => "a value",
            Self::Text | Self::OneOf(_) => "a string",
            Self::Flag => "a boolean",
            Self::Whole(..) => "an integer",
            Self::Number(..) => "a number",
            Self::Open | Self::Object(_) | Self::Tagged(..) | Self::Map(_) => "an object",
            Self::List(_) => "an array",
            Self::Ref(shape) => return shape.expected(),
            Self::Either(shapes) => {
                return shapes
                    .iter()
                    .map(Self::expected)
                    .collect::<Vec<_>>()
                    .join(" or ");
            }
        };
        text.to_owned()
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

fn in_range(number: &serde_json::Number, min: f64, max: f64, path: &[Segment]) -> Result<(), Flaw> {
    let value = number.as_f64().unwrap_or(f64::NAN);
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Flaw {
        path: path.to_vec(),
        kind: FlawKind::Range { min, max, value },
    })
}

fn one_of(allowed: &[&'static str], found: &str, path: &[Segment]) -> Result<(), Flaw> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let kind = FlawKind::Choice {
        allowed: allowed.to_vec(),
        found: found.to_owned(),
    };
    Err(Flaw {
        path: path.to_vec(),
        kind,
    })
}

fn wrong_type(expected: String, value: &Value, path: &[Segment]) -> Flaw {
    Flaw {
        path: path.to_vec(),
        kind: FlawKind::Type {
            expected,
            found: type_name(value),
        },
    }
}

fn flaw_at(path: &[Segment], name: &str, kind: FlawKind) -> Flaw {
    let mut path = path.to_vec();
    path.push(Segment::Key(name.to_owned()));
    Flaw { path, kind }
}

/// What a value is, with its article, as error messages say it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if is_whole(number) => "an integer",
        Value::Number(_) => "a decimal",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
