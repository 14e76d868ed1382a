//! Conversations over several turns with tools: ids, order and signatures come back to the vendor as it
//! gave them, which the simulator checks as strictly as the vendor does.

use multillm::chat::{
    ChatMessage, ChatRequest, ChatResponse, Part, ReasoningEffort, Role, ToolResult,
};
use multillm::{ErrorKind, MultiLlmService};

use crate::answers::{said, weather};
use crate::stage::Stage;
use crate::vendors::{LINES, Line};

/// What a model did in one turn.
fn turn(answer: &ChatResponse) -> String {
    let calls: Vec<String> = answer
        .tool_calls()
        .map(|call| format!("{}({})", call.name, call.arguments.replace(' ', "")))
        .collect();
    match calls.is_empty() {
        true => said(answer),
        false => calls.join(" "),
    }
}

/// Holds a conversation; answers alternate between streamed and not.
struct Talk<'a> {
    service: &'a MultiLlmService,
    model: String,
    effort: Option<ReasoningEffort>,
    messages: Vec<ChatMessage>,
    streams: bool,
    transcript: Vec<String>,
}

impl Talk<'_> {
    /// Says something, and lets the tools answer until the model is done.
    async fn say(&mut self, text: &str) -> multillm::Result<()> {
        self.messages.push(ChatMessage::user(text));
        loop {
            let mut request = ChatRequest::new(self.messages.clone()).tool(weather());
            request.reasoning_effort = self.effort;
            let answer = match self.streams {
                true => {
                    self.service
                        .stream(request, &self.model)
                        .await?
                        .collect()
                        .await?
                }
                false => self.service.chat(request, &self.model).await?,
            };
            self.streams = !self.streams;
            self.transcript.push(turn(&answer));
            self.messages.push(answer.message());
            let results: Vec<Part> = (1..)
                .zip(answer.tool_calls())
                .map(|(number, call)| {
                    Part::ToolResult(ToolResult::new(call, format!("{number} degrees")))
                })
                .collect();
            if results.is_empty() {
                return Ok(());
            }
            self.messages.push(ChatMessage::new(Role::Tool, results));
        }
    }
}

async fn converse(
    service: &MultiLlmService,
    model: &str,
    thinks: bool,
    streams: bool,
) -> multillm::Result<Vec<String>> {
    let mut talk = Talk {
        service,
        model: model.to_owned(),
        effort: thinks.then_some(ReasoningEffort::Low),
        messages: vec![ChatMessage::system("Use the tools.")],
        streams,
        transcript: vec![],
    };
    talk.say("Please call get_weather city=Paris").await?;
    talk.say("Now make two calls of get_weather city=Oslo")
        .await?;
    talk.say("Thank you").await?;
    Ok(talk.transcript)
}

fn models(line: &Line) -> Vec<(String, bool)> {
    let mut models = vec![(line.plugin.to_owned(), false)];
    // DeepSeek R1 behind the router thinks aloud and calls no tools.
    if line.plugin != "huggingface" {
        models.push((line.thinks(), true));
    }
    if line.plugin == "gemini" {
        models.push(("gemini-signs".to_owned(), true));
    }
    models
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_over_three_turns_are_the_same_with_all_vendors() {
    let stage = Stage::new();
    let service = stage.service();
    let mut wrong = vec![];
    let expected = [
        r#"get_weather({"city":"Paris"})"#,
        "Tool results: get_weather -> 1 degrees (system: Use the tools.)",
        r#"get_weather({"city":"Oslo"}) get_weather({"city":"Oslo"})"#,
        "Tool results: get_weather -> 1 degrees; get_weather -> 2 degrees (system: Use the tools.)",
        "You said: Thank you (system: Use the tools.)",
    ];
    for line in &LINES {
        for (model, thinks) in models(line) {
            for streams in [false, true] {
                match converse(&service, &model, thinks, streams).await {
                    Ok(transcript) if transcript == expected => {}
                    Ok(transcript) => wrong.push(format!("{model}: {transcript:#?}")),
                    Err(error) => wrong.push(format!("{model}: {error:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A conversation that began with one vendor goes on with each other one: what only the first
/// understands is left out, and calls keep their results.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_moves_between_vendors() {
    let stage = Stage::new();
    let service = stage.service();
    let mut wrong = vec![];
    for from in &LINES {
        for to in &LINES {
            let mut talk = Talk {
                service: &service,
                model: from.plugin.to_owned(),
                effort: None,
                messages: vec![],
                streams: false,
                transcript: vec![],
            };
            let begun = talk.say("Please call get_weather city=Paris").await;
            talk.model = to.plugin.to_owned();
            let moved = match begun {
                Ok(()) => talk.say("Now call get_weather city=Rome").await,
                Err(error) => Err(error),
            };
            let last = talk.transcript.last().map(String::as_str);
            if moved.is_err() || last != Some("Tool results: get_weather -> 1 degrees") {
                wrong.push(format!(
                    "{} to {}: {moved:?} {last:?}",
                    from.plugin, to.plugin
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The simulator does check: a signature that was changed is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_signature_is_refused_by_the_vendor() {
    let stage = Stage::new();
    let service = stage.service();
    for model in ["claude-thinks", "gemini-signs"] {
        let mut request =
            ChatRequest::new([ChatMessage::user("Please call get_weather city=Paris")])
                .tool(weather());
        request.reasoning_effort = Some(ReasoningEffort::Low);
        let answer = service.chat(request.clone(), model).await.unwrap();
        let results = answer
            .tool_calls()
            .map(|call| Part::ToolResult(ToolResult::new(call, "1")));
        let results = ChatMessage::new(Role::Tool, results.collect());
        let mut message = answer.message();
        for part in &mut message.content {
            match part {
                Part::Reasoning(thought) => thought.signature = Some("Zm9yZ2Vk".into()),
                Part::ToolCall(call) => {
                    call.signature = call.signature.take().map(|_| "Zm9yZ2Vk".into())
                }
                _ => {}
            }
        }
        request.messages.extend([message, results]);
        let error = service.chat(request, model).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{model}: {error}");
    }
}
