use std::collections::BTreeMap;

use super::*;

fn values(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn prompt(text: &str) -> Template {
    Template::parse("t", &serde_json::json!({ "prompt": text }).to_string()).unwrap()
}

#[test]
fn variables_are_filled_in_once() {
    let template = prompt("a {{x}} b {{ y }}{{x}} 你{{名字}}好");
    assert_eq!(template.variables(), ["x", "y", "名字"]);
    let rendered = template
        .render(&values(&[("x", "{{y}}"), ("y", "2"), ("名字", "李雷")]))
        .unwrap();
    assert_eq!(rendered.prompt, "a {{y}} b 2{{y}} 你李雷好");
}

#[test]
fn what_is_no_variable_stays() {
    for text in [
        "{{ 1 + 2 }}",
        "{{}}",
        "{{a",
        "{a}",
        "{{a b}}",
        "}}{{",
        "{{{",
    ] {
        let template = prompt(text);
        assert!(template.variables().is_empty(), "{text}");
        assert_eq!(template.render(&values(&[])).unwrap().prompt, text);
    }
    let template = prompt(r"a \{{x}} {{x}} {{{x}}}");
    let rendered = template.render(&values(&[("x", "1")])).unwrap();
    assert_eq!(rendered.prompt, "a {{x}} 1 {1}");
}

#[test]
fn doubled_braces_are_braces() {
    let template = prompt("{{{{x}}}} {{x}} {{{{ y }}}}: {\"a\":{\"b\":{{x}}}} {{{{ {{{{1}}}}");
    assert_eq!(template.variables(), ["x"]);
    assert_eq!(
        template.render(&values(&[("x", "1")])).unwrap().prompt,
        "{{x}} 1 {{ y }}: {\"a\":{\"b\":1}} {{{{ {{{{1}}}}"
    );
}

#[test]
fn comments_are_left_out_and_texts_are_not() {
    let template = Template::parse(
        "t",
        "// what it is for\n{ /* the \"question\" */ \"prompt\": [\"see http://x /* y */\", \"a \\\" // b\"], // end\n\
         \"model\": \"m\" } // é",
    )
    .unwrap();
    assert_eq!(template.prompt, "see http://x /* y */\na \" // b");
    assert_eq!(template.model.as_deref(), Some("m"));
    let fault = Template::parse("t", "// one\n/* two\n*/ { \"prompt\": }").unwrap_err();
    assert!(fault.to_string().contains("line 3"), "{fault}");
    assert!(Template::parse("t", "{ \"prompt\": \"x\" } /* open").is_err());
}

#[test]
fn all_missing_variables_are_named_at_once() {
    let template = Template::parse(
        "t",
        r#"{"system": "Be {{style}}.", "prompt": ["{{a}}", "{{b}}"], "defaults": {"b": "2"}}"#,
    )
    .unwrap();
    let error = template.render(&values(&[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"template "t" needs "style", "a": give each with -p NAME=VALUE"#
    );
    let rendered = template
        .render(&values(&[("style", "brief"), ("a", "1")]))
        .unwrap();
    assert_eq!(rendered.system.as_deref(), Some("Be brief."));
    assert_eq!(rendered.prompt, "1\n2");
    assert_eq!(rendered.messages().len(), 2);
}

#[test]
fn a_value_for_nothing_is_a_mistake() {
    let error = prompt("{{code}}")
        .render(&values(&[("cod", "1")]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"template "t" has no variable "cod": it has "code""#
    );
}

#[test]
fn faults_say_where() {
    let fault = |text: &str| Template::parse("t", text).unwrap_err().to_string();
    assert!(
        fault(r#"{"prompt": "x", "parameters": {"temperatur": 1}}"#)
            .contains("parameters.temperatur: unknown field")
    );
    assert!(fault(r#"{"prompt": 1}"#).contains("prompt: a text or a list of lines"));
    assert!(fault(r#"{"prompt": " "}"#).contains("its prompt is empty"));
    assert!(fault(r#"{"prompt": "x", "defaults": {"y": ""}}"#).contains("defaults.y"));
}

#[test]
fn parameters_stand_behind_the_callers() {
    let template = Template::parse(
        "t",
        r#"{"prompt": "x", "parameters": {"temperature": 0.2, "max_tokens": 5, "extra": {"a": 1}}}"#,
    )
    .unwrap();
    let mut request = ChatRequest::new([]).temperature(1.0);
    template.complete(&mut request);
    assert_eq!(request.sampling.temperature, Some(1.0));
    assert_eq!(request.sampling.max_tokens, Some(5));
    assert_eq!(request.extra.to_string(), r#"{"a":1}"#);
}

#[test]
fn files_are_found_by_name_only() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("review.json"),
        r#"{"prompt": "{{code}}"}"#,
    )
    .unwrap();
    std::fs::write(directory.path().join("notes.txt"), "").unwrap();
    let names = Template::names(directory.path());
    assert!(names.iter().any(|name| name == "review"), "{names:?}");
    assert!(!names.iter().any(|name| name == "notes"), "{names:?}");
    assert_eq!(
        Template::load(directory.path(), "review").unwrap().name,
        "review"
    );
    let error = Template::load(directory.path(), "reviw")
        .unwrap_err()
        .to_string();
    assert!(error.ends_with(r#"did you mean "review"?"#), "{error}");
    assert!(Template::load(directory.path(), "../review").is_err());
}

#[test]
fn the_templates_that_come_along_are_sound() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/templates");
    let names = Template::names(&directory);
    assert!(names.len() >= 7, "{names:?}");
    assert_eq!(
        Template::names(Path::new("/nowhere")),
        names,
        "and are part of the program"
    );
    for name in names {
        let template = Template::load(&directory, &name).unwrap();
        assert_eq!(
            Template::load(Path::new("/nowhere"), &name).unwrap(),
            template
        );
        assert!(template.description.is_some(), "{name}");
        assert!(
            template.variables().iter().any(|name| name == INPUT),
            "{name}"
        );
    }
}
