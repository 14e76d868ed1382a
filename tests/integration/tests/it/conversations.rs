//! The same questions to all seven vendors, streamed and not: the unified answers agree, except
//! where a plugin says of itself that it cannot.

use multillm::chat::{
    ChatMessage, ChatRequest, ChatResponse, FinishReason, MediaPart, ReasoningEffort,
    ResponseFormat, ToolChoice,
};
use multillm::plugin::wire::Support;
use multillm::{ErrorKind, MultiLlmService};
use serde_json::{Value, json};

use crate::answers::{Check, alike, ask, both_ways, equal, said, weather};
use crate::stage::{PICTURE, Stage};
use crate::vendors::{LINES, Line, RESPONSES, admit_responses};

/// A question and what its answer must be.
struct Case {
    name: &'static str,
    /// Whoever says that it has not this capability must refuse.
    needs: &'static str,
    model: fn(&Line) -> String,
    request: ChatRequest,
    /// Judges an answer.
    check: fn(&Line, &ChatResponse) -> Check,
}

fn chats(line: &Line) -> String {
    line.plugin.to_owned()
}

fn ended(answer: &ChatResponse, reason: FinishReason) -> Check {
    equal("finish reason", &answer.finish_reason, &reason)
}

fn texts(answer: &ChatResponse, text: &str, reason: FinishReason) -> Check {
    equal("text", &said(answer).as_str(), &text)?;
    ended(answer, reason)
}

fn calls(answer: &ChatResponse, expected: &[&str]) -> Check {
    let found: Vec<Value> = answer
        .tool_calls()
        .map(|call| serde_json::from_str(&call.arguments).unwrap_or(Value::Null))
        .collect();
    let expected: Vec<Value> = expected
        .iter()
        .map(|city| json!({ "city": city }))
        .collect();
    equal("arguments", &found, &expected)?;
    let ids: std::collections::BTreeSet<_> = answer.tool_calls().map(|call| &call.id).collect();
    equal("different ids", &ids.len(), &found.len())?;
    ended(answer, FinishReason::ToolCalls)
}

fn document(answer: &ChatResponse) -> Result<Value, String> {
    serde_json::from_str(&answer.content()).map_err(|error| format!("no JSON: {error}"))
}

fn cases() -> Vec<Case> {
    let case = |name, needs, request, check| Case {
        name,
        needs,
        model: chats,
        request,
        check,
    };
    let picture = MediaPart::bytes(&PICTURE[..]).unwrap();
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "city": { "type": "string" }, "people": { "type": "integer" } },
        "required": ["city", "people"],
    });
    let tools = |text: &str, choice| {
        let mut request = ask(text).tool(weather());
        request.tool_choice = choice;
        request
    };
    let with = |text: &str, change: &dyn Fn(&mut ChatRequest)| {
        let mut request = ask(text);
        change(&mut request);
        request
    };
    vec![
        case(
            "text",
            "system",
            ChatRequest::new([
                ChatMessage::system("Be brief."),
                ChatMessage::user("Good day"),
            ]),
            |_, a| {
                texts(
                    a,
                    "You said: Good day (system: Be brief.)",
                    FinishReason::Stop,
                )
            },
        ),
        case(
            "history",
            "system",
            ChatRequest::new([
                ChatMessage::user("One"),
                ChatMessage::assistant("Two"),
                ChatMessage::user("Three"),
            ]),
            |_, a| texts(a, "You said: Three", FinishReason::Stop),
        ),
        Case {
            model: Line::sees,
            ..case(
                "image",
                "image_file",
                ChatRequest::new([ChatMessage::user("What is on it?").with_media(picture)]),
                |_, a| {
                    texts(
                        a,
                        "You said: What is on it? (images: image/png 3x2)",
                        FinishReason::Stop,
                    )
                },
            )
        },
        case(
            "tool",
            "tools",
            tools("Call get_weather city=Paris", ToolChoice::Auto),
            |_, a| calls(a, &["Paris"]),
        ),
        case(
            "two tools",
            "parallel_tools",
            tools("Make two calls of get_weather city=Paris", ToolChoice::Auto),
            |_, a| {
                equal("calls", &a.tool_calls().count(), &2)
                    .and_then(|()| ended(a, FinishReason::ToolCalls))
            },
        ),
        case(
            "text and tool",
            "tools",
            tools("Call get_weather city=Paris and say why", ToolChoice::Auto),
            |_, a| calls(a, &["Paris"]),
        ),
        case(
            "no tool",
            "tools",
            tools("Hello", ToolChoice::Auto),
            |_, a| texts(a, "You said: Hello", FinishReason::Stop),
        ),
        case(
            "forbidden tool",
            "tools",
            tools("Call get_weather", ToolChoice::None),
            |_, a| texts(a, "You said: Call get_weather", FinishReason::Stop),
        ),
        case(
            "required tool",
            "tool_choice_required",
            tools("city=Rome", ToolChoice::Required),
            |_, a| calls(a, &["Rome"]),
        ),
        case(
            "named tool",
            "tool_choice_named",
            tools("city=Rome", ToolChoice::Named("get_weather".into())),
            |_, a| calls(a, &["Rome"]),
        ),
        case(
            "schema",
            "json_schema",
            ask("city=Paris people=7").json_schema("city", schema),
            |_, a| {
                equal(
                    "document",
                    &document(a)?,
                    &json!({ "city": "Paris", "people": 7 }),
                )
                .and_then(|()| ended(a, FinishReason::Stop))
            },
        ),
        case(
            "json",
            "json",
            with("Answer in JSON", &|r| {
                r.response_format = ResponseFormat::Json
            }),
            |_, a| document(a).and_then(|_| ended(a, FinishReason::Stop)),
        ),
        Case {
            model: Line::thinks,
            ..case(
                "reasoning",
                "reasoning_effort",
                with("Think: why", &|r| {
                    r.reasoning_effort = Some(ReasoningEffort::Low)
                }),
                thought,
            )
        },
        case(
            "limit",
            "streaming",
            ask("write 40 words").max_tokens(5),
            |_, a| {
                equal("tokens", &a.usage.completion_tokens, &Some(5))?;
                texts(a, "word1 word2 word3 word4 word5", FinishReason::Length)
            },
        ),
        case(
            "stop",
            "stop",
            with("write 9 words", &|r| {
                r.sampling.stop = vec!["never".into(), "word4".into()]
            }),
            |_, a| texts(a, "word1 word2 word3 ", FinishReason::Stop),
        ),
        case("long", "streaming", ask("write 3000 words"), |_, a| {
            equal("words", &a.content().split(' ').count(), &3000)
                .and_then(|()| ended(a, FinishReason::Stop))
        }),
        case("empty", "streaming", ask("empty reply"), |_, a| {
            texts(a, "", FinishReason::Stop)
        }),
        case(
            "seed",
            "seed",
            with("Hello", &|r| r.sampling.seed = Some(7)),
            |_, a| texts(a, "You said: Hello", FinishReason::Stop),
        ),
        case(
            "sampling",
            "streaming",
            with("Hello", &|r| r.sampling.temperature = Some(0.5)),
            |_, a| texts(a, "You said: Hello", FinishReason::Stop),
        ),
        case(
            "top k",
            "top_k",
            with("Hello", &|r| r.sampling.top_k = Some(40)),
            |_, a| texts(a, "You said: Hello", FinishReason::Stop),
        ),
        case(
            "penalties",
            "penalties",
            with("Hello", &|r| r.sampling.frequency_penalty = Some(0.5)),
            |_, a| texts(a, "You said: Hello", FinishReason::Stop),
        ),
        case(
            "cached",
            "cached_tokens",
            ask("cached=40 please"),
            |_, a| equal("cached tokens", &a.usage.cached_tokens, &Some(40)),
        ),
    ]
}

fn thought(line: &Line, answer: &ChatResponse) -> Check {
    texts(answer, "You said: Think: why", FinishReason::Stop)?;
    // OpenAI and Azure keep thoughts to themselves.
    let withheld = matches!(line.component(), "openai" | "azure");
    equal("thoughts shown", &answer.reasoning().is_some(), &!withheld)
}

/// What the Responses API has none of, and what it cannot be asked for: a limit below 16 tokens.
fn of_responses(line: &Line, case: &str) -> (bool, bool) {
    let refused = matches!(case, "stop" | "seed" | "penalties");
    (
        line.is_responses() && refused,
        line.is_responses() && case == "limit",
    )
}

async fn judge(service: &MultiLlmService, line: &Line, case: &Case) -> Check {
    let plugin = service
        .plugin_of(line.plugin)
        .await
        .map_err(|error| error.to_string())?;
    let capabilities = &plugin.info().capabilities;
    let (_, support) = capabilities
        .iter()
        .find(|(name, _)| *name == case.needs)
        .ok_or_else(|| format!("no capability {}", case.needs))?;
    let (refused, skipped) = of_responses(line, case.name);
    if skipped {
        return Ok(());
    }
    let answers = both_ways(service, &case.request, &(case.model)(line)).await;
    if *support == Support::No || refused {
        let reports_only = case.needs == "cached_tokens";
        return answers.iter().try_for_each(|answer| match answer {
            Err(error) if error.kind == ErrorKind::Unsupported => Ok(()),
            Ok(answer) if reports_only => {
                equal("cached tokens", &answer.usage.cached_tokens, &None)
            }
            other => Err(format!(
                "not refused although it has no {}: {other:?}",
                case.needs
            )),
        });
    }
    match answers {
        [Ok(whole), Ok(streamed)] => {
            // Imitated means that the model is only told to; the simulator is no model.
            if *support != Support::Emulated {
                (case.check)(line, &whole)?;
            }
            alike(&whole, &streamed)
        }
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_vendors_give_the_same_unified_answers() {
    let mut stage = Stage::new();
    admit_responses(&mut stage);
    let service = stage.service();
    let mut wrong = vec![];
    for case in cases() {
        for line in LINES.iter().chain(&RESPONSES) {
            if let Err(reason) = judge(&service, line, &case).await {
                wrong.push(format!("{} by {}: {reason}", case.name, line.plugin));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_never_a_plain_answer() {
    let stage = Stage::new();
    let service = stage.service();
    let mut wrong = vec![];
    for line in &LINES {
        // Cohere and Ollama have no sign for it: their models only say so.
        let says_so = matches!(line.plugin, "cohere" | "ollama" | "huggingface");
        for answer in both_ways(&service, &ask("please refuse"), line.plugin).await {
            let fits = match &answer {
                Ok(answer) => says_so || answer.finish_reason == FinishReason::ContentFilter,
                Err(error) => error.kind == ErrorKind::ContentFiltered,
            };
            if !fits {
                wrong.push(format!("{}: {answer:?}", line.plugin));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
