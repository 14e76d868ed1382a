//! Conversations that were interrupted go on with every vendor: calls without a result, results
//! without a call, ids that come again, an empty beginning. The simulator refuses them as the vendors
//! do.

use multillm::chat::{ChatMessage, ChatRequest, Part, Role, ToolCall, ToolResult};

use crate::answers::weather;
use crate::stage::Stage;
use crate::vendors::LINES;

fn call(id: &str, city: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "get_weather".into(),
        arguments: format!("{{\"city\":\"{city}\"}}"),
        ..ToolCall::default()
    }
}

fn asked(calls: &[&ToolCall]) -> ChatMessage {
    let parts = calls.iter().map(|call| Part::ToolCall((*call).clone()));
    let mut message = ChatMessage::new(Role::Assistant, parts.collect());
    message.origin = Some("somebody".into());
    message
}

fn conversations() -> Vec<(&'static str, Vec<ChatMessage>)> {
    let (oslo, rome) = (call("call_a", "Oslo"), call("call_b", "Rome"));
    let cut = ToolCall {
        arguments: "{\"city\": \"Os".into(),
        ..oslo.clone()
    };
    let result = |call: &ToolCall| Part::ToolResult(ToolResult::new(call, "12 degrees"));
    let returned = |parts: Vec<Part>| ChatMessage::new(Role::Tool, parts);
    let user = ChatMessage::user;
    vec![
        (
            "unanswered",
            vec![user("Weather?"), asked(&[&oslo]), user("Never mind")],
        ),
        (
            "half answered",
            vec![
                user("Weather?"),
                asked(&[&oslo, &rome]),
                returned(vec![result(&rome)]),
                user("And?"),
            ],
        ),
        (
            "out of order, and late",
            vec![
                user("Weather?"),
                asked(&[&oslo, &rome]),
                returned(vec![result(&rome)]),
                user("Wait"),
                returned(vec![result(&oslo)]),
                user("And?"),
            ],
        ),
        ("no call", vec![returned(vec![result(&oslo)]), user("And?")]),
        (
            "the same id in two turns",
            vec![
                user("Weather?"),
                asked(&[&oslo]),
                returned(vec![result(&oslo)]),
                ChatMessage::assistant("Cold."),
                user("And Rome?"),
                asked(&[&call("call_a", "Rome")]),
                returned(vec![result(&oslo)]),
                user("And?"),
            ],
        ),
        (
            "the same id twice at once",
            vec![
                user("Weather?"),
                asked(&[&oslo, &call("call_a", "Rome")]),
                returned(vec![result(&oslo), result(&oslo)]),
                user("And?"),
            ],
        ),
        (
            "cut off",
            vec![user("Weather?"), asked(&[&cut]), user("Go on")],
        ),
        (
            "an empty beginning",
            vec![user(""), ChatMessage::assistant("Hello!"), user("And?")],
        ),
        (
            "an empty beginning before a call",
            vec![
                user(" "),
                asked(&[&oslo]),
                returned(vec![result(&oslo)]),
                user("And?"),
            ],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_interrupted_conversation_goes_on_with_every_vendor() {
    let stage = Stage::new();
    let service = stage.service();
    let mut wrong = vec![];
    for line in &LINES {
        for (name, messages) in conversations() {
            let request = ChatRequest::new(messages).tool(weather());
            if let Err(error) = service.chat(request, line.plugin).await {
                wrong.push(format!("{}, {name}: {error}", line.plugin));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
