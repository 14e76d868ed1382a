//! `multillm query` and `list` as a user types them: what reaches the vendor, and what is printed.

use serde_json::{Value, json};

use crate::stage::{PICTURE, Stage};

#[test]
fn a_question_is_answered_and_the_key_is_where_it_belongs() {
    let stage = Stage::new();
    let answer = stage.run(&["query", "Good morning"]).answer();
    assert_eq!(
        answer,
        "[gpt-4o-mini-2024-07-18] You said: Good morning (turns: 1)\n"
    );
    let exchange = stage.only_exchange();
    assert_eq!(exchange.path, "/openai/v1/chat/completions");
    assert_eq!(
        exchange.header("authorization"),
        Some("Bearer sk-sim-openai")
    );
    let with_key = exchange
        .headers
        .iter()
        .filter(|(_, value)| value.contains("sk-sim"));
    assert_eq!(with_key.count(), 1);
    assert!(!String::from_utf8_lossy(&exchange.body).contains("sk-sim"));
    assert!(!exchange.query.contains("sk-sim"));
}

#[test]
fn each_vendor_gets_its_key_in_its_own_header() {
    let stage = Stage::new();
    let expected = [
        ("azure", "api-key", "sk-sim-azure"),
        ("huggingface", "authorization", "Bearer sk-sim-huggingface"),
        ("claude", "x-api-key", "sk-sim-anthropic"),
        ("gemini", "x-goog-api-key", "sk-sim-gemini"),
        ("cohere", "authorization", "Bearer sk-sim-cohere"),
    ];
    for (at, (model, header, value)) in expected.into_iter().enumerate() {
        let answer = stage.run(&["query", "Hello", "--model", model]).answer();
        assert!(answer.contains("You said: Hello"), "{model}: {answer}");
        let log = stage.simulator.log();
        assert_eq!(log[at].header(header), Some(value), "{model}");
    }
    let answer = stage.run(&["query", "Hello", "--model", "ollama"]).answer();
    assert!(answer.contains("You said: Hello"), "{answer}");
    assert_eq!(stage.simulator.log()[5].header("authorization"), None);
}

#[test]
fn options_reach_the_vendor() {
    let stage = Stage::new();
    let options = [
        "query",
        "Hello",
        "--system",
        "Be brief.",
        "--max-tokens",
        "50",
        "--temperature",
        "0.5",
        "--top-p",
        "0.9",
        "--stop",
        "END",
        "--stop",
        "STOP",
        "--seed",
        "7",
        "--param",
        "metadata.team=\"x\"",
        "--param",
        "logprobs=true",
    ];
    let answer = stage.run(&options).answer();
    assert!(answer.contains("(system: Be brief.)"), "{answer}");
    let body = stage.only_exchange().json();
    let expected = json!({
        "max_completion_tokens": 50, "temperature": 0.5, "top_p": 0.9, "stop": ["END", "STOP"],
        "seed": 7, "metadata": { "team": "x" }, "logprobs": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name} in {body}");
    }
}

#[test]
fn what_is_piped_in_stands_before_the_question() {
    let stage = Stage::new();
    let answer = stage
        .run_with(&["query", "What is it?"], b"the text\n")
        .answer();
    assert!(
        answer.contains("You said: the text\n\nWhat is it?"),
        "{answer}"
    );
    for arguments in [&["query"][..], &["query", "-"]] {
        let answer = stage.run_with(arguments, "nur €\n".as_bytes()).answer();
        assert!(answer.contains("You said: nur €"), "{answer}");
    }
}

#[test]
fn a_stream_prints_the_same_as_a_whole_answer() {
    let stage = Stage::new();
    let whole = stage.run(&["query", "write 40 words"]).answer();
    let streamed = stage.run(&["query", "write 40 words", "--stream"]).answer();
    assert_eq!(whole, streamed);
    let asked: Vec<bool> = stage
        .simulator
        .log()
        .iter()
        .map(|exchange| exchange.json()["stream"] == true)
        .collect();
    assert_eq!(asked, [false, true]);
}

#[test]
fn json_output_is_one_object_with_usage_and_latency() {
    let stage = Stage::new();
    let answer = stage.run(&["query", "Hello there", "--json"]).json();
    assert_eq!(answer["model"], "openai");
    assert_eq!(answer["provider"], "openai");
    assert_eq!(
        answer["content"],
        "[gpt-4o-mini-2024-07-18] You said: Hello there (turns: 1)"
    );
    assert_eq!(answer["finish_reason"], "stop");
    assert!(
        answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0,
        "{answer}"
    );
    assert!(answer["cost"].as_f64().unwrap() > 0.0, "{answer}");
    // Whose price nobody knows, that is not free.
    let unpriced = ["query", "Hello there", "--json", "--model", "huggingface"];
    assert_eq!(stage.run(&unpriced).json()["cost"], Value::Null);
    assert!(answer["latency_ms"].is_u64());
}

#[test]
fn a_json_stream_is_one_event_a_line_and_ends_with_the_whole() {
    let stage = Stage::new();
    let text = stage
        .run(&["query", "write 5 words", "--json", "--stream"])
        .answer();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said: String = events
        .iter()
        .filter(|event| event["type"] == "text")
        .map(|event| event["text"].as_str().unwrap())
        .collect();
    let done = events.last().unwrap();
    assert_eq!(done["type"], "done");
    assert_eq!(done["content"], said);
    assert_eq!(said, "word1 word2 word3 word4 word5");
}

#[test]
fn pictures_from_files_and_urls_reach_the_vendor() {
    let stage = Stage::new();
    let file = stage.file("a picture.png", PICTURE);
    let answer = stage
        .run(&["query", "What is on it?", "--image", &file])
        .answer();
    assert!(answer.contains("image/png 3x2"), "{answer}");
    let url = "https://example.org/cat.png";
    stage
        .run(&["query", "What is on it?", "--image", url])
        .answer();
    let body = String::from_utf8(stage.simulator.log()[1].body.to_vec()).unwrap();
    assert!(body.contains(url), "{body}");
}

#[test]
fn a_schema_shapes_the_answer() {
    let stage = Stage::new();
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "city": { "type": "string" }, "people": { "type": "integer" } },
        "required": ["city", "people"],
    });
    let file = stage.file("city.json", schema.to_string());
    let answer = stage
        .run(&["query", "A city: city=Paris people=7", "--schema", &file])
        .json();
    assert_eq!(answer["city"], "Paris");
    let sent = stage.only_exchange().json();
    assert_eq!(sent["response_format"]["json_schema"]["name"], "city");
    assert_eq!(sent["response_format"]["json_schema"]["schema"], schema);
}

#[test]
fn tools_in_either_form_are_called() {
    let stage = Stage::new();
    let parameters = json!({
        "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
    });
    let plain = json!([{ "name": "get_weather", "parameters": parameters }]);
    let openai = json!([{ "type": "function", "function": plain[0] }]);
    for (name, tools) in [("plain.json", plain), ("openai.json", openai)] {
        let file = stage.file(name, tools.to_string());
        let question = ["query", "Call get_weather city=Paris", "--tools", &file];
        let answer = stage.run(&question).answer();
        assert_eq!(answer, "get_weather({\"city\":\"Paris\"})\n");
        let with_json: Vec<&str> = question.into_iter().chain(["--json"]).collect();
        let answer = stage.run(&with_json).json();
        assert_eq!(answer["finish_reason"], "tool_calls");
        assert_eq!(answer["tool_calls"][0]["name"], "get_weather");
    }
}

#[test]
fn a_cut_answer_is_noted_on_stderr() {
    let stage = Stage::new();
    let done = stage.run(&["query", "write 40 words", "--max-tokens", "3"]);
    assert!(done.stderr.contains("--max-tokens"), "{done:?}");
    assert_eq!(done.answer(), "word1 word2 word3\n");
}

#[test]
fn list_shows_configured_models_and_a_vendors_own() {
    let stage = Stage::new();
    let listed = stage.run(&["list"]).answer();
    for model in ["openai", "gemini-thinks", "cohere-sees"] {
        assert!(listed.contains(model), "{listed}");
    }
    assert_eq!(
        stage.simulator.requests(),
        0,
        "listing the configuration asks nobody"
    );
}

#[test]
fn an_answer_that_is_not_what_was_asked_for_is_told() {
    let stage = Stage::new();
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["people"],
        "properties": { "people": { "type": "integer", "minimum": 100 } },
    });
    let file = stage.file("city.json", schema.to_string());
    let asked = |people: &str, more: &[&str]| {
        let prompt = format!("A city: people={people}");
        let arguments = ["query", &prompt, "--schema", &file];
        let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
        stage.run(&arguments)
    };
    let words = "the answer does not satisfy the schema: /people: 7 is below minimum 100";
    for more in [&[][..], &["--stream"], &["--json"], &["--json", "--stream"]] {
        let done = asked("7", more);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(done.stderr, format!("note: {words}\n"), "{more:?}");
        let strict: Vec<&str> = more.iter().chain(&["--strict"]).copied().collect();
        let done = asked("7", &strict);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(
            done.stdout.contains("people") && done.stderr.contains(words),
            "{done:?}"
        );
        let done = asked("700", &strict);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    }
    let done = asked("7", &["--json", "--strict"]);
    let error: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "malformed_response");
    assert_eq!(error["error"]["model"], "openai");
    assert_eq!(asked("7", &["--quiet"]).stderr, "");

    let done = stage.run(&["query", "write 50 words", "--max-tokens", "5", "--strict"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("truncated"), "{done:?}");
    let done = stage.run(&["query", "write 50 words", "--max-tokens", "5"]);
    assert_eq!(done.stderr.matches("was cut").count(), 1, "{done:?}");
}
