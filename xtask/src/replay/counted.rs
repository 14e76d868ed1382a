//! Compares vectors and counts of tokens with what a recording expects.

use serde_json::{Map, Value};

use super::case::Expect;
use super::compare::{number, text};

/// Numbers that differ by less, of their own size, are equal: what a vendor says has no more digits.
const TOLERANCE: f64 = 1e-6;

/// What differs between vectors, one line each.
pub(super) fn vectors(expect: &Expect, got: &Value) -> Vec<String> {
    let none = Vec::new();
    let vectors = got.get("vectors").and_then(Value::as_array);
    let vectors = vectors.unwrap_or(&none);
    let mut found = Vec::new();
    if vectors.len() != expect.vectors {
        let (wanted, came) = (expect.vectors, vectors.len());
        found.push(format!("vectors: expected {wanted}, got {came}"));
    }
    for (name, vector, wanted) in [
        ("first", vectors.first(), &expect.first),
        ("last", vectors.last(), &expect.last),
    ] {
        let vector = vector.and_then(Value::as_array).unwrap_or(&none);
        if vector.len() != expect.dimension {
            let (wanted, came) = (expect.dimension, vector.len());
            found.push(format!(
                "{name} vector: expected {wanted} numbers, got {came}"
            ));
        }
        let same = |(wanted, got): (&f64, &Value)| {
            let got = got.as_f64().unwrap_or(f64::NAN);
            (wanted - got).abs() <= TOLERANCE * wanted.abs()
        };
        if !wanted.iter().zip(vector).all(same) {
            let begin = vector.get(..wanted.len()).unwrap_or_default();
            found.push(format!("{name} vector: expected {wanted:?}, got {begin:?}"));
        }
    }
    if let Some(wanted) = &expect.vendor_model
        && wanted != text(got, "vendor_model")
    {
        found.push(format!(
            "vendor_model: expected {wanted:?}, got {:?}",
            text(got, "vendor_model")
        ));
    }
    let none = Map::new();
    let usage = got.get("usage").and_then(Value::as_object).unwrap_or(&none);
    let wanted = expect.usage.as_ref().unwrap_or(&none);
    let (wanted, came) = (
        number(wanted, "prompt_tokens"),
        number(usage, "prompt_tokens"),
    );
    if wanted != came && !expect.doubts("usage") {
        found.push(format!(
            "usage.prompt_tokens: expected {wanted}, got {came}"
        ));
    }
    found
}

/// What differs in a count of tokens, which the vendor must have made.
pub(super) fn tokens(expect: &Expect, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let tokens = got.get("tokens").and_then(Value::as_u64);
    if tokens != expect.input_tokens {
        let wanted = expect.input_tokens;
        found.push(format!("tokens: expected {wanted:?}, got {tokens:?}"));
    }
    if got.get("estimated").and_then(Value::as_bool) == Some(true) {
        found.push("the count is an estimate of the program's own".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expect(value: Value) -> Expect {
        serde_json::from_value(value).expect("what is expected")
    }

    #[test]
    fn vectors_are_compared_by_number_length_and_beginning() {
        let wanted = expect(
            json!({"vectors": 2, "dimension": 3, "first": [0.5, -1.0], "last": [2.0],
            "vendor_model": "m", "usage": {"prompt_tokens": 4}}),
        );
        let right = json!({"vectors": [[0.5, -1.0, 9], [2, 3, 4]], "vendor_model": "m", "usage": {"prompt_tokens": 4}});
        assert!(vectors(&wanted, &right).is_empty());
        for (path, wrong) in [
            ("/vectors", json!([[0.5, -1.0, 9]])),
            ("/vectors/0/1", json!(-1.1)),
            ("/vectors/1", json!([2, 3])),
            ("/vendor_model", json!("n")),
            ("/usage/prompt_tokens", json!(null)),
        ] {
            let mut got = right.clone();
            if let Some(place) = got.pointer_mut(path) {
                *place = wrong;
            }
            assert!(!vectors(&wanted, &got).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_count_is_the_vendors() {
        let wanted = expect(json!({"input_tokens": 12}));
        assert!(tokens(&wanted, &json!({"tokens": 12, "estimated": false})).is_empty());
        assert_eq!(tokens(&wanted, &json!({"tokens": 13})).len(), 1);
        assert_eq!(
            tokens(&wanted, &json!({"tokens": 12, "estimated": true})).len(),
            1
        );
    }
}
