//! Files that go with a question, code that is taken out of an answer, and files that answers go to.

use std::fs;

use serde_json::Value;

use crate::stage::{PICTURE, Stage};

#[test]
fn several_files_go_with_a_question_under_their_names() {
    let stage = Stage::new();
    stage.file("old.rs", "fn a() {}\n");
    stage.file("new.rs", "fn b() {}\n```\n");
    stage.file("p.png", PICTURE);
    let question = [
        "query",
        "what differs?",
        "-f",
        "old.rs",
        "--file",
        "new.rs",
        "-f",
        "p.png",
    ];
    stage.run_with(&question, b"piped\n").answer();
    let body = stage.only_exchange().json();
    let content = body["messages"][0]["content"].as_array().unwrap();
    assert_eq!(
        content[0]["text"],
        "old.rs:\n\n```\nfn a() {}\n```\n\nnew.rs:\n\n````\nfn b() {}\n```\n````\n\npiped\n\nwhat differs?"
    );
    assert_eq!(content[1]["type"], "image_url");
    assert_eq!(content.len(), 2);
}

#[test]
fn what_is_no_text_is_refused_before_anything_is_asked() {
    let stage = Stage::new();
    stage.file("a.bin", b"\x7fELF\0\0\x01");
    stage.file("a.pdf", b"%PDF-1.7\n");
    stage.file("long.txt", "x".repeat((8 << 20) + 1));
    stage.file("empty.json", "");
    for (file, words) in [
        ("a.bin", "a.bin is neither UTF-8 text nor a picture"),
        ("a.pdf", "a.pdf is a PDF"),
        ("long.txt", "more than 8 MiB"),
        ("none.txt", "cannot read none.txt"),
        (".", ". is a directory"),
        ("-", "- is no file"),
        ("/dev/zero", "more than 32 MiB"),
    ] {
        stage
            .run(&["query", "x", "--file", "empty.json", "--file", file])
            .fails(2, &[words]);
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn code_is_taken_out_of_an_answer() {
    let stage = Stage::new();
    let question = "say:\n```sh\nls -l\n```\nor\n~~~py\nprint('你好')\n~~~\nend";
    assert_eq!(
        stage.run(&["query", question, "--extract"]).answer(),
        "ls -l\n"
    );
    assert_eq!(
        stage.run(&["query", question, "--extract-last"]).answer(),
        "print('你好')\n"
    );
    let none = stage.run(&["query", "no code", "-x"]);
    none.fails(1, &["no code block", "history show last"]);
    let shown = stage.run(&["history", "show", "last"]).answer();
    assert!(shown.contains("You said: no code"), "{shown}");
    for other in ["--stream", "--extract-last"] {
        stage
            .run(&["query", question, "-x", other])
            .fails(2, &["cannot be used with"]);
    }
    stage
        .run(&["query", question, "-x", "--json"])
        .fails(2, &["leave it or --extract out"]);
}

#[test]
fn an_answer_goes_to_a_file_whole_or_not_at_all() {
    let stage = Stage::new();
    let path = stage.folder.path().join("a.txt");
    let piped = stage.run(&["query", "one"]).answer();
    let done = stage.run(&["query", "one", "--out", "a.txt"]);
    assert!(done.stderr.contains("written to a.txt"), "{done:?}");
    assert_eq!(done.answer(), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), piped);
    stage
        .run(&[
            "query",
            "x\n```\ncode\n```\nend",
            "-x",
            "-o",
            "a.txt",
            "--quiet",
        ])
        .answer();
    assert_eq!(fs::read_to_string(&path).unwrap(), "code\n");
    stage
        .run(&["query", "one", "-o", "a.txt", "--json"])
        .answer();
    let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(written["finish_reason"], "stop");
    // What fails leaves the file as it was, and nothing beside it.
    let before = fs::read_to_string(&path).unwrap();
    // What is being written has a name that begins with a dot and the number of its process.
    let unfinished = || {
        let names = fs::read_dir(stage.folder.path()).unwrap().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let begun = |name: &String| name.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        names
            .filter(|name| name.starts_with('.') && begun(name))
            .count()
    };
    for arguments in [
        &["query", "[[fault:401]]", "-o", "a.txt"][..],
        &["query", "no code", "-x", "-o", "a.txt"],
        &[
            "query",
            "write 50 words",
            "--max-tokens",
            "5",
            "--strict",
            "-o",
            "a.txt",
        ],
    ] {
        assert_eq!(stage.run(arguments).code, Some(1), "{arguments:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before, "{arguments:?}");
        assert_eq!(unfinished(), 0, "{arguments:?}");
    }
    // Nothing is asked whose answer could not be written.
    let asked = stage.simulator.requests();
    fs::create_dir(stage.folder.path().join("d")).unwrap();
    stage
        .run(&["query", "x", "-o", "d"])
        .fails(2, &["cannot write d", "directory"]);
    stage
        .run(&["query", "x", "-o", "no/such/dir"])
        .fails(2, &["cannot write no/such/dir"]);
    stage
        .run(&["query", "x", "-o", "b", "--stream"])
        .fails(2, &["cannot be used with"]);
    assert_eq!(stage.simulator.requests(), asked);
}

#[test]
#[cfg(unix)]
fn a_file_keeps_its_mode_and_a_link_is_not_followed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let stage = Stage::new();
    let folder = stage.folder.path();
    let mode = |name: &str| {
        fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    let quiet = |name: &str| stage.run(&["query", "x", "-q", "-o", name]);
    quiet("new.txt").answer();
    // As the umask of whoever runs this says.
    stage.file("usual.txt", "");
    assert_eq!(mode("new.txt"), mode("usual.txt"));
    fs::set_permissions(folder.join("new.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    quiet("new.txt").answer();
    assert_eq!(mode("new.txt"), 0o640);
    stage.file("target", "mine");
    symlink("target", folder.join("link")).unwrap();
    quiet("link").fails(2, &["it is a link to target"]);
    assert_eq!(fs::read_to_string(folder.join("target")).unwrap(), "mine");
    let said = quiet("/dev/stdout").answer();
    assert!(said.contains("You said: x"), "{said}");
}

#[test]
fn a_new_template_is_a_commented_file_that_can_be_asked_by() {
    let stage = Stage::new();
    let done = stage.run(&["template", "new", "draft"]);
    assert!(done.stderr.contains("--template draft"), "{done:?}");
    let path = done.answer();
    let path = path.trim();
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("// The question."), "{text}");
    let listed = stage.run(&["template", "list"]).answer();
    assert!(
        listed.contains("draft") && listed.contains("[language]"),
        "{listed}"
    );
    let said = stage
        .run(&[
            "query",
            "--template",
            "draft",
            "what is 天?",
            "-p",
            "language=Latin",
        ])
        .answer();
    assert!(said.contains("Answer in Latin:\n\nwhat is 天?"), "{said}");
    stage
        .run(&["template", "new", "draft"])
        .fails(2, &["there is a template \"draft\" already"]);
    for name in ["a/b", "..", ".x", "", "c:d"] {
        stage
            .run(&["template", "new", name])
            .fails(2, &["no name for a template"]);
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text);
}
