//! Whatever the bytes of an answer are, a plugin reads them the same in any cutting, never takes
//! a cut answer for a whole one, and never traps.

use multillm::ErrorKind;
use multillm::chat::ChatRequest;
use multillm::plugin::wire;
use multillm::transport::Framing;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::answers::{ask, weather};
use crate::recorded::{Recorded, find};
use crate::stage::Stage;
use crate::vendors::{LINES, Line, RESPONSES, admit_responses};

/// A stage with every wire: those of the vendors, and the Responses APIs.
fn every_wire() -> (Stage, Vec<&'static Line>) {
    let mut stage = Stage::new();
    admit_responses(&mut stage);
    (stage, LINES.iter().chain(&RESPONSES).collect())
}

fn questions() -> [ChatRequest; 2] {
    [
        ask("Grüße 🎉 \u{2028} end"),
        ask("Call get_weather city=Zürich").tool(weather()),
    ]
}

/// What must be in a body for its answer to be complete.
fn end_marker(line: &Line) -> &'static [u8] {
    match line.plugin {
        "openai-responses" | "azure-responses" => b"\"type\":\"response.completed\"",
        "openai" | "azure" => b"[DONE]",
        "huggingface" => b"\"finish_reason\":\"",
        "claude" => b"{\"type\":\"message_stop\"",
        "gemini" => b"\"finishReason\"",
        "cohere" => b"\"finish_reason\"",
        _ => b"\"done\":true",
    }
}

/// The first place at which the answer may count as complete: the end of the line with the marker.
fn complete_at(line: &Line, body: &[u8]) -> usize {
    let marker = end_marker(line);
    let at = find(body, marker).unwrap_or_else(|| {
        panic!(
            "{}: no {} in {}",
            line.plugin,
            String::from_utf8_lossy(marker),
            String::from_utf8_lossy(body)
        )
    });
    let rest = &body[at..];
    at + rest
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(rest.len())
}

#[test]
fn a_stream_cut_at_any_byte_is_never_a_success() {
    let (stage, lines) = every_wire();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in lines {
        for question in questions() {
            let recorded = runtime.block_on(Recorded::of(&stage, &service, line, &question, true));
            assert_ne!(
                recorded.framing,
                Framing::Whole,
                "{}: {:?}",
                line.plugin,
                recorded.headers
            );
            let whole = runtime
                .block_on(recorded.read([&recorded.body[..]]))
                .unwrap();
            assert_eq!(
                whole.last(),
                Some(&wire::Event::Done),
                "{}: {whole:?}",
                line.plugin
            );
            let end = complete_at(line, &recorded.body);
            for cut in 0..end {
                let events = runtime
                    .block_on(recorded.read([&recorded.body[..cut]]))
                    .unwrap();
                let Some(wire::Event::Failed(error)) = events.last() else {
                    panic!("{} cut at {cut} of {end}: {events:?}", line.plugin);
                };
                let kinds = [ErrorKind::Truncated, ErrorKind::MalformedResponse];
                assert!(
                    kinds.contains(&error.kind),
                    "{} cut at {cut}: {error}",
                    line.plugin
                );
            }
        }
    }
}

/// Once the end was said, a cut may still lose what comes behind it, such as the usage: it counts as a
/// success only where no event was cut.
#[test]
fn a_cut_within_an_event_is_never_a_success() {
    let (stage, lines) = every_wire();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    let mut tried = 0;
    for line in lines {
        for question in questions() {
            let recorded = runtime.block_on(Recorded::of(&stage, &service, line, &question, true));
            let body = &recorded.body[..];
            let whole = runtime.block_on(recorded.read([body])).unwrap();
            for cut in complete_at(line, body)..body.len() {
                let events = runtime.block_on(recorded.read([&body[..cut]])).unwrap();
                let done = events.last() == Some(&wire::Event::Done);
                let at_an_end = body[cut..].starts_with(b"\n")
                    || body[cut..].starts_with(b"\r")
                    || body[..cut].ends_with(b"\n");
                tried += 1;
                assert!(
                    !done || at_an_end || events == whole,
                    "{} cut at {cut}: {:?} {events:?}",
                    line.plugin,
                    String::from_utf8_lossy(&body[..cut])
                );
            }
        }
    }
    assert!(tried > 500, "{tried} cuts");
}

/// The same through HTTP, where not every byte can be tried.
#[test]
fn a_connection_cut_anywhere_is_never_a_success() {
    let (mut stage, lines) = every_wire();
    stage.config["retry"]["max_attempts"] = 1.into();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in lines {
        let question = ask("Hello over there");
        let recorded = runtime.block_on(Recorded::of(&stage, &service, line, &question, true));
        let end = complete_at(line, &recorded.body);
        for cut in (0..end).step_by(end / 12) {
            stage
                .simulator
                .fail_next(line.vendor, &format!("cut-at={cut}"), 1);
            let outcome = runtime.block_on(async {
                service
                    .stream(question.clone(), line.plugin)
                    .await?
                    .collect()
                    .await
            });
            let error = outcome.expect_err("a cut answer");
            let kinds = [ErrorKind::Truncated, ErrorKind::MalformedResponse];
            assert!(
                kinds.contains(&error.kind),
                "{} cut at {cut}: {error}",
                line.plugin
            );
        }
    }
}

/// Gemini says `STOP` whenever the model hands over code to be run, and may say it before the last
/// of a text.
#[test]
fn an_early_finish_is_no_end_at_any_byte() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    let line = LINES.iter().find(|line| line.plugin == "gemini").unwrap();
    let mut recorded = runtime.block_on(Recorded::of(&stage, &service, line, &ask("Hello"), true));
    let piece = |parts: &str, finish: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"role\":\"model\",\"parts\":[{parts}]}}{finish},\"index\":0}}]}}\r\n\r\n"
        )
    };
    let stop = ",\"finishReason\":\"STOP\"";
    let code = r#"{"executableCode":{"language":"PYTHON","code":"print(6*7)"}}"#;
    let outcome = r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"42"}}"#;
    let handed_over = [
        piece(r#"{"text":"Let me see."}"#, ""),
        piece(code, stop),
        piece(outcome, stop),
        piece(r#"{"text":"It is "}"#, ""),
        piece(r#"{"text":"42."}"#, stop),
    ];
    let in_one = [
        piece(
            &format!(r#"{{"text":"Let me see."}},{code},{outcome}"#),
            stop,
        ),
        piece(r#"{"text":"It is 42."}"#, stop),
    ];
    let too_soon = [
        piece(r#"{"text":"It is "}"#, ""),
        piece(&format!(r#"{code},{{"text":" "}}"#), ""),
        piece(outcome, ""),
        piece(
            r#"{"text":""}"#,
            ",\"finishReason\":\"MALFORMED_FUNCTION_CALL\"",
        ),
    ];
    for pieces in [&handed_over[..], &in_one, &too_soon] {
        recorded.body = pieces.concat().into_bytes();
        let whole = runtime
            .block_on(recorded.read([&recorded.body[..]]))
            .unwrap();
        assert_eq!(whole.last(), Some(&wire::Event::Done), "{whole:?}");
        // The last event counts from its line's end on.
        for cut in 0..recorded.body.len() - 4 {
            let events = runtime
                .block_on(recorded.read([&recorded.body[..cut]]))
                .unwrap();
            let Some(wire::Event::Failed(error)) = events.last() else {
                panic!("cut at {cut}: {events:?}");
            };
            let kinds = [ErrorKind::Truncated, ErrorKind::MalformedResponse];
            assert!(kinds.contains(&error.kind), "cut at {cut}: {error}");
        }
    }
    // A finish reason that parts follow is none, whatever it said.
    recorded.body = [
        piece(r#"{"text":"It is "}"#, stop),
        piece(r#"{"text":"42."}"#, ""),
    ]
    .concat()
    .into_bytes();
    let events = runtime
        .block_on(recorded.read([&recorded.body[..]]))
        .unwrap();
    let Some(wire::Event::Failed(error)) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(error.kind, ErrorKind::Truncated);
}

/// Servers that cut a text between the two halves of an emoji write such JSON, which serde_json
/// refuses.
#[test]
fn half_a_character_costs_no_answer() {
    let (stage, lines) = every_wire();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in lines {
        for stream in [false, true] {
            let question = ask("Say qqq!");
            let mut recorded =
                runtime.block_on(Recorded::of(&stage, &service, line, &question, stream));
            let at = find(&recorded.body, b"qqq").unwrap();
            recorded.body.splice(at..at + 3, *b"\\ud83d");
            let read = if stream {
                let events = runtime.block_on(recorded.read([&recorded.body[..]]));
                let events = events.unwrap();
                assert_eq!(events.last(), Some(&wire::Event::Done), "{events:?}");
                format!("{events:?}")
            } else {
                let response = recorded.response(200, &recorded.body);
                let answer = runtime.block_on(async {
                    let mut session = recorded.plugin.session().await.unwrap();
                    session.decode(&recorded.target, response).await
                });
                format!("{:?}", answer.unwrap().unwrap())
            };
            assert!(read.contains('\u{fffd}'), "{}: {read}", line.plugin);
        }
    }
}

#[test]
fn any_cutting_of_a_stream_gives_the_same_events() {
    let (stage, lines) = every_wire();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in lines {
        for question in questions() {
            let recorded = runtime.block_on(Recorded::of(&stage, &service, line, &question, true));
            let body = &recorded.body[..];
            let whole = runtime.block_on(recorded.read([body])).unwrap();
            for size in [1, 2, 3, 5, 64, 1000] {
                let events = runtime.block_on(recorded.read(body.chunks(size))).unwrap();
                assert_eq!(events, whole, "{} in pieces of {size}", line.plugin);
            }
            let cuts = prop::collection::btree_set(0..=body.len(), 0..20);
            let mut runner = TestRunner::new(Config::with_cases(16));
            runner
                .run(&cuts, |cuts| {
                    let starts: Vec<usize> = std::iter::once(0).chain(cuts).collect();
                    let ends = starts[1..].iter().copied().chain([body.len()]);
                    let pieces = starts
                        .iter()
                        .zip(ends)
                        .map(|(start, end)| &body[*start..end]);
                    let events = runtime.block_on(recorded.read(pieces)).unwrap();
                    prop_assert_eq!(&events, &whole);
                    Ok(())
                })
                .unwrap();
        }
    }
}

/// A good body with some of its bytes replaced, doubled or dropped; or anything at all.
fn damaged(body: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = body.len();
    let splices = prop::collection::vec(
        (
            0..length,
            0..8_usize,
            prop::collection::vec(any::<u8>(), 0..6),
        ),
        1..6,
    );
    let tokens = prop::sample::select(vec![
        "null",
        "{}",
        "[]",
        "-1",
        "1e999",
        "18446744073709551616",
        "\"\"",
        "true",
        "0.5",
        "\\ud800",
        "\u{2028}",
        "}",
        "]",
        "{\"error\":{}}",
    ]);
    let values = prop::collection::vec((any::<prop::sample::Index>(), tokens), 1..4);
    let spliced = {
        let body = body.clone();
        splices.prop_map(move |splices| {
            let mut bytes = body.clone();
            for (at, gone, new) in splices {
                let at = at.min(bytes.len());
                let end = (at + gone).min(bytes.len());
                bytes.splice(at..end, new);
            }
            bytes
        })
    };
    // JSON values replaced by others keep the body readable, so that the reading goes deeper.
    let revalued = values.prop_map(move |values| {
        let mut text = String::from_utf8_lossy(&body).into_owned();
        for (index, token) in values {
            let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at + 1).collect();
            if colons.is_empty() {
                break;
            }
            let at = *index.get(&colons);
            let end = text[at..]
                .find([',', '}', ']', '\n'])
                .map_or(text.len(), |end| at + end);
            text.replace_range(at..end, token);
        }
        text.into_bytes()
    });
    prop_oneof![
        3 => spliced,
        4 => revalued,
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

#[test]
fn no_bytes_make_a_plugin_trap() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in &LINES {
        for (question, stream) in questions()
            .into_iter()
            .flat_map(|q| [(q.clone(), true), (q, false)])
        {
            let recorded =
                runtime.block_on(Recorded::of(&stage, &service, line, &question, stream));
            let mut runner = TestRunner::new(Config::with_cases(60));
            runner
                .run(&damaged(recorded.body.clone()), |bytes| {
                    let outcome = runtime.block_on(survive(&recorded, &bytes));
                    prop_assert!(outcome.is_ok(), "{}: {:?}", line.plugin, outcome);
                    Ok(())
                })
                .unwrap();
        }
    }
}

async fn survive(recorded: &Recorded, bytes: &[u8]) -> Result<(), multillm::plugin::PluginError> {
    recorded.read([bytes]).await?;
    let mut session = recorded.plugin.session().await?;
    let target = &recorded.target;
    let _ = session
        .decode(target, recorded.response(200, bytes))
        .await?;
    for status in [400, 429, 500] {
        session
            .decode_error(target, recorded.response(status, bytes))
            .await?;
    }
    if recorded.plugin.lists_models() {
        let _ = session
            .decode_list(target, recorded.response(200, bytes))
            .await?;
    }
    Ok(())
}

#[test]
fn deep_and_long_json_makes_no_plugin_trap() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in &LINES {
        let recorded = runtime.block_on(Recorded::of(&stage, &service, line, &ask("Hello"), true));
        let deep = "[".repeat(100_000);
        let objects = "{\"a\":".repeat(100_000);
        let long = format!("{{\"message\":\"{}\"}}", "\\u0000".repeat(200_000));
        for text in [deep, objects, long] {
            for body in [text.clone(), format!("data: {text}\n\n")] {
                runtime
                    .block_on(survive(&recorded, body.as_bytes()))
                    .unwrap_or_else(|error| panic!("{}: {error}", line.plugin));
            }
        }
    }
}
