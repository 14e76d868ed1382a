use super::*;
use serde_json::json;

static PART: Shape = Shape::Tagged("type", &[("text", &[required("text", Shape::Text)])]);
static BODY: Shape = Shape::Object(&[
    required("model", Shape::Text),
    field("n", Shape::Whole(1, 4)),
    field("content", Shape::Either(&[Shape::Text, Shape::List(&PART)])),
]);

fn flaw(value: &Value) -> Flaw {
    Checker {
        unknown_fields: false,
    }
    .check(value, &BODY)
    .unwrap_err()
}

#[test]
fn each_kind_of_flaw_is_placed() {
    assert_eq!(flaw(&json!({})).kind, FlawKind::Missing);
    assert_eq!(flaw(&json!({"model": "m", "x": 1})).bracketed(), "x");
    assert_eq!(
        flaw(&json!({"model": "m", "n": 5})).kind,
        FlawKind::Range {
            min: 1.0,
            max: 4.0,
            value: 5.0
        }
    );
    let nested = flaw(&json!({"model": "m", "content": [{"type": "text", "text": 1}]}));
    assert_eq!(
        (nested.bracketed().as_str(), nested.dotted().as_str()),
        ("content[0].text", "content.0.text")
    );
    let tag = flaw(&json!({"model": "m", "content": [{"type": "video"}]}));
    assert!(matches!(tag.kind, FlawKind::Choice { .. }), "{tag:?}");
    let wrong = flaw(&json!({"model": "m", "content": 7}));
    assert_eq!(wrong.bracketed(), "content");
}

#[test]
fn null_is_absent_and_unknown_fields_may_be_let_through() {
    let strict = Checker {
        unknown_fields: false,
    };
    assert_eq!(
        strict.check(&json!({"model": "m", "n": null}), &BODY),
        Ok(())
    );
    let lenient = Checker {
        unknown_fields: true,
    };
    assert_eq!(lenient.check(&json!({"model": "m", "x": 1}), &BODY), Ok(()));
}
