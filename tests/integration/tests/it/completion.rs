//! Names that a shell completes: models, routes, providers and templates of the configuration.

use serde_json::json;

use crate::stage::{Stage, program};

#[test]
fn shells_get_names_of_the_configuration() {
    let mut stage = Stage::new();
    stage.config["models"]["off"] =
        json!({ "provider": "openai", "model_name": "x", "enabled": false });
    stage.config["routes"] = json!({ "any": { "models": ["openai"] } });
    std::fs::create_dir(stage.folder.path().join("templates")).unwrap();
    stage.file("templates/greet.json", r#"{ "prompt": "hi" }"#);
    let config = stage.config_file().display().to_string();
    let names = |words: &[&str]| {
        let words: Vec<&str> = ["__complete", "--config", &config]
            .iter()
            .chain(words)
            .copied()
            .collect();
        let done = stage.run_bare(&words, b"");
        assert_eq!(done.stderr, "");
        (done.code, done.stdout)
    };
    let yes = |text: &str| (Some(0), text.to_owned());
    let (code, all) = names(&["query", "--model", ""]);
    assert_eq!(code, Some(0));
    let all: Vec<&str> = all.lines().collect();
    assert!(
        all.contains(&"openai") && all.contains(&"any") && !all.contains(&"off"),
        "{all:?}"
    );
    assert_eq!(names(&["query", "-m", "any"]), yes("any\n"));
    assert_eq!(names(&["query", "--model=any"]), yes("--model=any\n"));
    assert_eq!(names(&["compare", "-m", "openai", "an"]), yes("any\n"));
    assert_eq!(names(&["compare", "-m", "openai,an"]), yes("openai,any\n"));
    assert_eq!(names(&["health", "openai", "an"]), yes("any\n"));
    assert_eq!(names(&["history", "list", "--model", "an"]), yes("any\n"));
    assert_eq!(names(&["list", "--provider", "coh"]), yes("cohere\n"));
    assert_eq!(names(&["query", "--template", ""]), yes("greet\n"));
    assert_eq!(names(&["template", "show", "g"]), yes("greet\n"));
    assert_eq!(names(&["man", "hea"]), yes("health\n"));
    // The script knows better.
    for words in [
        &["query", ""][..],
        &["qu"],
        &["query", "--mod"],
        &["query", "--image", ""],
    ] {
        assert_eq!(names(words), (Some(1), String::new()), "{words:?}");
    }
    // A configuration that is wrong has no names, and says nothing.
    let wrong = stage.file("wrong.json", "{ nothing");
    let done = stage.run_bare(&["__complete", "--config", &wrong, "query", "-m", ""], b"");
    assert_eq!(
        (done.code, done.stdout.as_str(), done.stderr.as_str()),
        (Some(0), "", "")
    );
}

#[test]
#[cfg(unix)]
fn bash_completes_names_with_colons() {
    let mut stage = Stage::new();
    stage.config["models"]["llama:7b"] = json!({ "provider": "ollama", "model_name": "x" });
    let config = stage.config_file().display().to_string();
    let script = stage.run(&["completions", "bash"]).answer();
    stage.file("script", script);
    let program = program();
    let completed = |words: &[&str]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let text = format!(
            "source ./script; COMP_WORDS=({} {}); COMP_CWORD={}; COMPREPLY=(); _multillm_names \"${{COMP_WORDS[0]}}\" \
             \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            program.display(),
            quoted.join(" "),
            words.len()
        );
        let output = std::process::Command::new("bash")
            .args(["-c", &text])
            .current_dir(stage.folder.path())
            .env("MULTILLM_CONFIG", &config)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed(&["query", "-m", "cohere-t"]), "cohere-thinks\n");
    assert_eq!(completed(&["query", "--model", "llama"]), "llama:7b\n");
    assert_eq!(completed(&["query", "--model", "llama", ":"]), "7b\n");
    assert_eq!(completed(&["query", "--model", "llama", ":", "7"]), "7b\n");
    assert_eq!(completed(&["query", "--model", "=", "llama"]), "llama:7b\n");
    assert_eq!(completed(&["que"]), "query\n");
}
