use multillm_plugin_sdk::filter::read;
use multillm_plugin_sdk::{ChatEvent, Message, Part, Role};

use super::*;

fn asked(text: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::new(Role::User, vec![Part::text(text)])],
        ..ChatRequest::default()
    }
}

const RULES: &str = r#"{"rules":[
    {"name":"keys","contains":["BEGIN PRIVATE KEY","straße"],"reason":"keys stay here"},
    {"name":"prices","contains":["our price"],"applies_to":["answer"]}
],"max_characters":40}"#;

fn stop(text: &str) -> Option<(String, String)> {
    match Guard::prepare(RULES, asked(text)) {
        Ok(_) => None,
        Err(Stop::Refused { rule, reason }) => Some((rule.unwrap(), reason)),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_question_that_breaks_a_rule_is_refused_with_its_reason() {
    let keys = Some(("keys".to_owned(), "keys stay here".to_owned()));
    assert_eq!(stop("-----begin Private Key-----"), keys);
    assert_eq!(stop("STRASSE"), None);
    assert_eq!(stop("Straße"), keys);
    assert_eq!(stop("our price"), None);
    let long = stop(&"ä".repeat(41)).unwrap();
    assert_eq!(long.0, "max_characters");
    assert!(long.1.contains("41"), "{long:?}");
    assert_eq!(stop(&"ä".repeat(40)), None);
}

#[test]
fn rules_that_forbid_nothing_are_said_to_be_wrong() {
    for settings in [
        r#"{"rules":[{"name":"a","contains":[]}]}"#,
        r#"{"rules":[{"name":"a","contains":[" "]}]}"#,
        r#"{"rules":[{"name":"","contains":["x"]}]}"#,
        r#"{"rules":[{"name":"a"}]}"#,
        r#"{"rules":7}"#,
        r#"{"rule":[]}"#,
    ] {
        let prepared = Guard::prepare(settings, asked("x"));
        assert!(
            matches!(prepared, Err(Stop::Misconfigured(_))),
            "{settings}"
        );
    }
    let prepared = Guard::prepare("{}", asked("x")).unwrap();
    assert!(prepared.request.is_none() && prepared.answer.is_none());
}

fn answered(pieces: &[&str], batch: usize) -> (String, ChatEvent) {
    let mut answer = Guard::prepare(RULES, asked("x")).unwrap().answer.unwrap();
    let mut events: Vec<ChatEvent> = pieces
        .iter()
        .map(|text| ChatEvent::Text((*text).to_owned()))
        .collect();
    events.push(ChatEvent::Done);
    let mut said = vec![];
    for events in events.chunks(batch) {
        said.extend(read(&mut answer, events.to_vec()));
    }
    let mut text = String::new();
    for event in &said {
        if let ChatEvent::Text(piece) = event {
            text += piece;
        }
    }
    (text, said.last().unwrap().clone())
}

#[test]
fn an_answer_ends_before_what_is_forbidden_wherever_it_is_cut() {
    let answer = "So: ÜOur Price is 5";
    for cut in (0..answer.len()).filter(|at| answer.is_char_boundary(*at)) {
        for batch in [1, 2, 3] {
            let (text, end) = answered(&[&answer[..cut], &answer[cut..]], batch);
            assert_eq!(text, "So: Ü", "{cut}");
            let ChatEvent::Failed(error) = end else {
                panic!("{end:?}");
            };
            assert_eq!(error.vendor_code.as_deref(), Some("prices"));
        }
    }
    let (text, end) = answered(&["So our pri", "me is 5"], 1);
    assert_eq!((text.as_str(), end), ("So our prime is 5", ChatEvent::Done));
}
