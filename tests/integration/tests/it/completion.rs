//! Names that a shell completes: models, routes, providers and templates of the configuration.

use serde_json::json;

use crate::stage::{Stage, program};
#[cfg(target_os = "linux")]
use crate::window::Window;

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
    assert_eq!(names(&["query", "--template", "g"]), yes("greet\n"));
    // Those that come with the program stand beside it.
    let (_, templates) = names(&["query", "--template", ""]);
    assert!(
        templates.contains("greet\n") && templates.contains("translation\n"),
        "{templates}"
    );
    let (_, implied) = names(&["query", "--model", "groq/"]);
    assert!(implied.starts_with("groq/"), "{implied}");
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
    stage.config["models"]["tuned:7b"] = json!({ "provider": "ollama", "model_name": "x" });
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
    assert_eq!(completed(&["query", "--model", "tuned"]), "tuned:7b\n");
    assert_eq!(completed(&["query", "--model", "tuned", ":"]), "7b\n");
    assert_eq!(completed(&["query", "--model", "tuned", ":", "7"]), "7b\n");
    assert_eq!(completed(&["query", "--model", "=", "tuned"]), "tuned:7b\n");
    assert_eq!(completed(&["que"]), "query\n");
}

/// Whether a shell is there to try; says so if not.
#[cfg(unix)]
fn is_installed(shell: &str) -> bool {
    let found = std::process::Command::new(shell)
        .args(["-c", "true"])
        .status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: {shell} is not installed (apt-get install {shell})");
    }
    found
}

/// A folder that has the program by its name, the script of a shell, a model, a template, a file.
#[cfg(unix)]
fn shell_stage(shell: &str) -> Stage {
    let mut stage = Stage::new();
    stage.config["models"]["tuned:7b"] = json!({ "provider": "ollama", "model_name": "x" });
    std::fs::create_dir(stage.folder.path().join("templates")).unwrap();
    stage.file("templates/greet.json", r#"{ "prompt": "hi" }"#);
    stage.file("notes-of-mine.md", "x");
    std::fs::create_dir(stage.folder.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(program(), stage.folder.path().join("bin/multillm")).unwrap();
    let script = stage.run(&["completions", shell]).answer();
    stage.file("_multillm", script);
    stage
}

/// The environment of a shell: its own startup files do not count.
#[cfg(unix)]
fn shell(stage: &Stage, program: &str) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(stage.folder.path())
        .env("HOME", stage.folder.path())
        .env("ZDOTDIR", stage.folder.path())
        .env(
            "PATH",
            format!("{}/bin:{path}", stage.folder.path().display()),
        )
        .env("MULTILLM_CONFIG", stage.config_file())
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color");
    command
}

/// A shell in a window, and what it makes of lines that were begun. Each is cleared before the next.
#[cfg(target_os = "linux")]
fn complete_in_a_window(stage: &Stage, line: &str, begun_and_wanted: &[(&str, &str)]) {
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}/bin:{path}", stage.folder.path().display());
    let variables = [
        ("PATH", path),
        ("ZDOTDIR", stage.folder.path().display().to_string()),
        ("MULTILLM_CONFIG", stage.config_file().display().to_string()),
    ];
    let Some(window) = Window::running(stage, 150, line, &variables) else {
        return;
    };
    window.until("ready>");
    for (begun, wanted) in begun_and_wanted {
        window.keys(&["C-u", *begun]);
        window.until(begun);
        window.keys(&["Tab"]);
        window.until(wanted);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn bash_completes_as_it_runs() {
    let stage = shell_stage("bash");
    let rc = stage.file("rc", "source ./_multillm\nPS1='ready> '\n");
    complete_in_a_window(
        &stage,
        &format!("bash --noprofile --rcfile {rc} -i"),
        &[
            ("multillm query -m cohere-t", "-m cohere-thinks"),
            ("multillm query -m tune", "-m tuned:7b"),
            ("multillm query --template gr", "--template greet"),
            ("multillm query --file notes-o", "--file notes-of-mine.md"),
            ("multillm alias set x cohere-t", "set x cohere-thinks"),
        ],
    );
}

#[test]
#[cfg(target_os = "linux")]
fn zsh_completes_as_it_runs() {
    if !is_installed("zsh") {
        return;
    }
    let stage = shell_stage("zsh");
    stage.file(
        ".zshrc",
        "fpath=($HOME $fpath)\nautoload -Uz compinit && compinit -u\nPS1='ready> '\n",
    );
    complete_in_a_window(
        &stage,
        "zsh -i",
        &[
            ("multillm query -m cohere-t", "-m cohere-thinks"),
            ("multillm query -m tune", "-m tuned:7b"),
            ("multillm query --template gr", "--template greet"),
            ("multillm query --file notes-o", "--file notes-of-mine.md"),
            ("multillm alias set x cohere-t", "set x cohere-thinks"),
        ],
    );
}

#[test]
#[cfg(target_os = "linux")]
fn fish_completes_as_it_is_asked() {
    if !is_installed("fish") {
        return;
    }
    let stage = shell_stage("fish");
    let completed = |line: &str| {
        let text = format!("source ./_multillm; complete -C '{line}'");
        let output = shell(&stage, "fish")
            .args(["--no-config", "-c", &text])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let words = said
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned());
        words.collect::<Vec<_>>()
    };
    assert_eq!(completed("multillm query -m cohere-t"), ["cohere-thinks"]);
    assert_eq!(completed("multillm query --model tune"), ["tuned:7b"]);
    assert_eq!(completed("multillm query --template gr"), ["greet"]);
    assert_eq!(
        completed("multillm query --file notes-o"),
        ["notes-of-mine.md"]
    );
    assert_eq!(completed("multillm health cohere-t"), ["cohere-thinks"]);
    assert_eq!(completed("multillm template show gr"), ["greet"]);
}
