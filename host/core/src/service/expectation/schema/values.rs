//! Keywords of a schema that look at a value alone: its type, its size, what it equals. No other schema is
//! looked at for them.

use serde_json::{Map, Value};

use super::{All, Verdict, must};

/// The most of a value that a reason repeats, in characters.
const QUOTED: usize = 60;

/// Keywords that look at the value alone.
pub(super) fn plain(schema: &Map<String, Value>, value: &Value, path: &str) -> Verdict {
    let mut all = All(Verdict::Right);
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let nullable = value.is_null() && schema.get("nullable") == Some(&Value::Bool(true));
    if !types.is_empty() && !nullable {
        let fits = types.iter().any(|name| is_of(value, name));
        all.and(must(fits, path, || {
            format!("{} is not of type {}", said(value), types.join(" or "))
        }));
    }
    if let Some(wanted) = schema.get("const") {
        all.and(must(same(value, wanted), path, || {
            format!("{} is not {}", said(value), said(wanted))
        }));
    }
    if let Some(Value::Array(wanted)) = schema.get("enum") {
        let fits = wanted.iter().any(|one| same(one, value));
        all.and(must(fits, path, || {
            let wanted: Vec<_> = wanted.iter().map(said).collect();
            shortened(
                &format!("{} is none of {}", said(value), wanted.join(", ")),
                4 * QUOTED,
            )
        }));
    }
    let size = match value {
        Value::String(text) => Some((text.chars().count(), "Length", "characters")),
        Value::Array(list) => Some((list.len(), "Items", "elements")),
        Value::Object(object) => Some((object.len(), "Properties", "members")),
        _ => None,
    };
    if let Some((size, suffix, what)) = size {
        let least = count(schema, &format!("min{suffix}")).unwrap_or(0);
        let most = count(schema, &format!("max{suffix}")).unwrap_or(usize::MAX);
        all.and(must(size >= least, path, || {
            format!("{} has {size} {what}, fewer than {least}", said(value))
        }));
        all.and(must(size <= most, path, || {
            format!("{} has {size} {what}, more than {most}", said(value))
        }));
    }
    if let Some(number) = value.as_f64() {
        all.and(bounds(schema, number, path));
    }
    all.0
}

fn bounds(schema: &Map<String, Value>, number: f64, path: &str) -> Verdict {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let mut all = All(Verdict::Right);
    // Draft 4 writes `exclusiveMinimum: true` beside `minimum`.
    let strict = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    for (name, exclusive) in [
        ("minimum", strict("exclusiveMinimum")),
        ("exclusiveMinimum", true),
    ] {
        if let Some(least) = limit(name) {
            let fits = number > least || !exclusive && number >= least;
            all.and(must(fits, path, || {
                format!("{number} is below {name} {least}")
            }));
        }
    }
    for (name, exclusive) in [
        ("maximum", strict("exclusiveMaximum")),
        ("exclusiveMaximum", true),
    ] {
        if let Some(most) = limit(name) {
            let fits = number < most || !exclusive && number <= most;
            all.and(must(fits, path, || {
                format!("{number} is above {name} {most}")
            }));
        }
    }
    if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0) {
        let parts = number / step;
        // 0.3 is a multiple of 0.1, whatever binary fractions say.
        let fits = (parts - parts.round()).abs() <= 1e-9 * parts.abs().max(1.0);
        all.and(must(fits, path, || {
            format!("{number} is no multiple of {step}")
        }));
    }
    all.0
}

fn is_of(value: &Value, name: &str) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
        }
        // A name that means nothing here excludes nothing.
        _ => true,
    }
}

/// Equal as JSON: `1` is `1.0`.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let member = |(name, value): (&String, &Value)| {
                b.get(name).is_some_and(|other| same(value, other))
            };
            a.len() == b.len() && a.iter().all(member)
        }
        (a, b) => a == b,
    }
}

pub(super) fn count(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    usize::try_from(schema.get(name)?.as_u64()?).ok()
}

pub(super) fn said(value: &Value) -> String {
    shortened(&value.to_string(), QUOTED)
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
