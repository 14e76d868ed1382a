use std::time::Duration;

use super::*;
use crate::chat::{Billing, FinishReason, ReasoningPart, Usage};

fn answer(text: &str) -> ChatResponse {
    ChatResponse {
        model: "m".into(),
        provider: "p".into(),
        plugin: "claude".into(),
        vendor_model: None,
        id: None,
        parts: vec![Part::text(text)],
        finish_reason: FinishReason::Stop,
        raw_finish_reason: None,
        usage: Usage {
            prompt_tokens: Some(2),
            ..Usage::default()
        },
        cost: Some(Decimal::new(1, 3)),
        billing: Billing::default(),
        latency: Duration::ZERO,
        time_to_first_token: None,
        streaming_time: None,
        attempts: 1,
        cached: false,
        extra: crate::chat::Extra::default(),
        warnings: vec![],
        failed_before: vec![],
    }
}

fn talk(turns: &[(&str, &str)]) -> Dialogue {
    let mut dialogue = Dialogue::new("m");
    for (question, said) in turns {
        dialogue.ask(ChatMessage::user(*question));
        assert!(dialogue.answered(&answer(said)));
    }
    dialogue
}

fn texts(dialogue: &Dialogue) -> Vec<String> {
    dialogue.messages().iter().map(ChatMessage::text).collect()
}

#[test]
fn a_conversation_of_somebody_else_goes_on_from_its_last_message() {
    let mut dialogue = talk(&[("a", "b")]);
    let id = dialogue.id().to_owned();
    dialogue.take_over(vec![
        ChatMessage::user("x"),
        ChatMessage::assistant("y"),
        ChatMessage::system("now"),
        ChatMessage::user("z"),
    ]);
    assert_ne!(dialogue.id(), id);
    let asked: Vec<_> = dialogue.request().messages;
    let asked: Vec<_> = asked.iter().map(ChatMessage::text).collect();
    assert_eq!(asked, ["x", "y", "now", "z"]);
    assert_eq!(texts(&dialogue), ["x", "y", "now"]);
    assert!(dialogue.answered(&answer("!")));
    assert_eq!(texts(&dialogue), ["x", "y", "now", "z", "!"]);
}

#[test]
fn a_turn_without_an_answer_leaves_no_trace() {
    let mut dialogue = talk(&[("a", "b")]);
    dialogue.ask(ChatMessage::user("c"));
    assert_eq!(dialogue.request().messages.len(), 3);
    let mut empty = answer("");
    empty
        .parts
        .insert(0, Part::Reasoning(ReasoningPart::default()));
    assert!(!dialogue.answered(&empty));
    assert_eq!(texts(&dialogue), ["a", "b"]);
    assert!(dialogue.retry());
    assert_eq!(dialogue.request().messages[2].text(), "c");
    dialogue.stopped(" ");
    assert_eq!(texts(&dialogue), ["a", "b"]);
    dialogue.stopped("half");
    assert_eq!(texts(&dialogue), ["a", "b", "c", "half"]);
}

#[test]
fn undo_and_retry_take_whole_turns() {
    let mut dialogue = talk(&[("a", "b"), ("c", "d")]);
    assert!(dialogue.retry());
    assert_eq!(texts(&dialogue), ["a", "b"]);
    assert_eq!(dialogue.request().messages[2].text(), "c");
    assert_eq!(dialogue.undo().unwrap().text(), "c");
    assert_eq!(dialogue.undo().unwrap().text(), "a");
    assert_eq!(dialogue.undo(), None);
    assert!(!dialogue.retry());
}

#[test]
fn what_is_spent_is_counted_and_outlives_a_new_beginning() {
    let mut dialogue = talk(&[("a", "b"), ("c", "d")]);
    dialogue.system = Some("Be brief.".into());
    let before = dialogue.id().to_owned();
    dialogue.clear();
    assert_ne!(dialogue.id(), before);
    assert_eq!(dialogue.spent.prompt_tokens, 4);
    assert_eq!(dialogue.spent.cost, Decimal::new(2, 3));
    assert_eq!(texts(&dialogue), ["Be brief."]);
    assert_eq!(dialogue.model, "m");
}

#[test]
fn a_saved_conversation_comes_back() {
    let mut dialogue = talk(&[("你好", "b")]);
    dialogue.system = Some("s".into());
    let mut other = Dialogue::new("other");
    assert_eq!(
        other.load_json(&dialogue.to_json()).unwrap().as_deref(),
        Some("m")
    );
    assert_eq!(other.messages(), dialogue.messages());
    assert_eq!(other.messages()[2].origin.as_deref(), Some("claude"));
    assert_eq!(other.model, "other");
    let plain = r#"[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]"#;
    assert_eq!(other.load_json(plain).unwrap(), None);
    assert_eq!(texts(&other), ["hi", "ho"]);
    assert!(other.load_json("{}").is_err());
    assert_eq!(texts(&other), ["hi", "ho"]);
}

#[test]
fn titles_are_short() {
    let dialogue = talk(&[(&"多 ".repeat(100), "b")]);
    assert_eq!(dialogue.title().chars().count(), 60);
}

#[test]
fn a_picture_that_came_is_an_answer() {
    let mut dialogue = Dialogue::new("m");
    dialogue.ask(ChatMessage::user("draw"));
    let mut drawn = answer("");
    drawn.parts = vec![Part::Opaque(crate::chat::OpaquePart {
        kind: "inlineData".into(),
        data: r#"{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAA"}}"#.into(),
    })];
    assert!(dialogue.answered(&drawn));
    assert_eq!(dialogue.messages().len(), 2);
    assert!(dialogue.to_markdown().contains("[1 image/png (18 bytes)]"));
}
