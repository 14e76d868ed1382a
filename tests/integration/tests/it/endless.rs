//! Input and output without an end or without room: read to a bound and then refused, and told as
//! what it is. Answers without an end too.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use multillm::ErrorKind;
use serde_json::json;

use crate::asking::ask;
use crate::stage::Stage;

#[test]
fn more_than_any_request_may_hold_is_refused() {
    let stage = Stage::new();
    let input = vec![b'x'; 65 << 20];
    for arguments in [&["query", "x"][..], &["compare", "x", "--models", "openai"]] {
        let done = stage.run_with(arguments, &input);
        done.fails(2, &["standard input holds more than 64 MiB"]);
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
#[cfg(unix)]
fn a_device_without_an_end_is_no_file() {
    let stage = Stage::new();
    let folder = stage.folder.path().join("templates");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("endless.json")).unwrap();
    for arguments in [
        &["query", "x", "--image", "/dev/zero"][..],
        &["query", "x", "--schema", "/dev/zero"],
        &["query", "x", "--tools", "/dev/zero"],
        &["query", "x", "--template", "endless"],
    ] {
        let done = stage.run(arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
    }
    // Whoever looks through the folder afterwards reads it to its end.
    std::fs::remove_file(folder.join("endless.json")).unwrap();
    let done = stage.run_with(
        &["chat"],
        b"/file /dev/zero what?\n/load /dev/zero\n/image /dev/zero\n",
    );
    assert_eq!(done.stderr.matches("error: ").count(), 3, "{done:?}");
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn standard_input_that_stays_open_is_told_and_can_be_left_out() {
    let stage = Stage::new();
    let config = stage.config_file().display().to_string();
    let begin = |more: &[&str]| {
        let arguments = [&["query", "Hello", "--config", &config], more].concat();
        let mut child = stage.command(&arguments).spawn().unwrap();
        let open = child.stdin.take().unwrap();
        (child, open)
    };
    let (mut child, mut open) = begin(&[]);
    let mut hint = [0; 64];
    let read = child.stderr.as_mut().unwrap().read(&mut hint).unwrap();
    let hint = String::from_utf8_lossy(&hint[..read]).into_owned();
    assert!(hint.contains("standard input"), "{hint}");
    open.write_all(b"and more").unwrap();
    drop(open);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("and more"), "{said}");

    let (child, open) = begin(&["--no-stdin"]);
    let output = child.wait_with_output().unwrap();
    drop(open);
    assert!(output.status.success(), "{output:?}");

    let (child, open) = begin(&["--quiet"]);
    std::thread::sleep(Duration::from_secs(3));
    drop(open);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stderr, b"", "{output:?}");
    stage
        .run(&["query", "--no-stdin"])
        .fails(2, &["--no-stdin leaves standard input alone"]);
}

#[test]
#[cfg(target_os = "linux")]
fn standard_output_without_room_is_no_fault_of_the_configuration() {
    let stage = Stage::new();
    let config = stage.config_file().display().to_string();
    for arguments in [
        &["query", "Hello"][..],
        &["query", "Hello", "--stream"],
        &["query", "Hello", "--json"],
        &["list"],
        &["history", "export"],
        &["completions", "bash"],
        &["config", "schema"],
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let arguments = [arguments, &["--config", &config]].concat();
        let mut command = stage.command(&arguments);
        let output = command
            .stdin(std::process::Stdio::null())
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("standard output takes no more"),
            "{arguments:?}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_bounded_as_a_whole() {
    let mut stage = Stage::new();
    stage.once();
    for (limits, kind, setting) in [
        (
            json!({ "exchange_events": 20 }),
            ErrorKind::MalformedResponse,
            "limits.exchange_events",
        ),
        (
            json!({ "exchange_cpu_ms": 1 }),
            ErrorKind::Plugin,
            "limits.exchange_cpu_ms",
        ),
    ] {
        stage.set("limits", limits);
        let asked = ask(&stage.service(), "openai", "write 20000 words", true).await;
        let error = asked.error();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(setting), "{error}");
    }
}
