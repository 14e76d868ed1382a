//! `embed` and `tokens`: texts as vectors and as numbers of tokens, by every vendor that makes them, in every form in
//! which they go in and come out.

use std::fs;

use serde_json::{Value, json};

use crate::raw_server::{RawServer, http};
use crate::stage::Stage;

/// The models that make vectors: names here, plugins, the vendors' names.
const MAKERS: [(&str, &str, &str); 6] = [
    ("v-openai", "openai", "text-embedding-3-small"),
    ("v-azure", "azure", "text-embedding-3-small"),
    ("v-gemini", "gemini", "gemini-embedding-001"),
    ("v-cohere", "cohere", "embed-v4.0"),
    ("v-ollama", "ollama", "llama3.2"),
    ("v-huggingface", "huggingface", "text-embedding-3-small"),
];

fn stage() -> Stage {
    let mut stage = Stage::new();
    for (name, provider, model) in MAKERS {
        stage.config["models"][name] = json!({ "provider": provider, "model_name": model, "cost": { "input_per_1m": 2, "output_per_1m": 0 } });
    }
    // The simulated router knows no vectors: OpenAI's do as a server of one's own.
    let base_url = stage.simulator.base_url(multillm_simulator::Vendor::OpenAi);
    stage.config["providers"]["huggingface"] =
        json!({ "base_url": base_url, "api_key_env": "TEST_OPENAI_KEY" });
    stage
}

fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The vectors of one request for both texts, as the library gives them.
fn whole(stage: &Stage, model: &str) -> Value {
    stage
        .run(&["embed", "the sea", "ships", "-m", model, "--json"])
        .json()
}

#[test]
fn every_vendor_makes_the_same_vectors_however_they_are_asked_for() {
    let stage = stage();
    for (model, ..) in MAKERS {
        let made = whole(&stage, model);
        assert_eq!(
            made["vectors"].as_array().unwrap().len(),
            2,
            "{model}: {made}"
        );
        assert_eq!(made["vectors"][0].as_array().unwrap().len(), 8, "{model}");
        assert_ne!(made["vectors"][0], made["vectors"][1], "{model}");
        let lines = stage
            .run(&["embed", "the sea", "ships", "-m", model])
            .answer();
        let lines = rows(&lines);
        let vectors: Vec<&Value> = lines.iter().map(|row| &row["embedding"]).collect();
        assert_eq!(
            vectors,
            [&made["vectors"][0], &made["vectors"][1]],
            "{model}"
        );
        // Lines of standard input, and of a file; what says nothing is no text.
        let piped = stage
            .run_with(&["embed", "-m", model], b"the sea\n\n  \nships\n")
            .answer();
        assert_eq!(rows(&piped), lines, "{model}");
        let file = stage.file("texts.txt", "the sea\nships\n");
        let filed = stage
            .run(&["embed", "-m", model, "--file", &file, "--lines"])
            .answer();
        assert_eq!(rows(&filed), lines, "{model}");
        let one = stage.run(&["embed", "-m", model, "--file", &file]).answer();
        assert_eq!(rows(&one).len(), 1, "{model}");
    }
}

#[test]
fn vectors_are_written_as_lines_as_a_table_and_as_numbers() {
    let stage = stage();
    let made = whole(&stage, "v-openai");
    let numbers: Vec<f32> = made["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|vector| vector.as_array().unwrap())
        .map(|number| number.to_string().parse().unwrap())
        .collect();
    let asked = ["embed", "the sea", "ships", "-m", "v-openai"];
    let table = stage
        .run(&[&asked[..], &["--format", "csv"]].concat())
        .answer();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "index,sha256,0,1,2,3,4,5,6,7");
    assert_eq!(lines.len(), 3);
    let cells: Vec<f32> = lines[1..]
        .iter()
        .flat_map(|line| line.split(',').skip(2))
        .map(|cell| cell.parse().unwrap())
        .collect();
    assert_eq!(cells, numbers);
    let path = stage.folder.path().join("vectors.bin");
    let out = path.display().to_string();
    let done = stage.run(&[&asked[..], &["--format", "binary", "--out", &out]].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    let bytes = fs::read(&path).unwrap();
    let read: Vec<f32> = bytes
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(read, numbers);
}

#[test]
fn texts_go_in_batches_and_a_broken_run_goes_on() {
    let mut stage = stage();
    stage.once();
    let texts: Vec<String> = (0..25).map(|number| format!("text {number}")).collect();
    let file = stage.file("texts.txt", texts.join("\n"));
    let path = stage.folder.path().join("vectors.jsonl");
    let out = path.display().to_string();
    let asked = [
        "embed", "-m", "v-cohere", "--file", &file, "--lines", "--batch", "10", "--out", &out,
    ];
    let done = stage.run(&asked);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(stage.simulator.requests(), 3);
    let all = fs::read_to_string(&path).unwrap();
    let indices: Vec<u64> = rows(&all)
        .iter()
        .map(|row| row["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indices, (0..25).collect::<Vec<u64>>());
    // It was broken off in the middle of a row.
    let cut = all.match_indices('\n').nth(11).unwrap().0 + 20;
    fs::write(&path, &all[..cut]).unwrap();
    let before = stage.simulator.requests();
    let done = stage.run(&[&asked[..], &["--resume"]].concat());
    assert!(
        done.stderr.contains("12 texts are there already, 13 to do"),
        "{done:?}"
    );
    assert_eq!(stage.simulator.requests() - before, 2);
    assert_eq!(fs::read_to_string(&path).unwrap(), all);
    // What stands there is of other texts.
    let other = stage.file("other.txt", "something else\n");
    stage
        .run(&[
            "embed", "-m", "v-cohere", "--file", &other, "--lines", "--out", &out, "--resume",
        ])
        .fails(2, &["text 1 differs"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), all);
    // A batch that fails leaves what came before it.
    let vectors = json!({ "object": "list", "model": "v", "usage": { "prompt_tokens": 2, "total_tokens": 2 },
        "data": [{ "index": 0, "embedding": [0.5] }, { "index": 1, "embedding": [0.25] }] });
    let server = RawServer::new(move |number| match number {
        0 => http(200, "application/json", "", &vectors.to_string()),
        _ => http(500, "application/json", "", "{}"),
    });
    stage.config["providers"]["openai"]["base_url"] = server.origin.clone().into();
    let file = stage.file("faulty.txt", "good\nbetter\nbest\n");
    let faulty = stage
        .folder
        .path()
        .join("faulty.jsonl")
        .display()
        .to_string();
    let done = stage.run(&[
        "embed", "-m", "v-openai", "--file", &file, "--lines", "--batch", "2", "--out", &faulty,
    ]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(rows(&fs::read_to_string(&faulty).unwrap()).len(), 2);
}

#[test]
fn length_and_purpose_reach_who_knows_them() {
    let stage = stage();
    for (model, length) in [
        ("v-openai", 4),
        ("v-azure", 4),
        ("v-gemini", 4),
        ("v-cohere", 256),
        ("v-ollama", 4),
    ] {
        let dimensions = length.to_string();
        let made = stage
            .run(&[
                "embed",
                "the sea",
                "-m",
                model,
                "--dimensions",
                &dimensions,
                "--json",
            ])
            .json();
        assert_eq!(
            made["vectors"][0].as_array().unwrap().len(),
            length,
            "{model}"
        );
    }
    for (model, key, word) in [
        ("v-cohere", "input_type", "search_query"),
        ("v-gemini", "taskType", "RETRIEVAL_QUERY"),
    ] {
        stage
            .run(&["embed", "the sea", "-m", model, "--purpose", "query"])
            .answer();
        let sent = String::from_utf8(stage.simulator.log().pop().unwrap().body.to_vec()).unwrap();
        assert!(
            sent.contains(&format!("\"{key}\":\"{word}\"")),
            "{model}: {sent}"
        );
    }
    stage
        .run(&["embed", "the sea", "-m", "v-openai", "--purpose", "query"])
        .fails(1, &["unsupported", "purpose"]);
    stage
        .run(&["embed", "the sea", "-m", "claude"])
        .fails(1, &["unsupported", "claude"]);
    stage
        .run(&["embed", "-m", "v-openai"])
        .fails(2, &["nothing to embed"]);
}

#[test]
fn what_vectors_cost_is_recorded() {
    let stage = stage();
    for (model, provider, _) in MAKERS {
        let asked = ["embed", "the sea", "ships", "-m", model, "--json"];
        let told = stage.run(&asked).answer();
        let list = ["history", "list", "--limit", "1", "--json"];
        let listed = stage.run(&list).answer();
        // Two dollars a million for the three tokens of `the sea` and `ships`, to the last digit.
        for text in [&told, &listed] {
            assert!(text.contains("\"cost\":0.000006"), "{model}: {text}");
        }
        let made: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(made["usage"]["prompt_tokens"], 3, "{model}: {made}");
        let rows: Value = serde_json::from_str(&listed).unwrap();
        let row = &rows[0];
        assert_eq!(
            (&row["model"], &row["provider"]),
            (&json!(model), &json!(provider))
        );
        assert_eq!(row["outcome"], "success", "{model}");
        assert_eq!(row["prompt"], "the sea\nships", "{model}");
        assert_eq!(row["prompt_tokens"], 3, "{model}: {row}");
    }
}

#[test]
fn tokens_are_counted_or_said_to_be_estimated() {
    let mut stage = stage();
    stage.config["models"]["responses"] =
        json!({ "provider": "openai", "model_name": "gpt-4o", "settings": { "api": "responses" } });
    for (model, counted) in [
        ("claude", true),
        ("gemini", true),
        ("cohere", true),
        ("responses", true),
        ("ollama", false),
        ("huggingface", false),
    ] {
        let asked = ["tokens", "one two three", "-m", model];
        let done = stage.run(&asked);
        let printed: u64 = done.stdout.trim().parse().unwrap();
        assert!(printed > 0, "{model}");
        assert_eq!(
            done.stderr.contains("this is an estimate"),
            !counted,
            "{model}: {done:?}"
        );
        let count = stage.run(&[&asked[..], &["--json"]].concat()).json();
        assert_eq!(count["estimated"], !counted, "{model}: {count}");
        assert_eq!(count["tokens"], printed, "{model}: {count}");
        // More is more: instructions, tools, a pipe.
        let tools = stage.file(
            "tools.json",
            r#"[{"name":"look","description":"looks at a place that has a name","parameters":{"type":"object","properties":{"place":{"type":"string"}}}}]"#,
        );
        let more = [
            &asked[..],
            &[
                "--system",
                "Be brief and to the point.",
                "--tools",
                &tools,
                "--json",
            ],
        ]
        .concat();
        let more = stage.run_with(&more, b"and a text that is piped in").json();
        assert!(
            more["tokens"].as_u64().unwrap() > printed,
            "{model}: {more}"
        );
    }
    // Counting writes no row.
    assert_eq!(stage.run(&["history", "list", "--json"]).json(), json!([]));
    stage
        .run(&["tokens", "x", "-m", "nobody"])
        .fails(2, &["nobody"]);
}
