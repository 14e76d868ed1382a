//! What a person types at a terminal and in scripts: texts that begin with a dash, places of pictures, questions
//! behind the models, faults as JSON, times of a zone.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::stage::{Done, PICTURE, Stage};

/// The last question that the vendor got.
fn asked(stage: &Stage) -> Value {
    let body = stage.simulator.log().pop().unwrap().json();
    let messages = body["messages"].as_array().unwrap();
    messages.last().unwrap()["content"].clone()
}

#[test]
fn a_prompt_may_begin_with_a_dash() {
    let stage = Stage::new();
    for prompt in [
        "- list item",
        "--find me",
        "-v flag",
        "-m is what?",
        "-5",
        "-> x",
        "---",
    ] {
        stage.run(&["query", prompt, "--max-tokens", "50"]).answer();
        assert_eq!(asked(&stage), prompt);
        assert_eq!(
            stage.simulator.log().pop().unwrap().json()["max_completion_tokens"],
            50
        );
    }
    stage
        .run_bare(
            &[
                "query",
                "--config",
                &stage.config_file().display().to_string(),
                "--",
                "--find",
            ],
            b"",
        )
        .answer();
    assert_eq!(asked(&stage), "--find");
    let found = stage.run(&["history", "search", "-v flag"]).answer();
    assert!(found.contains("-v flag"), "{found}");
    // What may be a misspelt option is no prompt.
    stage
        .run(&["query", "--modle", "x"])
        .fails(2, &["unexpected argument '--modle'"]);
}

#[test]
fn a_value_may_begin_with_a_dash() {
    let stage = Stage::new();
    let options = [
        "query",
        "hi",
        "--system",
        "- be brief",
        "--stop",
        "--",
        "--seed",
        "-7",
    ];
    stage.run(&options).answer();
    let body = stage.only_exchange().json();
    assert_eq!(body["messages"][0]["content"], "- be brief");
    assert_eq!((&body["stop"], &body["seed"]), (&json!(["--"]), &json!(-7)));
    for (options, words) in [
        (
            &["query", "hi", "--temperature", "-1"][..],
            "expected a number from 0 to 2",
        ),
        (
            &["query", "hi", "--top-p", "-0.5"],
            "expected a number from 0 to 1",
        ),
        (&["query", "hi", "--max-tokens", "-1"], "'-1'"),
        (
            &["compare", "hi", "-m", "openai", "claude", "-t", "-1"],
            "from 0 to 2",
        ),
        (&["chat", "--temperature", "-1"], "from 0 to 2"),
        (&["health", "--timeout", "-1"], "above 0"),
        (&["history", "list", "--since", "-2h"], "\"-2h\" is no time"),
        (&["history", "list", "-n", "-1"], "'-1'"),
        (&["history", "show", "-1"], "no exchange -1"),
    ] {
        stage.run(options).fails(2, &[words]);
    }
    assert_eq!(stage.simulator.requests(), 1);
}

/// The error on the last line of standard error.
fn told(done: &Done) -> Value {
    assert_eq!(done.code, Some(2), "{done:?}");
    let last = done.stderr.lines().last().unwrap_or_default();
    let told: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no JSON: {done:?}"));
    told["error"].clone()
}

#[test]
fn every_fault_of_usage_is_json_where_json_is_wanted() {
    let stage = Stage::new();
    let empty = stage.file("empty.json", "{}");
    for arguments in [
        &[][..],
        &["bogus"],
        &["--bogus"],
        &["query"],
        &["query", "hi", "--temperature", "hot"],
        &["query", "hi", "--image", "nope.png"],
        &["query", "hi", "--tools", &empty],
        &["query", "hi", "--tool-choice", "x"],
        &["query", "hi", "--reasoning-effort", "huge"],
        &["query", "a", "b"],
        &["chat", "hi"],
        &["compare", "hi"],
        &["compare", "hi", "-m", "openai,nobody"],
        &["health", "nobody"],
        &["health", "-t", "0"],
        &["history"],
        &["history", "show"],
        &["history", "show", "abc"],
        &["history", "show", "999"],
        &["history", "search"],
        &["history", "search", " "],
        &["history", "export", "--format", "xml"],
        &["history", "clear"],
        &["stats", "--by", "week"],
        &["stats", "--since", "soon"],
        &["template", "show", "nothing"],
        &["plugin", "inspect"],
        &["plugin", "inspect", "nothing.wasm"],
        &["config", "import-prices", "nothing.json"],
        &["completions", "tcsh"],
        &["man", "nothing"],
        &["list", "--provider", "nobody"],
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let done = stage.run(&arguments);
        let error = told(&done);
        assert_eq!(error["kind"], "configuration", "{arguments:?}: {done:?}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains('\n'), "{message}");
        assert!(
            !message.contains("Usage:") && !message.starts_with("error"),
            "{message}"
        );
    }
    // In a chat the faults of commands are lines too.
    let done = stage.run_with(&["chat", "--json"], b"/image nope.png\n/nothing\n");
    for line in done.stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    // What asks for help gets it.
    let help = stage.run(&["--json", "query", "--help"]);
    assert!(
        help.code == Some(0) && help.stdout.contains("Usage:"),
        "{help:?}"
    );
    let version = stage.run(&["--json", "--version"]).answer();
    assert!(version.starts_with("multillm "), "{version}");
}

#[test]
fn a_question_may_stand_behind_the_models() {
    let stage = Stage::new();
    let said = stage.run(&[
        "compare",
        "--models",
        "openai",
        "claude",
        "What is it, then?",
    ]);
    let said = said.answer();
    assert_eq!(
        said.matches("You said: What is it, then?").count(),
        2,
        "{said}"
    );
    let said = stage
        .run(&["compare", "--models", "openai", "claude", "hello"])
        .answer();
    assert_eq!(said.matches("You said: hello").count(), 2, "{said}");
    let said = stage
        .run_with(
            &["compare", "-m", "openai,claude", "What is it?"],
            b"a text",
        )
        .answer();
    assert_eq!(
        said.matches("You said: a text\n\nWhat is it?").count(),
        2,
        "{said}"
    );
    let before = stage.simulator.requests();
    for (arguments, input) in [
        (&["compare", "-m", "openai", "claud"][..], &b""[..]),
        (&["compare", "-m", "openai", "claude", "nobody"], b"a text"),
    ] {
        let last = *arguments.last().unwrap();
        stage
            .run_with(arguments, input)
            .fails(2, &[&format!("no model \"{last}\"")]);
    }
    assert_eq!(stage.simulator.requests(), before);
}

#[test]
fn a_picture_may_come_from_anywhere() {
    let stage = Stage::new();
    let file = stage.file("a picture.png", PICTURE);
    let encoded = base64::engine::general_purpose::STANDARD.encode(PICTURE);
    let url = format!("file://{}", file.replace(' ', "%20"));
    let data = format!("data:image/png;base64,{encoded}");
    // HOME is the folder.
    for place in [
        file.as_str(),
        "~/a picture.png",
        &url,
        "file:a%20picture.png",
        &data,
    ] {
        let said = stage
            .run(&["query", "What is it?", "--image", place])
            .answer();
        assert!(said.contains("image/png 3x2"), "{place}: {said}");
    }
    for arguments in [
        &["query", "What is it?", "--image", "-"][..],
        &[
            "compare",
            "What is it?",
            "-m",
            "openai",
            "claude",
            "-i",
            "-",
        ],
    ] {
        let said = stage.run_with(arguments, &PICTURE).answer();
        assert!(said.contains("image/png 3x2"), "{said}");
        assert!(said.contains("You said: What is it?"), "{said}");
    }
    for (arguments, words) in [
        (&["query", "x", "-i", "-", "-i", "-"][..], "once"),
        (&["query", "-i", "-"], "the picture is piped in"),
        (&["query", "x", "-i", "data:image/png,abc"], "is no picture"),
        (
            &["query", "x", "-i", "file://elsewhere/a.png"],
            "no file of this machine",
        ),
        (&["query", "x", "-i", "~"], "is a directory"),
    ] {
        stage.run_with(arguments, &PICTURE).fails(2, &[words]);
    }
}

#[test]
fn places_in_a_chat_are_read_as_a_shell_would() {
    let stage = Stage::new();
    stage.file("a picture.png", PICTURE);
    stage.file("note.txt", "the note's text");
    let lines = "/image ~/a picture.png\nlook\n/file ~/note.txt what's it?\n/save ~/talk.json\n\
                 /clear\n/load ~/talk.json\nagain\n";
    let said = stage.run_with(&["chat"], lines.as_bytes()).answer();
    assert!(said.contains("image/png 3x2"), "{said}");
    assert!(
        said.contains("the note's text") && said.contains("what's it?"),
        "{said}"
    );
    assert!(stage.folder.path().join("talk.json").is_file());
    assert!(said.contains("You said: again"), "{said}");
    assert!(said.contains("(turns: 5)"), "{said}");
    let done = stage.run_with(&["chat"], b"/image C:\\pics\\a.png\n");
    assert!(done.stderr.contains(r"C:\pics\a.png"), "{done:?}");
}

/// A PNG with a note of how it is turned before its end.
fn turned(orientation: u8) -> Vec<u8> {
    let notes = [
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let (picture, end) = PICTURE.split_at(PICTURE.len() - 12);
    let length = u32::try_from(notes.len()).unwrap().to_be_bytes();
    [picture, &length, b"eXIf", &notes, &[0; 4], end].concat()
}

#[test]
fn a_picture_that_is_stored_turned_is_told() {
    let stage = Stage::new();
    stage.file("turned.png", turned(6));
    stage.file("upright.png", turned(1));
    let done = stage.run(&["query", "x", "--image", "turned.png"]);
    assert!(
        done.stderr.contains("turned.png is stored turned by 90°"),
        "{done:?}"
    );
    assert_eq!(done.code, Some(0));
    let done = stage.run(&["query", "x", "--image", "upright.png"]);
    assert_eq!(done.stderr, "");
    let done = stage.run_with(&["chat"], b"/image turned.png\nlook\n");
    assert!(done.stderr.contains("is stored turned"), "{done:?}");
}

#[test]
fn times_are_of_the_zone_that_is_named() {
    let mut stage = Stage::new();
    stage.run(&["query", "hello"]).answer();
    let mut hour = |zone: &str| {
        stage.variables.retain(|(name, _)| name != "TZ");
        stage.variables.push(("TZ".into(), zone.into()));
        let list = stage.run(&["history", "list"]).answer();
        let row = list.lines().nth(1).unwrap();
        let words: Vec<&str> = row.split_whitespace().collect();
        let [_, day, time, ..] = words.as_slice() else {
            panic!("{row}");
        };
        // A time as it is shown is one to begin with.
        let found = |since: String| stage.run(&["stats", "--since", &since]).answer();
        assert!(found(format!("{day}T{time}")).contains("openai"), "{zone}");
        assert_eq!(found(format!("{day}T23:59:59.9")), "", "{zone}");
        let (day, hour) = (&day[8..], &time[..2]);
        day.parse::<i32>().unwrap() * 24 + hour.parse::<i32>().unwrap()
    };
    let utc = hour("UTC0");
    for (zone, ahead) in [
        ("Asia/Shanghai", 8),
        (":Asia/Shanghai", 8),
        ("CST-8", 8),
        ("Asia/Tokyo", 9),
        ("America/Phoenix", -7),
        ("", 0),
    ] {
        let found = hour(zone) - utc;
        // A month may end in between, and an hour pass.
        assert!(
            [ahead, ahead + 1].contains(&found) || found.abs() > 24,
            "{zone}: {found}"
        );
    }
    stage.variables.retain(|(name, _)| name != "TZ");
    stage.variables.push(("TZ".into(), "Nowhere/City".into()));
    let done = stage.run(&["history", "list"]);
    assert!(done.stderr.contains("TZ=Nowhere/City"), "{done:?}");
}
