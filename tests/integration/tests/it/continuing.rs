//! Questions that go on with what was asked before, by `query` itself; the conversations that are kept, and reading them.

use serde_json::{Value, json};

use crate::stage::Stage;

#[test]
fn a_question_goes_on_with_the_last_one() {
    let stage = Stage::new();
    stage
        .run(&["query", "one", "--system", "Be brief.", "-m", "claude"])
        .answer();
    let done = stage.run(&["query", "two", "--continue"]);
    assert!(
        done.stderr.contains("going on with \"one\" (1 turn)"),
        "{done:?}"
    );
    let said = done.answer();
    assert!(
        said.contains("claude") && said.contains("You said: two"),
        "{said}"
    );
    assert!(said.contains("(system: Be brief.)"), "{said}");
    // The system's text is none of the turns.
    let turns = said.split("(turns: ").nth(1).unwrap().to_owned();
    assert!(turns.starts_with('3'), "{said}");
    // With another model, and with the short name.
    let said = stage
        .run(&["query", "-c", "three", "-m", "gemini"])
        .answer();
    assert!(
        said.contains("gemini") && said.contains("(turns: 5)"),
        "{said}"
    );
    // Another conversation begins without it.
    let said = stage.run(&["query", "other"]).answer();
    assert!(said.contains("(turns: 1)"), "{said}");
    let said = stage.run(&["query", "-c", "more", "--quiet"]);
    assert_eq!(said.stderr, "");
    assert!(said.answer().contains("(turns: 3)"));
    // A chat goes on with it too, and it with a chat.
    let said = stage.run_with(&["chat", "-c"], b"in a chat\n").answer();
    assert!(said.contains("(turns: 5)"), "{said}");
    let said = stage.run(&["query", "-c", "after it"]).answer();
    assert!(said.contains("(turns: 7)"), "{said}");
}

#[test]
fn a_conversation_is_chosen_by_its_id() {
    let stage = Stage::new();
    let first = stage.run(&["query", "first", "--json"]).json();
    let id = first["conversation_id"].as_str().unwrap().to_owned();
    let other = stage
        .run(&["query", "second", "--json", "--stream"])
        .answer();
    let other: Value = serde_json::from_str(other.lines().last().unwrap()).unwrap();
    assert_eq!(other["type"], "done");
    assert_ne!(other["conversation_id"], id.as_str());
    let said = stage
        .run(&["query", "again", "--conversation", &id, "--json"])
        .json();
    assert_eq!(said["conversation_id"], id.as_str());
    assert!(said["content"].as_str().unwrap().contains("(turns: 3)"));
    // What was asked last is last.
    let listed = stage.run(&["history", "conversations", "--json"]).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["turns"]),
        (&json!(id), &json!(2))
    );
    assert_eq!(listed[0]["title"], "first");
    let shown = stage.run(&["history", "conversations"]).answer();
    assert!(
        shown.contains(&id[..13]) && shown.contains("TURNS"),
        "{shown}"
    );
    let shown = stage.run(&["history", "show", "last"]).answer();
    for words in [&*id, "--- you\nfirst", "--- answer\n", "--- you\nagain"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let shown = stage.run(&["history", "show", &id[..20], "--json"]).json();
    assert_eq!(shown["messages"].as_array().unwrap().len(), 4);
    // A number is an exchange, as before.
    let shown = stage.run(&["history", "show", "1"]).answer();
    assert!(shown.contains(&id) && shown.contains("PROMPT"), "{shown}");
    stage
        .run(&["history", "show", "nothing"])
        .fails(2, &["\"nothing\"", "history conversations"]);
    stage
        .run(&["query", "x", "--conversation", "nothing"])
        .fails(2, &["\"nothing\""]);
    stage
        .run(&["query", "x", "-c", "--conversation", &id])
        .fails(2, &["cannot be used with"]);
}

#[test]
fn what_failed_or_is_not_kept_cannot_go_on() {
    let mut stage = Stage::new();
    stage
        .run(&["query", "x", "--continue"])
        .fails(2, &["no conversation is kept yet"]);
    stage.run(&["query", "[[fault:401]]"]);
    stage
        .run(&["history", "show", "last"])
        .fails(2, &["no conversation is kept yet", "multillm query"]);
    assert_eq!(stage.run(&["history", "conversations"]).answer(), "");
    stage.config["history"]["content"] = json!(false);
    let answer = stage.run(&["query", "secret", "--json"]).json();
    assert_eq!(answer.get("conversation_id"), None);
    stage
        .run(&["query", "x", "-c"])
        .fails(2, &["no conversation is kept"]);
    stage.config["history"]["enabled"] = json!(false);
    let answer = stage.run(&["query", "hi", "--json"]).json();
    assert_eq!(answer.get("conversation_id"), None);
    stage
        .run(&["query", "x", "-c"])
        .fails(2, &["history.enabled"]);
}

#[test]
fn the_former_short_name_of_the_configuration_still_names_it() {
    let stage = Stage::new();
    let config = stage.config_file().display().to_string();
    for arguments in [
        &["-c", &*config, "query", "hi"][..],
        &["query", "-c", &config, "hi"],
        &["query", "hi", "-c", &config],
        &["query", "-C", &config, "hi"],
        &["query", "hi", &format!("-c{config}")],
    ] {
        let said = stage.run_bare(arguments, b"").answer();
        assert!(
            said.contains("You said: hi (turns: 1)"),
            "{arguments:?}: {said}"
        );
    }
    let listed = stage.run_bare(&["list", "-c", &config], b"").answer();
    assert!(listed.contains("openai"), "{listed}");
    // A configuration of another name is to be named by the whole option.
    let done = stage.run_bare(&["query", "-c", "conf", "hi"], b"");
    done.fails(2, &["unexpected argument", "-C FILE"]);
    stage
        .run_bare(&["query", "-c", "gone.json", "hi"], b"")
        .fails(2, &["gone.json", "no such file"]);
}

#[test]
fn an_alias_is_asked_like_its_model() {
    let stage = Stage::new();
    let config = stage.config_file().display().to_string();
    // The configuration is named by its place alone, so that the user's own directory counts.
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = arguments.iter().copied().chain(["-C", &config]).collect();
        stage.run_bare(&all, b"")
    };
    let listed = run(&["alias", "list"]);
    assert!(listed.stderr.contains("alias set NAME MODEL"), "{listed:?}");
    assert!(
        run(&["alias", "set", "快", "claude"])
            .stderr
            .contains("快 stands for claude")
    );
    run(&["alias", "set", "f", "快"]).answer();
    let said = run(&["query", "hi", "-m", "f"]).answer();
    assert!(said.contains("claude"), "{said}");
    assert_eq!(
        run(&["alias", "list", "--json"]).json(),
        json!({ "f": "claude", "快": "claude" })
    );
    assert_eq!(run(&["health", "f"]).code, Some(0));
    let compared = run(&["compare", "x", "-m", "f,openai", "--json"]).json();
    assert_eq!(compared["results"].as_array().unwrap().len(), 2);
    run(&["alias", "set", "x", "nobody"]).fails(2, &["no model \"nobody\""]);
    run(&["alias", "set", "openai", "claude"]).fails(2, &["choose another name"]);
    run(&["alias", "set", "a/b", "claude"]).fails(2, &["no name for an alias"]);
    run(&["query", "hi", "-m", "g"]).fails(2, &["no model \"g\""]);
    run(&["alias", "remove", "f"]).answer();
    run(&["alias", "remove", "f"]).fails(2, &["no alias \"f\""]);
    run(&["query", "hi", "-m", "f"]).fails(2, &["no model \"f\""]);
}
