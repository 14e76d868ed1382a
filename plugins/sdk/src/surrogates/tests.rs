use super::*;
use crate::{Error, ToolCallStart};

fn mended(json: &str) -> String {
    let mut text = json.to_owned();
    mend(&mut text);
    text
}

#[test]
fn a_half_becomes_a_replacement_character() {
    assert_eq!(mended(r#""\ud83d""#), r#""�""#);
    assert_eq!(mended(r#""\uDE00!""#), r#""�!""#);
    assert_eq!(mended(r#""\ud83d\ud83d\ude00""#), r#""�\ud83d\ude00""#);
    assert_eq!(mended(r#""\ude00\ud83d""#), r#""��""#);
    assert_eq!(mended(r#""\ud83dé\ud83d\n""#), r#""�é�\n""#);
}

#[test]
fn everything_else_stays() {
    for json in [
        "",
        "\\",
        "\\u",
        r#"{"a":"\ud83d\ude00","b":"\u00e9"}"#,
        r#""C:\\ud83d\\""#,
        r#""{\"text\":\"\\ud83d\"}""#,
        r#""\u+83d""#,
        r#""\ué€\é""#,
        r#""\ud83"#,
    ] {
        assert_eq!(mended(json), json);
    }
}

#[test]
fn what_was_mended_is_json() {
    let text: String = serde_json::from_str(&mended(r#""a \ud83d b""#)).unwrap();
    assert_eq!(text, "a \u{fffd} b");
}

/// What a piece of a stream becomes.
type Made = fn(String) -> ChatEvent;

/// What a stream of pieces comes to; each is a frame of one event.
fn joined(frames: &[(&str, Made)]) -> Vec<ChatEvent> {
    let mut halves = Halves::default();
    let mut all = Vec::new();
    for (at, (frame, event)) in frames.iter().enumerate() {
        let mut json = format!("\"{frame}\"");
        halves.mark(&mut json);
        let text: String = serde_json::from_str(&json).unwrap();
        all.extend(halves.join(vec![event(text)], at + 1 == frames.len()));
    }
    all
}

fn arguments(arguments: String) -> ChatEvent {
    ChatEvent::ToolCallDelta(ToolCallDelta {
        index: 3,
        arguments,
    })
}

#[test]
fn two_halves_in_two_pieces_are_a_character() {
    use ChatEvent::{Reasoning, Text};
    let text = |text: &str| Text(text.to_owned());
    let thought = |text: &str| Reasoning(text.to_owned());
    assert_eq!(
        joined(&[(r"a \ud83d", Text), (r"\ude00!", Text)]),
        [text("a "), text("😀!")]
    );
    // What comes between them is of another kind.
    assert_eq!(
        joined(&[
            (r"\ud83d", Text),
            (r"t \ud83d", Reasoning),
            (r"\ud83d", arguments),
            (r"\ude00", Text),
            (r"\ude00", arguments),
            (r"\ude01", Reasoning),
        ]),
        [
            thought("t "),
            text("😀"),
            arguments("😀".into()),
            thought("😁")
        ]
    );
}

#[test]
fn a_half_without_its_other_is_lost() {
    use ChatEvent::Text;
    let text = |text: &str| Text(text.to_owned());
    for (frames, expected) in [
        (
            vec![(r"a\ud83d", Text as Made), ("b", Text)],
            vec![text("a"), text("\u{fffd}b")],
        ),
        (
            vec![(r"\ud83d", Text), (r"\ud83d", Text), (r"\ude00", Text)],
            vec![text("\u{fffd}"), text("😀")],
        ),
        (
            vec![(r"\ude00\ud83dx", Text)],
            vec![text("\u{fffd}\u{fffd}x")],
        ),
        (
            vec![("a", Text), (r"\ud83d", Text)],
            vec![text("a"), text("\u{fffd}")],
        ),
        (
            vec![(r"\ud83d", Text), ("s", ChatEvent::TextSignature)],
            vec![text("\u{fffd}"), ChatEvent::TextSignature("s".into())],
        ),
    ] {
        assert_eq!(joined(&frames), expected);
    }
}

#[test]
fn nothing_else_holds_a_half_and_the_end_gives_up() {
    let mut halves = Halves::default();
    let mut json = r#"["a","\ud83d"]"#.to_owned();
    halves.mark(&mut json);
    let texts: Vec<String> = serde_json::from_str(&json).unwrap();
    let start = |name: &str| {
        ChatEvent::ToolCallStart(ToolCallStart {
            index: 0,
            id: None,
            name: name.to_owned(),
            signature: None,
            ..ToolCallStart::default()
        })
    };
    let events = vec![
        start(&texts[1]),
        arguments(texts[1].clone()),
        ChatEvent::Failed(Error::malformed(texts[1].clone())),
    ];
    assert_eq!(
        halves.join(events, false),
        [
            start("\u{fffd}"),
            arguments("\u{fffd}".into()),
            ChatEvent::Failed(Error::malformed("\u{fffd}"))
        ]
    );
}

#[test]
fn a_stream_without_halves_is_left_alone() {
    let mut halves = Halves::default();
    let mut json = "\"\u{10f83d}\"".to_owned();
    halves.mark(&mut json);
    let events = vec![ChatEvent::Text("\u{10f83d}".into())];
    assert_eq!(halves.join(events.clone(), true), events);
}
