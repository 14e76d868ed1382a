//! JSON as a tree: order, digits, members.

use super::*;

#[test]
fn a_value_is_written_as_it_was_read() {
    for text in [
        r#"{"b":[1,-2,0.5,1e300,true,null,"x\n\u0001é"],"a":{}}"#,
        "18446744073709551615",
        "-9223372036854775808",
        "[]",
        r#""""#,
    ] {
        let value = Json::parse(text).unwrap();
        let again = value.to_string();
        assert_eq!(Json::parse(&again).unwrap(), value, "{text}");
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        let found: serde_json::Value = serde_json::from_str(&again).unwrap();
        assert_eq!(found, expected);
    }
    let ordered = r#"{"z":1,"a":{"y":2,"b":3}}"#;
    assert_eq!(Json::parse(ordered).unwrap().to_string(), ordered);
}

#[test]
fn long_numbers_keep_their_last_digit() {
    for text in ["98.37282740013183", "-104.16853677408587", "0.1"] {
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn text_is_borrowed_where_nothing_is_escaped() {
    let value = Json::parse(r#"{"k":"plain","e":"a\nb"}"#).unwrap();
    assert!(matches!(value.get("k"), Some(Json::Text(Cow::Borrowed(_)))));
    assert_eq!(value.text("e"), Some("a\nb"));
}

#[test]
fn what_is_not_there_or_of_another_type_is_nothing() {
    let value = Json::parse(r#"{"n":null,"e":"","s":"t","f":3.0,"m":-1}"#).unwrap();
    assert_eq!(value.get("n"), None);
    assert_eq!(value.text("e"), None);
    assert_eq!(value.text("f"), None);
    assert_eq!(value.at(&["s", "t"]), None);
    assert_eq!(value.get("f").and_then(Json::count), Some(3));
    assert_eq!(value.get("m").and_then(Json::count), None);
    assert_eq!(value.list(), []);
}

#[test]
fn what_stands_beside_the_known_members_is_told() {
    let text = r#"{"a":1,"b":null,"c":[],"d":{},"e":"","f":{"g":0.10}}"#;
    let value = Json::parse(text).unwrap();
    let rest = value.beside(&["a"]).unwrap().into_owned();
    assert_eq!(rest.to_string(), r#"{"e":"","f":{"g":0.10}}"#);
    assert_eq!(value.beside(&["a", "e", "f"]), None);
    assert_eq!(Json::Null.beside(&[]), None);
}

#[test]
fn objects_are_merged_key_by_key() {
    let mut value = Json::parse(r#"{"a":{"x":1,"y":2},"b":5}"#).unwrap();
    value.merge(Json::parse(r#"{"a":{"y":[3]},"b":null,"c":{"d":1}}"#).unwrap());
    assert_eq!(
        value.to_string(),
        r#"{"a":{"x":1,"y":[3]},"b":null,"c":{"d":1}}"#
    );
}

#[test]
fn members_and_items_keep_their_bytes() {
    let object = r#"{ "a": [1.50, "\u00e9"] , "b":{"a":2} ,"a\n":1}"#;
    assert_eq!(member(object, "a").unwrap().get(), r#"[1.50, "\u00e9"]"#);
    assert_eq!(member(object, "b").unwrap().get(), r#"{"a":2}"#);
    assert_eq!(member(object, "a\n").unwrap().get(), "1");
    for none in [
        "",
        "[]",
        "7",
        r#"{"b":1}"#,
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"["a",1]"#,
    ] {
        assert!(member(none, "a").is_none(), "{none}");
    }
    let texts = |list| {
        items(list)
            .into_iter()
            .map(RawValue::get)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts(r#" [ {"x": 1} , 2.50,null ] "#),
        [r#"{"x": 1}"#, "2.50", "null"]
    );
    for none in ["", "[]", "{\"a\":1}", "7", "[1", "[1,]"] {
        assert!(items(none).is_empty(), "{none}");
    }
}

#[test]
fn depth_is_bounded() {
    assert!(Json::parse(&"[".repeat(100_000)).is_err());
}
