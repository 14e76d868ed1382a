//! Turn after turn with what only its vendor understands: searches with citations, programs with their container, signed
//! thoughts. The simulator refuses whatever does not come back as it was; another vendor's model goes on without it.

use multillm::MultiLlmService;
use multillm::chat::{
    ChatMessage, ChatRequest, ChatResponse, Part, ReasoningEffort, Role, ServerTool, ToolResult,
};
use serde_json::Value;

use crate::answers::{said, weather};
use crate::stage::Stage;
use crate::vendors::{LINES, Line, RESPONSES, admit_responses};

fn stage() -> Stage {
    let mut stage = Stage::new();
    admit_responses(&mut stage);
    stage
}

fn server_tool(name: &str) -> ServerTool {
    ServerTool {
        name: name.to_owned(),
        options: None,
    }
}

/// A conversation that goes on.
struct Talk<'a> {
    service: &'a MultiLlmService,
    manner: ChatRequest,
    messages: Vec<ChatMessage>,
    streams: bool,
}

impl<'a> Talk<'a> {
    fn new(service: &'a MultiLlmService, manner: ChatRequest, streams: bool) -> Self {
        Talk {
            service,
            manner,
            messages: vec![],
            streams,
        }
    }

    /// One turn; every second is streamed.
    async fn say(&mut self, message: ChatMessage, model: &str) -> multillm::Result<ChatResponse> {
        self.messages.push(message);
        let request = ChatRequest {
            messages: self.messages.clone(),
            ..self.manner.clone()
        };
        let answer = match self.streams {
            true => self.service.stream(request, model).await?.collect().await?,
            false => self.service.chat(request, model).await?,
        };
        self.streams = !self.streams;
        self.messages.push(answer.message());
        Ok(answer)
    }

    async fn ask(&mut self, text: &str, model: &str) -> multillm::Result<ChatResponse> {
        self.say(ChatMessage::user(text), model).await
    }
}

fn citations(answer: &ChatResponse) -> usize {
    let texts = answer.parts.iter().map(|part| match part {
        Part::Text(text) => text.citations.len(),
        _ => 0,
    });
    texts.sum()
}

fn uses(answer: &ChatResponse, name: &str) -> (usize, usize) {
    let count =
        |is: fn(&Part, &str) -> bool| answer.parts.iter().filter(|part| is(part, name)).count();
    (
        count(|part, name| matches!(part, Part::ServerToolCall(call) if call.name == name)),
        count(|part, name| matches!(part, Part::ServerToolResult(result) if result.name == name)),
    )
}

/// Models that search, and those that run programs.
const SEARCHES: [&str; 4] = ["claude", "gemini", "openai-responses", "azure-responses"];
const RUNS: [&str; 4] = ["claude", "gemini", "openai-responses", "azure-responses"];

fn with_tools(names: &[&str]) -> ChatRequest {
    ChatRequest {
        server_tools: names.iter().map(|name| server_tool(name)).collect(),
        ..ChatRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_with_citations_go_back_turn_after_turn() {
    let stage = stage();
    let service = stage.service();
    for model in SEARCHES {
        for streams in [false, true] {
            let mut talk = Talk::new(&service, with_tools(&["web-search"]), streams);
            for turn in 0..3 {
                let answer = talk.ask("Please search the web", model).await;
                let answer = answer.unwrap_or_else(|error| panic!("{model}, turn {turn}: {error}"));
                assert_eq!(citations(&answer), 1, "{model}, turn {turn}: {answer:?}");
                if model != "gemini" {
                    assert_eq!(uses(&answer, "web-search").0, 1, "{model}: {answer:?}");
                }
            }
            let answer = talk.ask("Thank you", model).await.unwrap();
            assert!(said(&answer).starts_with("You said: Thank you"), "{model}");
            assert_eq!(citations(&answer), 0, "{model}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_run_turn_after_turn_in_their_container() {
    let stage = stage();
    let service = stage.service();
    for model in RUNS {
        for streams in [false, true] {
            let mut talk = Talk::new(&service, with_tools(&["code-execution"]), streams);
            let before = stage.simulator.log().len();
            for turn in 0..3 {
                let answer = talk.ask("Please run code", model).await;
                let answer = answer.unwrap_or_else(|error| panic!("{model}, turn {turn}: {error}"));
                let (calls, results) = uses(&answer, "code-execution");
                assert_eq!(calls, 1, "{model}, turn {turn}: {answer:?}");
                assert_eq!(results, 1, "{model}, turn {turn}: {answer:?}");
            }
            if model != "claude" {
                continue;
            }
            let log = stage.simulator.log();
            let containers: Vec<Value> = log[before..]
                .iter()
                .map(|exchange| {
                    let body: Value = serde_json::from_slice(&exchange.body).unwrap();
                    body["container"].clone()
                })
                .collect();
            assert_eq!(containers[0], Value::Null);
            assert!(containers[1].is_string(), "{containers:?}");
            assert_eq!(containers[1], containers[2]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_thoughts_go_back_with_calls_of_functions_beside_the_vendors_tools() {
    let stage = stage();
    let service = stage.service();
    for (model, tools) in [
        ("claude-thinks", &["web-search"][..]),
        ("gemini-signs", &["code-execution"]),
        ("openai-responses-thinks", &["web-search"]),
        ("azure-responses-thinks", &["web-search"]),
    ] {
        for streams in [false, true] {
            let mut manner = with_tools(tools);
            manner.tools.push(weather());
            manner.reasoning_effort = Some(ReasoningEffort::Low);
            let mut talk = Talk::new(&service, manner, streams);
            for turn in 0..2 {
                let place = format!("{model}, turn {turn}, streams {streams}");
                let answer = talk.ask("Please call get_weather city=Paris", model).await;
                let answer = answer.unwrap_or_else(|error| panic!("{place}: {error}"));
                let signed = answer.parts.iter().any(|part| match part {
                    Part::Reasoning(thought) => {
                        thought.signature.is_some()
                            || thought.redacted.is_some()
                            || !thought.extra.is_empty()
                    }
                    Part::ToolCall(call) => call.signature.is_some(),
                    _ => false,
                });
                assert!(signed, "{place}: {answer:?}");
                let results = answer.tool_calls();
                let results =
                    results.map(|call| Part::ToolResult(ToolResult::new(call, "4 degrees")));
                let results = ChatMessage::new(Role::Tool, results.collect());
                let answer = talk.say(results, model).await;
                let answer = answer.unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(
                    said(&answer),
                    "Tool results: get_weather -> 4 degrees",
                    "{place}"
                );
                let answer = talk.ask("Search the web and run code", model).await;
                let answer = answer.unwrap_or_else(|error| panic!("{place}: {error}"));
                assert!(said(&answer).starts_with("You said: "), "{place}");
            }
        }
    }
}

/// Whoever comes next goes on with the words; what only the first understands is left out, and comes back to it
/// unchanged when it is asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_moves_to_every_vendor_and_back() {
    let stage = stage();
    let service = stage.service();
    let mut wrong = vec![];
    for from in SEARCHES {
        for to in LINES
            .iter()
            .chain(&RESPONSES)
            .map(|line: &Line| line.plugin)
        {
            let mut talk = Talk::new(
                &service,
                with_tools(&["web-search", "code-execution"]),
                false,
            );
            // Not every Gemini takes both.
            if from == "gemini" {
                talk.manner = with_tools(&["web-search"]);
            }
            let mut steps = vec![];
            steps.push(talk.ask("Please search the web and run code", from).await);
            let own = std::mem::take(&mut talk.manner);
            steps.push(talk.ask("Go on", to).await);
            talk.manner = own;
            steps.push(talk.ask("Please search the web", from).await);
            for (step, answer) in steps.iter().enumerate() {
                match answer {
                    Ok(answer) if step == 2 && citations(answer) != 1 => {
                        wrong.push(format!("{from} to {to}, {step}: {answer:?}"));
                    }
                    Ok(_) => {}
                    Err(error) => wrong.push(format!("{from} to {to}, {step}: {error}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
