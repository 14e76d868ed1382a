use super::*;
use crate::chat::ReasoningPart;

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: arguments.into(),
        ..ToolCall::default()
    })
}

fn result(id: &str, text: &str) -> Part {
    let call = ToolCall {
        id: id.into(),
        name: "look".into(),
        ..ToolCall::default()
    };
    Part::ToolResult(ToolResult::new(&call, text))
}

fn calls(parts: impl IntoIterator<Item = Part>) -> ChatMessage {
    ChatMessage::new(Role::Assistant, parts.into_iter().collect())
}

fn results(parts: impl IntoIterator<Item = Part>) -> ChatMessage {
    ChatMessage::new(Role::Tool, parts.into_iter().collect())
}

/// A line a message: who, and what each part is.
fn shown(messages: &[ChatMessage]) -> Vec<String> {
    let part = |part: &Part| match part {
        Part::Text(text) => text.text.clone(),
        Part::ToolCall(call) => format!("{}?", call.id),
        Part::ToolResult(result) => {
            let text = match result.content.first() {
                Some(ResultPart::Text { text }) => text.as_str(),
                _ => "",
            };
            let text = if text == NOT_RUN { "not run" } else { text };
            assert_eq!(result.is_error, text == "not run");
            format!("{}={text}", result.call_id)
        }
        Part::Reasoning(_) => "(thought)".to_owned(),
        Part::Media(_) => "(picture)".to_owned(),
        Part::Opaque(_) => "(opaque)".to_owned(),
        Part::ServerToolCall(_) | Part::ServerToolResult(_) => "(server)".to_owned(),
    };
    messages
        .iter()
        .map(|message| {
            let parts: Vec<_> = message.content.iter().map(part).collect();
            format!("{:?}: {}", message.role, parts.join(", "))
        })
        .collect()
}

fn arranged(messages: &[ChatMessage]) -> Vec<String> {
    shown(&sendable(messages))
}

#[test]
fn a_conversation_in_order_stays_as_it_is() {
    let messages = [
        ChatMessage::system("s"),
        ChatMessage::user("q"),
        calls([Part::text("I look."), call("a", "{}"), call("b", "{}")]),
        results([result("a", "1"), result("b", "2")]),
        ChatMessage::assistant("done"),
        ChatMessage::new(Role::User, vec![]),
    ];
    assert_eq!(sendable(&messages).into_owned(), messages);
    assert!(matches!(
        sendable(&[ChatMessage::user("q")]),
        Cow::Borrowed(_)
    ));
}

#[test]
fn a_call_that_nobody_answered_was_not_run() {
    let messages = [
        ChatMessage::user("q"),
        calls([Part::text("I look."), call("a", "{}")]),
        ChatMessage::user("never mind"),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "User: q",
            "Assistant: I look., a?",
            "Tool: a=not run",
            "User: never mind"
        ]
    );
    assert_eq!(arranged(&messages[..2])[2], "Tool: a=not run");
}

#[test]
fn half_of_parallel_calls_may_be_answered_and_in_any_order() {
    let asked = calls([call("a", "{}"), call("b", "{}"), call("c", "{}")]);
    let messages = [asked.clone(), results([result("c", "3"), result("a", "1")])];
    assert_eq!(arranged(&messages)[1], "Tool: a=1, b=not run, c=3");
    // Each in a message of its own, after other words, or among the user's.
    let messages = [
        asked,
        results([result("b", "2")]),
        ChatMessage::user("wait"),
        results([result("a", "1")]),
        ChatMessage::new(Role::User, vec![result("c", "3"), Part::text("go on")]),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "Assistant: a?, b?, c?",
            "Tool: a=1, b=2, c=3",
            "User: wait",
            "User: go on"
        ]
    );
}

#[test]
fn a_result_without_a_call_is_said_in_words() {
    let messages = [
        results([result("x", "12 C")]),
        ChatMessage::user("q"),
        calls([call("a", "{}")]),
        results([result("a", "1"), result("a", "1"), result("a", "2")]),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "User: Result of the tool look:\n12 C",
            "User: q",
            "Assistant: a?",
            "Tool: a=1",
            "User: Result of the tool look:\n2"
        ],
        "what is said again is left out"
    );
}

#[test]
fn ids_that_come_again_become_others_and_results_follow() {
    let turn = |text: &str| {
        [
            calls([call("look:0", "{}")]),
            results([result("look:0", text)]),
        ]
    };
    let messages = [turn("1"), turn("2"), turn("3")].concat();
    assert_eq!(
        arranged(&messages),
        [
            "Assistant: look:0?",
            "Tool: look:0=1",
            "Assistant: look:0_2?",
            "Tool: look:0_2=2",
            "Assistant: look:0_3?",
            "Tool: look:0_3=3"
        ]
    );
    let Part::ToolCall(second) = &sendable(&messages)[2].content[0] else {
        panic!("no call");
    };
    assert!(second.local, "no vendor gave this id");
    // Within one message, and where an id is free only apparently.
    let messages = [
        calls([
            call("a", "{}"),
            call("a_2", "{}"),
            call("a", "{}"),
            call("", "{}"),
            call("", "{}"),
        ]),
        results([result("a", "1"), result("a", "2"), result("", "3")]),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "Assistant: a?, a_2?, a_3?, call_2?, call_3?",
            "Tool: a=1, a_2=not run, a_3=2, call_2=3, call_3=not run"
        ]
    );
}

#[test]
fn an_answer_goes_to_the_last_call_of_its_id() {
    let messages = [
        calls([call("a", "{}")]),
        ChatMessage::user("again"),
        calls([call("a", "{}")]),
        results([result("a", "1")]),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "Assistant: a?",
            "Tool: a=not run",
            "User: again",
            "Assistant: a_2?",
            "Tool: a_2=1"
        ]
    );
}

#[test]
fn what_comes_later_changes_nothing_before() {
    let mut messages = vec![];
    let mut before: Vec<String> = vec![];
    for (id, text) in [("a", "1"), ("a", "2"), ("a_2", "3"), ("a", "4")] {
        messages.push(ChatMessage::user("q"));
        messages.push(calls([call(id, "{}")]));
        messages.push(results([result(id, text)]));
        let now = arranged(&messages);
        assert_eq!(now[..before.len()], before[..]);
        before = now;
    }
    assert_eq!(before.len(), 12);
}

#[test]
fn a_call_that_was_cut_off_is_left_out() {
    let thought = Part::Reasoning(ReasoningPart {
        text: "hm".into(),
        signature: Some("s".into()),
        ..ReasoningPart::default()
    });
    let cut = || call("a", "{\"city\": \"Os");
    let messages = [
        ChatMessage::user("q"),
        calls([thought.clone(), cut()]),
        ChatMessage::user("go on"),
    ];
    assert_eq!(arranged(&messages), ["User: q", "User: go on"]);
    let messages = [calls([
        thought.clone(),
        Part::text("I look."),
        thought,
        cut(),
    ])];
    assert_eq!(arranged(&messages), ["Assistant: (thought), I look."]);
    // Somebody made something of it.
    let messages = [calls([cut()]), results([result("a", "1")])];
    assert_eq!(arranged(&messages), ["Assistant: a?", "Tool: a=1"]);
    // Free text that was signed is whole.
    let signed = Part::ToolCall(ToolCall {
        id: "a".into(),
        name: "run".into(),
        arguments: "print(1)".into(),
        signature: Some("free".into()),
        ..ToolCall::default()
    });
    assert_eq!(arranged(&[calls([signed])])[1], "Tool: a=not run");
}

#[test]
fn a_call_of_nothing_is_no_call() {
    let nothing = Part::ToolCall(ToolCall::default());
    let messages = [
        ChatMessage::user("q"),
        calls([Part::text("Hi"), nothing]),
        results([result("", "1")]),
        ChatMessage::user("and now?"),
    ];
    assert_eq!(
        arranged(&messages),
        [
            "User: q",
            "Assistant: Hi",
            "User: Result of the tool look:\n1",
            "User: and now?"
        ]
    );
}

#[test]
fn results_bear_the_name_and_the_mark_of_their_call() {
    let local = ToolCall {
        id: "call_0".into(),
        name: "look".into(),
        local: true,
        ..ToolCall::default()
    };
    let mut answer = ToolResult::new(&local, "1");
    answer.local = false;
    answer.name.clear();
    let messages = [
        calls([Part::ToolCall(local)]),
        results([Part::ToolResult(answer)]),
    ];
    let made = sendable(&messages);
    let Part::ToolResult(result) = &made[1].content[0] else {
        panic!("no result");
    };
    assert!(result.local);
    assert_eq!(result.name, "look");
}

#[test]
fn a_long_conversation_is_arranged_in_time() {
    let messages: Vec<_> = (0..20_000)
        .flat_map(|turn| {
            [
                calls([call("a", "{}")]),
                results([result("a", &turn.to_string())]),
            ]
        })
        .collect();
    let begun = std::time::Instant::now();
    assert_eq!(sendable(&messages).len(), messages.len());
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}
