//! A value held against a JSON Schema (draft 2020-12, and what draft 7 writes otherwise).
//!
//! Judged is what needs no regular expression and no fetching. Whatever rests on the rest (`pattern`, a
//! reference elsewhere) is left open: a value is never said to be wrong that may be right.

mod values;

use std::cell::Cell;

use serde_json::{Map, Value};

use values::{count, plain, said, same};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// A JSON pointer; empty for the whole.
    pub(super) path: String,
    pub(super) reason: String,
}

/// Schemas and references nested deeper than this are left open.
const DEEPEST: usize = 64;
/// So many schemas are looked at: `anyOf` in `anyOf` multiplies.
const STEPS: u32 = 200_000;

/// Keywords whose judgement needs more than is here.
const OPEN: [&str; 6] = [
    "pattern",
    "patternProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
];

/// The first fault of a value, if one is certain.
pub(super) fn fault(schema: &Value, value: &Value) -> Option<Fault> {
    let judge = Judge {
        root: schema,
        steps: Cell::new(0),
    };
    match judge.whole(schema, value, "", 0) {
        Verdict::Wrong(fault) => Some(fault),
        Verdict::Right | Verdict::Open => None,
    }
}

enum Verdict {
    Right,
    Wrong(Fault),
    /// It may be either.
    Open,
}

struct Judge<'a> {
    root: &'a Value,
    steps: Cell<u32>,
}

/// Collects the verdicts of keywords that must all be satisfied.
struct All(Verdict);

impl All {
    /// False once something is wrong.
    fn and(&mut self, verdict: Verdict) {
        match (&self.0, &verdict) {
            (Verdict::Wrong(_), _) | (_, Verdict::Right) | (Verdict::Open, Verdict::Open) => {}
            _ => self.0 = verdict,
        }
    }
}

fn wrong(path: &str, reason: impl Into<String>) -> Verdict {
    Verdict::Wrong(Fault {
        path: path.to_owned(),
        reason: reason.into(),
    })
}

fn must(right: bool, path: &str, reason: impl FnOnce() -> String) -> Verdict {
    match right {
        true => Verdict::Right,
        false => wrong(path, reason()),
    }
}

impl Judge<'_> {
    fn whole(&self, schema: &Value, value: &Value, path: &str, depth: usize) -> Verdict {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if depth > DEEPEST || steps > STEPS {
            return Verdict::Open;
        }
        let schema = match schema {
            Value::Bool(true) => return Verdict::Right,
            Value::Bool(false) => return wrong(path, "nothing may stand here"),
            Value::Object(schema) => schema,
            _ => return Verdict::Open,
        };
        let mut all = All(Verdict::Right);
        if OPEN.iter().any(|name| schema.contains_key(*name)) {
            all.and(Verdict::Open);
        }
        all.and(plain(schema, value, path));
        all.and(self.combined(schema, value, path, depth + 1));
        match value {
            Value::Array(list) => all.and(self.list(schema, list, path, depth + 1)),
            Value::Object(object) => all.and(self.object(schema, object, path, depth + 1)),
            _ => {}
        }
        all.0
    }

    /// References and what combines schemas.
    fn combined(
        &self,
        schema: &Map<String, Value>,
        value: &Value,
        path: &str,
        depth: usize,
    ) -> Verdict {
        let judge = |schema: &Value| self.whole(schema, value, path, depth);
        let mut all = All(Verdict::Right);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            all.and(
                pointer(reference)
                    .and_then(|pointer| self.root.pointer(&pointer))
                    .map_or(Verdict::Open, judge),
            );
        }
        for one in listed(schema, "allOf") {
            all.and(judge(one));
        }
        for (name, exactly) in [("anyOf", false), ("oneOf", true)] {
            let verdicts: Vec<Verdict> = listed(schema, name).iter().map(judge).collect();
            if !verdicts.is_empty() {
                all.and(choice(verdicts, exactly, path));
            }
        }
        if let Some(inner) = schema.get("not") {
            all.and(match judge(inner) {
                Verdict::Right => wrong(path, format!("{} is what \"not\" excludes", said(value))),
                Verdict::Wrong(_) => Verdict::Right,
                Verdict::Open => Verdict::Open,
            });
        }
        if let Some(condition) = schema.get("if") {
            let branch = match judge(condition) {
                Verdict::Right => schema.get("then"),
                Verdict::Wrong(_) => schema.get("else"),
                Verdict::Open => {
                    all.and(Verdict::Open);
                    None
                }
            };
            if let Some(branch) = branch {
                all.and(judge(branch));
            }
        }
        all.0
    }

    fn list(
        &self,
        schema: &Map<String, Value>,
        list: &[Value],
        path: &str,
        depth: usize,
    ) -> Verdict {
        let mut all = All(Verdict::Right);
        // Draft 7 writes the schemas of the first elements as `items`, that of the others as `additionalItems`.
        let (first, rest) = match schema.get("items") {
            Some(Value::Array(first)) => (first.as_slice(), schema.get("additionalItems")),
            rest => (listed(schema, "prefixItems"), rest),
        };
        for (at, element) in list.iter().enumerate() {
            if let Some(inner) = first.get(at).or(rest) {
                all.and(self.whole(inner, element, &format!("{path}/{at}"), depth));
            }
        }
        if let Some(wanted) = schema.get("contains") {
            let least = count(schema, "minContains").unwrap_or(1);
            let most = count(schema, "maxContains").unwrap_or(usize::MAX);
            let (mut right, mut open) = (0, 0);
            for element in list {
                match self.whole(wanted, element, path, depth) {
                    Verdict::Right => right += 1,
                    Verdict::Open => open += 1,
                    Verdict::Wrong(_) => {}
                }
            }
            all.and(if right > most || right + open < least {
                wrong(path, "its elements are not those that \"contains\" wants")
            } else if open > 0 {
                Verdict::Open
            } else {
                Verdict::Right
            });
        }
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let twice = |(at, one): (usize, &Value)| list.iter().take(at).any(|other| same(one, other));
        // Each is compared with each: not for more than can be.
        if unique && list.len() <= 2_000 {
            let found = list.iter().enumerate().any(twice);
            all.and(must(!found, path, || {
                "an element stands in it twice".to_owned()
            }));
        }
        all.0
    }

    fn object(
        &self,
        schema: &Map<String, Value>,
        object: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Verdict {
        let mut all = All(Verdict::Right);
        let known = schema.get("properties").and_then(Value::as_object);
        for name in listed(schema, "required").iter().filter_map(Value::as_str) {
            let there = object.contains_key(name);
            all.and(must(there, path, || format!("{name:?} is missing")));
        }
        let others = schema
            .get("additionalProperties")
            .filter(|_| !schema.contains_key("patternProperties"));
        for (name, value) in object {
            let place = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            match (known.and_then(|known| known.get(name)), others) {
                (Some(inner), _) => all.and(self.whole(inner, value, &place, depth)),
                (None, Some(Value::Bool(false))) => {
                    all.and(wrong(path, format!("{name:?} is not allowed")));
                }
                (None, Some(inner)) => all.and(self.whole(inner, value, &place, depth)),
                (None, None) => {}
            }
            if let Some(names) = schema.get("propertyNames") {
                all.and(self.whole(names, &Value::String(name.clone()), &place, depth));
            }
        }
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let dependents = schema.get(keyword).and_then(Value::as_object);
            for (name, wanted) in dependents.into_iter().flatten() {
                if !object.contains_key(name) {
                    continue;
                }
                match wanted {
                    Value::Array(names) => {
                        for needed in names.iter().filter_map(Value::as_str) {
                            let there = object.contains_key(needed);
                            all.and(must(there, path, || {
                                format!("{needed:?} is missing, which {name:?} needs")
                            }));
                        }
                    }
                    inner => {
                        let whole = Value::Object(object.clone());
                        all.and(self.whole(inner, &whole, path, depth));
                    }
                }
            }
        }
        all.0
    }
}

/// The verdict of `anyOf`, or of `oneOf`.
fn choice(verdicts: Vec<Verdict>, exactly: bool, path: &str) -> Verdict {
    let right = verdicts
        .iter()
        .filter(|one| matches!(one, Verdict::Right))
        .count();
    let open = verdicts.iter().any(|one| matches!(one, Verdict::Open));
    match right {
        2.. if exactly => wrong(
            path,
            "it satisfies more than one of the schemas of \"oneOf\"",
        ),
        1 if exactly && open => Verdict::Open,
        1.. => Verdict::Right,
        0 if open => Verdict::Open,
        // The deepest fault is that of the schema which was meant.
        0 => verdicts
            .into_iter()
            .filter_map(|one| match one {
                Verdict::Wrong(fault) => Some(fault),
                _ => None,
            })
            .max_by_key(|fault| fault.path.len())
            .map_or(Verdict::Right, Verdict::Wrong),
    }
}

/// The pointer of a reference within the schema.
pub(super) fn pointer(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    let url = url::Url::parse(&format!("x:?{}", fragment.replace('+', "%2B"))).ok()?;
    let (decoded, _) = url.query_pairs().next().unwrap_or_default();
    Some(decoded.into_owned())
}

fn listed<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    match schema.get(name) {
        Some(Value::Array(list)) => list,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
