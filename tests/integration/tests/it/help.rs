//! What `--help` and the manual pages show, and what every error that a newcomer meets says to type next.

use serde_json::json;

use crate::keys::unheard;
use crate::stage::Stage;

/// Every command, by the words that lead to it.
fn commands(stage: &Stage, below: &[String], all: &mut Vec<Vec<String>>) {
    let words: Vec<&str> = below.iter().map(String::as_str).collect();
    let help = stage
        .run_bare(&[&words[..], &["--help"]].concat(), b"")
        .answer();
    all.push(below.to_vec());
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in listed.take_while(|line| !line.is_empty()) {
        let name = line
            .strip_prefix("  ")
            .and_then(|line| line.split(' ').next());
        let name = name.filter(|name| !name.is_empty() && *name != "help");
        if let Some(name) = name {
            commands(stage, &[below, &[name.to_owned()]].concat(), all);
        }
    }
}

#[test]
fn help_lists_what_is_the_commands_own_before_what_all_take() {
    let stage = Stage::new();
    let mut all = vec![];
    commands(&stage, &[], &mut all);
    assert!(all.len() > 25, "{all:?}");
    for command in all {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = stage
            .run_bare(&[&words[..], &["--help"]].concat(), b"")
            .answer();
        let at = |heading: &str| {
            let mut lines = help.lines();
            lines.position(|line| line == heading)
        };
        let (own, global) = (at("Options:").unwrap(), at("Global options:").unwrap());
        assert!(own < global, "{help}");
        for option in ["--config", "--env-file", "--json", "--quiet", "--verbose"] {
            let place = help.lines().position(|line| {
                let mut words = line.split_whitespace();
                let word = words.find(|word| word.starts_with("--")).unwrap_or("");
                line.trim_start().starts_with('-') && word.trim_end_matches('.') == option
            });
            assert!(
                place.is_some_and(|place| place > global),
                "{option}: {help}"
            );
        }
    }
}

/// What a person reads, without what all commands have in common.
#[test]
fn help_says_what_a_command_does_and_how_it_is_typed() {
    let stage = Stage::new();
    for (name, command) in [
        ("help_keys_set", &["keys", "set"][..]),
        ("help_completions", &["completions"]),
    ] {
        let help = stage
            .run_bare(&[command, &["--help"]].concat(), b"")
            .answer();
        let (own, rest) = help.split_once("Global options:").unwrap();
        let (_, examples) = rest.split_once("\n\n").unwrap();
        insta::assert_snapshot!(name, format!("{own}Global options: …\n\n{examples}"));
    }
}

/// What a newcomer meets, and what to type next.
#[test]
fn every_first_error_names_the_next_command() {
    let mut stage = Stage::new();
    stage.variables.clear();
    stage
        .run(&["query", "hi"])
        .fails(2, &["TEST_OPENAI_KEY", "multillm keys set TEST_OPENAI_KEY"]);
    stage.config["providers"]["openai"]["api_key_env"] = json!(null);
    stage
        .run(&["query", "hi"])
        .fails(2, &["OPENAI_API_KEY", "multillm keys set openai"]);
    stage.variables = vec![("OPENAI_API_KEY".into(), "sk-wrong".into())];
    let wrong = ["multillm keys list", "multillm keys set openai"];
    stage.run(&["query", "hi"]).fails(1, &wrong);
    stage
        .run(&["query", "hi", "--quiet"])
        .fails(1, &["authentication"]);
    stage.variables = vec![("OPENAI_API_KEY".into(), "sk-sim-openai".into())];
    stage.config["providers"]["openai"]["api_key_file"] = json!("nowhere.txt");
    stage
        .run(&["query", "hi"])
        .fails(2, &["nowhere.txt", "create it or correct api_key_file"]);
    stage.config["providers"]["openai"]["api_key_file"] = json!(null);
    stage
        .run(&["query", "hi", "--model", "gpt-9"])
        .fails(2, &["gpt-9", "did you mean \"openai/gpt-9\""]);
    stage
        .run(&["list", "--provider", "opnai"])
        .fails(2, &["did you mean \"openai\"?"]);
    stage.config["models"]["openai"]["model_name"] = json!("gpt-4-withdrawn");
    stage
        .run(&["query", "hi"])
        .fails(1, &["not found", "multillm list --provider openai"]);
    stage.config["providers"]["ollama"]["base_url"] = json!(unheard());
    stage.config["retry"]["max_attempts"] = json!(1);
    stage
        .run(&["query", "hi", "--model", "ollama"])
        .fails(1, &["ollama serve", "OLLAMA_HOST"]);
    stage.variables.clear();
}

#[test]
fn manual_pages_have_variables_files_and_exit_codes() {
    let stage = Stage::new();
    let page = stage.run_bare(&["man"], b"").answer();
    for section in [
        "EXAMPLES",
        "ENVIRONMENT",
        "FILES",
        "EXIT STATUS",
        "GLOBAL OPTIONS",
    ] {
        assert!(
            page.contains(&format!("\n.SH \"{section}\"\n")),
            "no {section} in {page}"
        );
    }
    for words in [
        "MULTILLM_CONFIG",
        "ANTHROPIC_API_KEY",
        "keys.json",
        "history.db",
    ] {
        assert!(page.contains(words), "no {words}");
    }
    let mut all = vec![];
    commands(&stage, &[], &mut all);
    for command in all.iter().filter(|command| !command.is_empty()) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let page = stage
            .run_bare(&[&["man"], &words[..]].concat(), b"")
            .answer();
        assert!(page.contains("\n.SH \"EXIT STATUS\"\n"), "{command:?}");
    }
}
