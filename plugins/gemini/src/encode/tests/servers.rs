//! Tools that the vendor runs, what answers may hold, what is kept, and what is left out.

use multillm_plugin_sdk::ServerTool;

use super::*;

fn search() -> ServerTool {
    ServerTool {
        name: "web-search".to_owned(),
        options: None,
    }
}

#[test]
fn server_tools_stand_beside_functions_and_are_shown_where_they_can() {
    let mut asked = asking();
    asked.server_tools = vec![search()];
    let alone = encoded("gemini-3-pro", "{}", &asked);
    assert_eq!(alone["tools"], json!([{"googleSearch": {}}]));
    assert_eq!(alone["toolConfig"], Value::Null);
    asked.tools = vec![tool("look", r#"{"type":"object","properties":{}}"#, None)];
    asked.tool_choice = ToolChoice::Required;
    for (model, settings, shows) in [
        ("gemini-3-pro", "{}", true),
        ("gemini-2.5-flash", "{}", false),
        ("gemini-3-pro", r#"{"api":"vertex"}"#, false),
    ] {
        let both = encoded(model, settings, &asked);
        assert_eq!(
            both["tools"],
            json!([{"functionDeclarations": [{"name": "look", "description": "does it"}]}, {"googleSearch": {}}])
        );
        let mut config = json!({"functionCallingConfig": {"mode": "ANY"}});
        if shows {
            config["includeServerSideToolInvocations"] = json!(true);
        }
        assert_eq!(both["toolConfig"], config, "{model}");
    }
}

#[test]
fn pictures_are_asked_for_and_what_is_kept_is_named() {
    let mut asked = asking();
    asked.outputs = vec!["text".to_owned(), "image".to_owned()];
    let body = encoded(
        "gemini-2.5-flash-image",
        r#"{"cached_content":"cachedContents/a"}"#,
        &asked,
    );
    assert_eq!(
        body["generationConfig"],
        json!({"responseModalities": ["TEXT", "IMAGE"]})
    );
    assert_eq!(body["cachedContent"], json!("cachedContents/a"));
}

#[test]
fn what_cannot_be_said_is_left_out_where_the_caller_wishes_it() {
    let mut asked = asking();
    asked.tools = vec![tool("look", r#"{"type":"object","properties":{}}"#, None)];
    asked.parallel_tool_calls = Some(false);
    asked.reasoning_effort = Some("high".to_owned());
    let target = target("gemini-1.5-flash", "{}");
    assert!(generate(&target, &asked, Mode::Whole).is_err());
    asked.drop_unsupported = true;
    let request = generate(&target, &asked, Mode::Whole).unwrap();
    assert_eq!(request.warnings.len(), 2, "{:?}", request.warnings);
    assert!(request.warnings[0].starts_with("parallel_tool_calls"));
}
