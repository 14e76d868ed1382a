use multillm_plugin_sdk::filter::read;
use multillm_plugin_sdk::{
    Citation, CitationSource, Message, Role, Text, ToolCall, ToolCallDelta, ToolCallStart,
};

use super::*;

fn asked(text: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::new(Role::User, vec![Part::text(text)])],
        ..ChatRequest::default()
    }
}

fn text_of(request: &ChatRequest) -> String {
    match &request.messages[0].content[0] {
        Part::Text(text) => text.text.clone(),
        other => panic!("{other:?}"),
    }
}

fn hidden(text: &str) -> String {
    match Pii::prepare("{}", asked(text)).unwrap().request {
        Some(request) => text_of(&request),
        None => text.to_owned(),
    }
}

fn event(text: &str) -> ChatEvent {
    ChatEvent::Text(text.to_owned())
}

#[test]
fn personal_data_is_found_and_what_looks_like_it_is_not() {
    for (text, expected) in [
        (
            "Write to ann.lee+x@mail.example.org.",
            "Write to [EMAIL_1].",
        ),
        ("<mailto:o'neil@example.co.uk>", "<mailto:[EMAIL_1]>"),
        ("jörg@müller.example", "[EMAIL_1]"),
        (
            "a@b.de, c@d.de and a@b.de",
            "[EMAIL_1], [EMAIL_2] and [EMAIL_1]",
        ),
        (
            "@mention, a@b, x@1.2, user@localhost",
            "@mention, a@b, x@1.2, user@localhost",
        ),
        ("card 4111 1111 1111 1111!", "card [CARD_1]!"),
        (
            "378282246310005 or 5555-5555-5555-4444",
            "[CARD_1] or [CARD_2]",
        ),
        (
            "4111 1111 1111 1112 is no card",
            "4111 1111 1111 1112 is no card",
        ),
        (
            "order 41111111111111111111111",
            "order 41111111111111111111111",
        ),
        (
            "IBAN DE89 3704 0044 0532 0130 00, thanks",
            "IBAN [IBAN_1], thanks",
        ),
        ("gb82west12345698765432", "[IBAN_1]"),
        ("DE88 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        ("call +49 (0)30 1234567 now", "call [PHONE_1] now"),
        ("+1-202-555-0123, 0049 30 1234567", "[PHONE_1], [PHONE_2]"),
        ("030 / 1234567 or 06 12 34 56 78", "[PHONE_1] or [PHONE_2]"),
        ("(555) 123-4567 or 555.123.4567", "[PHONE_1] or [PHONE_2]"),
        (
            "on 2024-10-21, 01.02.2024 10:30, 01/02/2024",
            "on 2024-10-21, 01.02.2024 10:30, 01/02/2024",
        ),
        (
            "version 1.2.3, 192.168.100.200, 3.14159265, 1,000,000",
            "version 1.2.3, 192.168.100.200, 3.14159265, 1,000,000",
        ),
        ("2024 2025 2026 and 12345678", "2024 2025 2026 and 12345678"),
        ("", ""),
        ("plain", "plain"),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn what_somebody_wrote_as_a_placeholder_stays_theirs() {
    assert_eq!(
        hidden("[EMAIL_1] is not a@b.de"),
        "[EMAIL_1] is not [EMAIL_2]"
    );
    assert_eq!(hidden("only [EMAIL_1] here"), "only [EMAIL_1] here");
}

#[test]
fn only_the_kinds_that_are_named_are_kept_back_and_nothing_is_restored_unless_wanted() {
    let prepared = Pii::prepare(
        r#"{"kinds":["card"],"restore":false}"#,
        asked("a@b.de 4111111111111111"),
    );
    let prepared = prepared.unwrap();
    assert_eq!(text_of(&prepared.request.unwrap()), "a@b.de [CARD_1]");
    assert!(prepared.answer.is_none());
    let wrong = Pii::prepare(r#"{"kinds":["name"]}"#, asked("x"));
    assert!(matches!(wrong, Err(Stop::Misconfigured(_))));
}

#[test]
fn every_text_of_a_request_is_looked_at_and_the_same_value_keeps_its_placeholder() {
    let mut request = asked("I am a@b.de");
    let call = ToolCall {
        id: Some("c".to_owned()),
        name: "mail".to_owned(),
        arguments: r#"{"to":"a@b.de","card":4111111111111111}"#.to_owned(),
        ..ToolCall::default()
    };
    request
        .messages
        .push(Message::new(Role::Assistant, vec![Part::ToolCall(call)]));
    request.extra = Some(r#"{"user":"z@b.de"}"#.to_owned());
    let request = Pii::prepare("{}", request).unwrap().request.unwrap();
    let Part::ToolCall(call) = &request.messages[1].content[0] else {
        panic!("no call")
    };
    assert_eq!(call.arguments, r#"{"to":"[EMAIL_1]","card":"[CARD_1]"}"#);
    assert_eq!(request.extra.as_deref(), Some(r#"{"user":"[EMAIL_2]"}"#));
}

fn answered(question: &str, events: Vec<ChatEvent>, batch: usize) -> Vec<ChatEvent> {
    let mut answer = Pii::prepare("{}", asked(question)).unwrap().answer.unwrap();
    let mut said = vec![];
    for events in events.chunks(batch) {
        said.extend(read(&mut answer, events.to_vec()));
    }
    said
}

fn joined(events: &[ChatEvent]) -> String {
    let texts = events.iter().map(|event| match event {
        ChatEvent::Text(text) => text.as_str(),
        ChatEvent::ToolCallDelta(delta) => delta.arguments.as_str(),
        _ => "",
    });
    texts.collect()
}

#[test]
fn a_placeholder_is_restored_wherever_it_is_cut() {
    let answer = "Hi [EMAIL_1], [EMAIL_9] [EMAIL_1 and [x] 4 [EMAIL_1][EMAIL_1]";
    let expected = "Hi a@b.de, [EMAIL_9] [EMAIL_1 and [x] 4 a@b.dea@b.de";
    for cut in 0..answer.len() {
        for again in cut..answer.len() {
            let pieces = [&answer[..cut], &answer[cut..again], &answer[again..]];
            let mut events: Vec<ChatEvent> = pieces.into_iter().map(event).collect();
            events.push(ChatEvent::Done);
            let said = answered("a@b.de", events, 1);
            assert_eq!(joined(&said), expected, "{pieces:?}");
            assert_eq!(said.last(), Some(&ChatEvent::Done));
        }
    }
}

#[test]
fn arguments_of_calls_are_restored_and_batches_make_no_difference() {
    let delta = |index, arguments: &str| {
        ChatEvent::ToolCallDelta(ToolCallDelta {
            index,
            arguments: arguments.to_owned(),
        })
    };
    let start = |index| {
        ChatEvent::ToolCallStart(ToolCallStart {
            index,
            name: "mail".to_owned(),
            ..ToolCallStart::default()
        })
    };
    let events = vec![
        event("calling [EMA"),
        start(0),
        delta(0, r#"{"to":"[EMAI"#),
        start(1),
        delta(1, r#"{"to":"[EMAIL_"#),
        delta(0, r#"L_1]"}"#),
        delta(1, r#"2]"}"#),
        ChatEvent::Done,
    ];
    let whole = answered("a@b.de c@d.de", events.clone(), events.len());
    for batch in 1..events.len() {
        assert_eq!(
            answered("a@b.de c@d.de", events.clone(), batch),
            whole,
            "{batch}"
        );
    }
    let of = |wanted: u32| -> String {
        let deltas = whole.iter().filter_map(|event| match event {
            ChatEvent::ToolCallDelta(delta) if delta.index == wanted => {
                Some(delta.arguments.as_str())
            }
            _ => None,
        });
        deltas.collect()
    };
    assert_eq!(of(0), r#"{"to":"a@b.de"}"#);
    assert_eq!(of(1), r#"{"to":"c@d.de"}"#);
    assert_eq!(whole[0], event("calling "));
    assert_eq!(whole[1], event("[EMA"));
}

fn citation(start: u32, end: u32) -> Citation {
    Citation {
        source: CitationSource::Unknown,
        title: Some("by [EMAIL_1]".to_owned()),
        cited_text: None,
        start: Some(start),
        end: Some(end),
        extra: None,
    }
}

#[test]
fn citations_point_at_the_same_words_in_both_directions() {
    let said = answered(
        "long.name@example.org",
        vec![
            event("Ask [EMAIL_1] about 5 m."),
            ChatEvent::Citation(citation(20, 23)),
            ChatEvent::TextEnd,
            event("5 m"),
            ChatEvent::Citation(citation(0, 3)),
            ChatEvent::Done,
        ],
        2,
    );
    let cited: Vec<_> = said
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Citation(one) => Some((one.start, one.end, one.title.clone())),
            _ => None,
        })
        .collect();
    let text = "Ask long.name@example.org about 5 m.";
    assert_eq!(&text[32..35], "5 m");
    let title = Some("by long.name@example.org".to_owned());
    assert_eq!(
        cited,
        [
            (Some(32), Some(35), title.clone()),
            (Some(0), Some(3), title)
        ]
    );
    let mut request = asked("x");
    request.messages[0].content = vec![Part::Text(Text {
        text: text.to_owned(),
        citations: vec![Citation {
            title: None,
            ..citation(32, 35)
        }],
        ..Text::default()
    })];
    let sent = Pii::prepare("{}", request).unwrap().request.unwrap();
    let Part::Text(sent) = &sent.messages[0].content[0] else {
        panic!("no text")
    };
    assert_eq!(sent.text, "Ask [EMAIL_1] about 5 m.");
    assert_eq!(
        (sent.citations[0].start, sent.citations[0].end),
        (Some(20), Some(23))
    );
}
