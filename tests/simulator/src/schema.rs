//! JSON Schema, as far as an answer needs it: a sample value that satisfies a schema, and the vendors'
//! rules for strict ones. It is no validator.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Recursive schemas stop here; beyond it optional parts are left out.
const DEPTH: usize = 6;

/// Makes sample values. `hints` give values for properties by name; `variant` makes a second sample differ.
pub(crate) struct Sampler<'a> {
    root: &'a Value,
    hints: &'a BTreeMap<String, String>,
    variant: usize,
}

/// A value that satisfies the schema: the first choice of everything, hints where they fit.
pub(crate) fn sample(schema: &Value, hints: &BTreeMap<String, String>, variant: usize) -> Value {
    let sampler = Sampler {
        root: schema,
        hints,
        variant,
    };
    sampler.value(schema, None, 0)
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, name: Option<&str>, depth: usize) -> Value {
        let Some(object) = schema.as_object() else {
            return json!({});
        };
        if let Some(constant) = object.get("const") {
            return constant.clone();
        }
        let hint = name
            .and_then(|name| self.hints.get(name))
            .map(String::as_str);
        if let Some(choices) = object.get("enum").and_then(Value::as_array) {
            let hinted = choices
                .iter()
                .find(|choice| choice.as_str().is_some_and(|text| Some(text) == hint));
            let turn = choices.get(self.variant % choices.len().max(1));
            return hinted.or(turn).cloned().unwrap_or(Value::Null);
        }
        if let Some(target) = object
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| self.resolve(path))
        {
            return if depth > DEPTH * 2 {
                Value::Null
            } else {
                self.value(target, name, depth + 1)
            };
        }
        if let Some(choice) = ["anyOf", "oneOf"]
            .iter()
            .find_map(|key| self.choice(object, key, depth))
        {
            return self.value(choice, name, depth + 1);
        }
        if let Some(all) = object.get("allOf").and_then(Value::as_array) {
            return self.value(&merged(object, all), name, depth + 1);
        }
        match kind(object).as_str() {
            "object" => self.object(object, depth),
            "array" => self.array(object, name, depth),
            "string" => Value::String(self.text(object, hint)),
            "integer" => json!(self.whole(object, hint)),
            "number" => self.number(object, hint),
            "boolean" => json!(hint.map_or(self.variant == 0, |hint| hint == "true")),
            "null" => Value::Null,
            _ => json!({}),
        }
    }

    /// The alternative taken: the first that is not `null`, or `null` itself where recursion must end.
    fn choice<'v>(
        &self,
        object: &'v Map<String, Value>,
        key: &str,
        depth: usize,
    ) -> Option<&'v Value> {
        let alternatives = object.get(key)?.as_array()?;
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let null = alternatives.iter().find(is_null);
        let first = alternatives.iter().find(|schema| !is_null(schema));
        if depth > DEPTH {
            null.or(first)
        } else {
            first.or(null)
        }
    }

    fn resolve(&self, path: &str) -> Option<&Value> {
        self.root.pointer(path.strip_prefix('#')?)
    }

    fn object(&self, object: &Map<String, Value>, depth: usize) -> Value {
        let required: Vec<&str> = match object.get("required").and_then(Value::as_array) {
            Some(names) => names.iter().filter_map(Value::as_str).collect(),
            None => Vec::new(),
        };
        let mut made = Map::new();
        for (name, schema) in object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let wanted = required.contains(&name.as_str()) || self.hints.contains_key(name);
            if wanted && depth <= DEPTH * 3 {
                made.insert(name.clone(), self.value(schema, Some(name), depth + 1));
            }
        }
        Value::Object(made)
    }

    fn array(&self, object: &Map<String, Value>, name: Option<&str>, depth: usize) -> Value {
        let bound = |key: &str| object.get(key).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0);
        let wanted = if depth > DEPTH { least } else { least.max(1) };
        let count = wanted.min(bound("maxItems").unwrap_or(u64::MAX));
        let prefix = object.get("prefixItems").and_then(Value::as_array);
        let item = |index: u64| {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            let schema = prefix
                .and_then(|items| items.get(at))
                .or_else(|| object.get("items"));
            let sampler = Sampler {
                root: self.root,
                hints: self.hints,
                variant: self.variant + at,
            };
            schema.map_or_else(
                || json!("x"),
                |schema| sampler.value(schema, name, depth + 1),
            )
        };
        Value::Array((0..count).map(item).collect())
    }

    fn text(&self, object: &Map<String, Value>, hint: Option<&str>) -> String {
        let formatted = match object.get("format").and_then(Value::as_str) {
            Some("date-time") => Some("2026-01-02T03:04:05Z"),
            Some("date") => Some("2026-01-02"),
            Some("time") => Some("03:04:05Z"),
            Some("duration") => Some("P1D"),
            Some("email") => Some("x@example.com"),
            Some("uri" | "url") => Some("https://example.com/x"),
            Some("uuid") => Some("00000000-0000-4000-8000-000000000001"),
            Some("ipv4") => Some("192.0.2.1"),
            _ => None,
        };
        let plain = if self.variant == 0 {
            "x".to_owned()
        } else {
            format!("x{}", self.variant)
        };
        let mut text = hint.or(formatted).map_or(plain, str::to_owned);
        let bound = |key: &str| {
            object
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|count| usize::try_from(count).ok())
        };
        while text.chars().count() < bound("minLength").unwrap_or(0) {
            text.push('x');
        }
        match bound("maxLength") {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }

    fn whole(&self, object: &Map<String, Value>, hint: Option<&str>) -> i64 {
        if let Some(number) = hint.and_then(|hint| hint.parse().ok()) {
            return number;
        }
        let bound = |key: &str| {
            object
                .get(key)
                .and_then(Value::as_f64)
                .map(|bound| bound as i64)
        };
        let step = bound("multipleOf").unwrap_or(1).max(1);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound + 1));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound - 1));
        let wished = 1 + i64::try_from(self.variant).unwrap_or(0);
        let within = wished
            .max(low.unwrap_or(i64::MIN))
            .min(high.unwrap_or(i64::MAX));
        let upward = within.div_euclid(step) * step
            + if within.rem_euclid(step) == 0 {
                0
            } else {
                step
            };
        if high.is_some_and(|high| upward > high) {
            upward - step
        } else {
            upward
        }
    }

    fn number(&self, object: &Map<String, Value>, hint: Option<&str>) -> Value {
        if let Some(number) = hint.and_then(|hint| hint.parse::<f64>().ok()) {
            return json!(number);
        }
        let bound = |key: &str| object.get(key).and_then(Value::as_f64);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum"));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum"));
        match (low, high) {
            (Some(low), Some(high)) => json!(f64::midpoint(low, high)),
            (Some(low), None) => json!(low.max(0.0) + 1.5),
            (None, Some(high)) => json!(high.min(1.5)),
            (None, None) => json!(1.5),
        }
    }
}

/// The type a sample takes: lower case (Google writes upper), the first that is not `null`.
fn kind(object: &Map<String, Value>) -> String {
    let lower = |value: &Value| value.as_str().map(str::to_lowercase);
    match object.get("type") {
        Some(Value::Array(kinds)) => {
            let named: Vec<String> = kinds.iter().filter_map(lower).collect();
            let first = named
                .iter()
                .find(|kind| *kind != "null")
                .or_else(|| named.first());
            first.cloned().unwrap_or_default()
        }
        Some(kind) => lower(kind).unwrap_or_default(),
        None if object.contains_key("properties") => "object".to_owned(),
        None if object.contains_key("items") => "array".to_owned(),
        None => String::new(),
    }
}

/// One schema out of an `allOf`: properties and requirements joined, other keywords by the last.
fn merged(object: &Map<String, Value>, all: &[Value]) -> Value {
    let mut whole = object.clone();
    whole.remove("allOf");
    for part in all.iter().filter_map(Value::as_object) {
        for (key, value) in part {
            match (whole.get_mut(key), value) {
                (Some(Value::Object(have)), Value::Object(more)) => have.extend(more.clone()),
                (Some(Value::Array(have)), Value::Array(more)) => have.extend(more.clone()),
                _ => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
    }
    Value::Object(whole)
}

/// What OpenAI's strict mode refuses, in its words: every object must list all its properties as required
/// and allow no others. <https://platform.openai.com/docs/guides/structured-outputs>
pub(crate) fn strict_flaw(schema: &Value) -> Option<String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        let found = schema
            .get("type")
            .map_or_else(|| "\"None\"".to_owned(), Value::to_string);
        return Some(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {found}'."
        ));
    }
    strict_at(schema, &mut Vec::new())
}

fn strict_at(schema: &Value, context: &mut Vec<String>) -> Option<String> {
    let place = |context: &[String]| {
        let names: Vec<String> = context.iter().map(|name| format!("'{name}'")).collect();
        format!("In context=({}), ", names.join(", "))
    };
    let object = schema.as_object()?;
    if let Some(properties) = object.get("properties").and_then(Value::as_object) {
        if object.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some(
                place(context)
                    + "'additionalProperties' is required to be supplied and to be false.",
            );
        }
        let required = object.get("required").and_then(Value::as_array);
        let is_listed =
            |name: &String| required.is_some_and(|names| names.iter().any(|listed| listed == name));
        if let Some(name) = properties.keys().find(|name| !is_listed(name)) {
            let rule = "'required' is required to be supplied and to be an array including every key in properties.";
            return Some(format!("{}{rule} Missing '{name}'.", place(context)));
        }
    } else if kind(object) == "object"
        && object.get("additionalProperties") != Some(&Value::Bool(false))
    {
        return Some(
            place(context) + "'additionalProperties' is required to be supplied and to be false.",
        );
    }
    for (key, value) in object {
        let members: Vec<(String, &Value)> = match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(named)) => named
                .iter()
                .map(|(name, schema)| (name.clone(), schema))
                .collect(),
            ("items", schema) => vec![("items".to_owned(), schema)],
            ("anyOf", Value::Array(all)) => all
                .iter()
                .enumerate()
                .map(|(index, schema)| (index.to_string(), schema))
                .collect(),
            _ => continue,
        };
        context.push(key.clone());
        for (name, schema) in members {
            context.push(name);
            if let Some(flaw) = strict_at(schema, context) {
                return Some(flaw);
            }
            context.pop();
        }
        context.pop();
    }
    None
}

#[cfg(test)]
mod tests;
