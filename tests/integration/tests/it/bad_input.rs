//! What users get wrong: each a clear error, the right exit code (2 for usage and configuration, 1 for
//! vendor and network), nothing on standard output, and no panic.

use multillm_simulator::Options;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn without_a_configuration_the_ways_to_begin_are_named() {
    let stage = Stage::new();
    stage
        .run_bare(&["query", "Hello"], b"")
        .fails(2, &["multillm keys set", "multillm config init"]);
    stage
        .run_bare(&["query", "Hello", "--config", "nowhere.json"], b"")
        .fails(2, &["nowhere.json"]);
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn broken_json_is_shown_with_its_place() {
    let stage = Stage::new();
    let file = stage.file(
        "broken.json",
        "{\n  \"default_model\": \"a\",\n  \"models\": {,}\n}\n",
    );
    stage
        .run_bare(&["query", "Hello", "--config", &file], b"")
        .fails(2, &["broken.json", "3"]);
    let file = stage.file("binary.json", b"\xff\xfe\0{");
    stage
        .run_bare(&["query", "Hello", "--config", &file], b"")
        .fails(2, &["binary.json"]);
    let file = stage.file("empty.json", "");
    stage
        .run_bare(&["query", "Hello", "--config", &file], b"")
        .fails(2, &["empty.json"]);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let mut stage = Stage::new();
    stage.config["models"]["openai"]["temperature"] = json!("hot");
    stage.config["models"]["claude"]["max_tokns"] = json!(5);
    stage
        .run(&["query", "Hello"])
        .fails(2, &["models.openai.temperature", "max_tokns", "max_tokens"]);
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let mut stage = Stage::new();
    stage
        .run(&["query", "Hello", "--model", "opnai"])
        .fails(2, &["opnai", "openai"]);
    stage.config["models"]["odd"] = json!({ "provider": "nobody" });
    stage
        .run(&["query", "Hello", "--model", "odd"])
        .fails(2, &["nobody"]);
}

#[test]
fn a_missing_or_wrong_plugin_file_is_named() {
    let mut stage = Stage::new();
    stage.config["plugins"]["openai"] = json!({ "path": "nowhere/openai.wasm" });
    stage
        .run(&["query", "Hello"])
        .fails(2, &["nowhere/openai.wasm"]);
    // Only what the asked model needs is loaded.
    stage.run(&["query", "Hello", "--model", "cohere"]).answer();
    let file = stage.file("text.wasm", "this is no component\n");
    stage.config["plugins"]["openai"] = json!({ "path": file });
    stage
        .run(&["query", "Hello"])
        .fails(2, &["text.wasm", "WebAssembly"]);
}

#[test]
fn a_missing_key_names_its_variable_and_where_to_put_it() {
    let mut stage = Stage::new();
    stage.variables.clear();
    stage
        .run(&["query", "Hello"])
        .fails(2, &["TEST_OPENAI_KEY", ".env"]);
    stage.config["providers"]["openai"]["api_key_env"] = json!(null);
    stage
        .run(&["query", "Hello"])
        .fails(2, &["OPENAI_API_KEY", ".env"]);
    assert_eq!(stage.simulator.requests(), 0);
    stage.file(".env", "OPENAI_API_KEY=sk-sim-openai\n");
    stage.run(&["query", "Hello"]).answer();
}

#[test]
fn a_refused_key_is_the_vendors_word() {
    let mut stage = Stage::new();
    stage.variables = vec![("TEST_OPENAI_KEY".into(), "sk-wrong".into())];
    stage
        .run(&["query", "Hello"])
        .fails(1, &["authentication", "401"]);
    assert_eq!(
        stage.simulator.requests(),
        1,
        "a wrong key is not tried again"
    );
}

#[test]
fn an_unreachable_host_is_named() {
    let mut stage = Stage::new();
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    stage.config["providers"]["openai"]["base_url"] = json!(format!("http://127.0.0.1:{port}/v1"));
    stage
        .run(&["query", "Hello"])
        .fails(1, &["unavailable", &format!("127.0.0.1:{port}")]);
    stage.config["providers"]["openai"]["base_url"] = json!("http://no-such-host.invalid/v1");
    stage
        .run(&["query", "Hello"])
        .fails(1, &["unavailable", "no-such-host.invalid"]);
    stage.config["providers"]["openai"]["base_url"] = json!("ftp://example.org");
    stage.run(&["query", "Hello"]).fails(2, &["base_url"]);
}

#[test]
fn a_self_signed_certificate_is_explained() {
    let stage = Stage::with(Options {
        tls: true,
        ..Options::default()
    });
    stage
        .run(&["query", "Hello"])
        .fails(1, &["unavailable", "certificate", "self-signed"]);
    assert_eq!(
        stage.simulator.requests(),
        0,
        "nothing was said to a stranger"
    );
}

#[test]
fn an_empty_prompt_is_a_usage_error() {
    let stage = Stage::new();
    for (arguments, input) in [
        (&["query", ""][..], ""),
        (&["query", "  \n"], ""),
        (&["query"], ""),
        (&["query", "-"], " \n\t"),
    ] {
        stage
            .run_with(arguments, input.as_bytes())
            .fails(2, &["prompt"]);
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn input_that_is_no_text_is_refused() {
    let stage = Stage::new();
    stage
        .run_with(&["query"], b"\xff\xfe\xfd")
        .fails(2, &["UTF-8"]);
}

#[test]
fn fifty_megabytes_of_prompt_are_refused_before_anything_is_sent() {
    let stage = Stage::new();
    let prompt = "much text ".repeat(5 << 20);
    stage
        .run_with(&["query"], prompt.as_bytes())
        .fails(1, &["payload too large", "limits.request_mb"]);
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn ten_megabytes_of_prompt_arrive() {
    let stage = Stage::new();
    // One word, or it would be more tokens than the model takes.
    let prompt = "x".repeat(10 << 20);
    let done = stage.run_with(&["query", "--max-tokens", "3"], prompt.as_bytes());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(stage.only_exchange().body.len() > prompt.len());
}

#[test]
fn an_image_that_is_none_is_refused() {
    let stage = Stage::new();
    let text = stage.file("cat.png", "not a picture");
    let empty = stage.file("empty.png", "");
    let folder = stage.folder.path().display().to_string();
    for (image, words) in [
        (text.as_str(), &["cat.png", "PNG"][..]),
        (empty.as_str(), &["empty.png"]),
        ("nowhere.png", &["nowhere.png"]),
        (folder.as_str(), &["picture"]),
    ] {
        stage
            .run(&["query", "What is on it?", "--image", image])
            .fails(2, words);
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn wrong_files_for_schema_and_tools_are_named() {
    let stage = Stage::new();
    let list = stage.file("list.json", "[1]");
    let broken = stage.file("broken.json", "{");
    for (option, file, words) in [
        ("--schema", list.as_str(), &["list.json", "object"][..]),
        ("--schema", "nowhere.json", &["nowhere.json"]),
        ("--schema", broken.as_str(), &["broken.json", "line 1"]),
        ("--tools", broken.as_str(), &["broken.json"]),
        ("--tools", list.as_str(), &["list.json"]),
    ] {
        stage.run(&["query", "Hello", option, file]).fails(2, words);
    }
    stage
        .run(&["query", "Hello", "--param", "x"])
        .fails(2, &["KEY=JSON"]);
    stage
        .run(&["query", "Hello", "--no-such-option"])
        .fails(2, &["--no-such-option"]);
}

#[test]
fn failures_end_in_one_line_of_json_where_json_is_asked_for() {
    let mut stage = Stage::new();
    stage.variables = vec![("TEST_OPENAI_KEY".into(), "sk-wrong".into())];
    for (model, code, kind) in [
        ("openai", 1, "authentication"),
        ("nobody", 2, "configuration"),
    ] {
        let done = stage.run(&["query", "Hello", "--json", "--model", model]);
        assert_eq!(done.code, Some(code), "{done:?}");
        let last = done.stderr.lines().last().unwrap();
        let error: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["error"]["kind"], kind, "{error}");
    }
}
