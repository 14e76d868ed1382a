//! Components as they were released for older versions of the contract, beside the present ones:
//! whatever is asked of both, both answer the same. They are `tests/museum`'s, and never built again.

use std::fs;
use std::path::PathBuf;

use memchr::memmem;
use multillm::chat::{
    CacheMark, ChatMessage, ChatRequest, ChatResponse, Extra, FreeText, MediaPart, Part,
    ReasoningEffort, Role, ServerTool, TextPart, ToolChoice, ToolResult,
};
use multillm::plugin::Contract;
use multillm::{Error, ErrorKind, MultiLlmService};
use serde_json::json;

use crate::answers::{alike, ask, both_ways, said, weather};
use crate::bad_plugins::Bench;
use crate::component::Guest;
use crate::stage::{PICTURE, Stage, plugin_dir, root};
use crate::vendors::{LINES, Line};

/// What is kept of contract 0.1.0.
const KEPT: [&str; 2] = ["openai", "claude"];

fn kept() -> impl Iterator<Item = &'static Line> {
    LINES.iter().filter(|line| KEPT.contains(&line.plugin))
}

fn file_of(line: &Line) -> String {
    let file = root().join(format!("tests/museum/0.1.0/{}.wasm", line.plugin));
    file.display().to_string()
}

/// The same vendors, asked through the kept components and through the present ones.
struct Both {
    then: MultiLlmService,
    now: MultiLlmService,
    _stage: Stage,
}

impl Both {
    fn new(mut stage: Stage) -> Self {
        let now = stage.service();
        go_back(&mut stage);
        Both {
            then: stage.service(),
            now,
            _stage: stage,
        }
    }
}

/// Puts the kept components in the place of the present ones.
pub(crate) fn go_back(stage: &mut Stage) {
    for line in kept() {
        stage.config["plugins"][line.plugin]["path"] = file_of(line).into();
    }
}

/// What an answer says, without what differs from one exchange to the next.
fn gist(answer: &ChatResponse) -> String {
    let calls: Vec<String> = answer
        .tool_calls()
        .map(|call| format!("{}({})", call.name, call.arguments))
        .collect();
    let usage = &answer.usage;
    let counts = [
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total(),
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ];
    format!(
        "{:?} thinks {:?} calls {calls:?} of {:?} for {:?}/{:?}: {counts:?}",
        answer.content(),
        answer.reasoning(),
        answer.vendor_model,
        answer.finish_reason,
        answer.raw_finish_reason,
    )
}

/// Asks through both, whole and streamed; gives the former answer, if all four are the same.
async fn agreed(both: &Both, request: &ChatRequest, model: &str) -> Result<ChatResponse, String> {
    let mut answers = vec![];
    for (when, service) in [("now", &both.now), ("then", &both.then)] {
        for answer in both_ways(service, request, model).await {
            answers.push(answer.map_err(|error| format!("{model} {when}: {error:?}"))?);
        }
        let [.., whole, streamed] = answers.as_slice() else {
            unreachable!("two were pushed");
        };
        alike(whole, streamed).map_err(|reason| format!("{model} {when}: {reason}"))?;
    }
    let then = answers.swap_remove(2);
    match gist(&answers[0]) == gist(&then) {
        true => Ok(then),
        false => Err(format!(
            "{model}: then {}, now {}",
            gist(&then),
            gist(&answers[0])
        )),
    }
}

/// The model of a vendor that is asked.
type Model = fn(&Line) -> String;

/// What both wires can be asked, by name, and of which model.
fn requests() -> Vec<(&'static str, ChatRequest, Model)> {
    let chats: fn(&Line) -> String = |line| line.plugin.to_owned();
    let picture = MediaPart::bytes(PICTURE.to_vec()).unwrap();
    let schema = json!({
        "type": "object",
        "properties": { "area": { "type": "integer" }, "city": { "type": "string" } },
        "required": ["area", "city"],
        "additionalProperties": false,
    });
    let mut thinking = ask("think about it reasoning=40");
    thinking.reasoning_effort = Some(ReasoningEffort::Low);
    let turns = [
        ChatMessage::system("Be brief."),
        ChatMessage::user("Hello"),
        ChatMessage::assistant("Good day"),
        ChatMessage::user("cached=30 漢字 🎉"),
    ];
    let (sees, thinks): (Model, Model) = (Line::sees, Line::thinks);
    vec![
        ("text", ChatRequest::new(turns), chats),
        (
            "a picture",
            ChatRequest::new([ChatMessage::user("What is on it?").with_media(picture)]),
            sees,
        ),
        (
            "a tool",
            ask("Say why, then get_weather city=Oslo, two calls").tool(weather()),
            chats,
        ),
        (
            "a schema",
            ask("city=Bern").json_schema("place", schema),
            chats,
        ),
        ("thoughts", thinking, thinks),
        ("a limit", ask("write 50 words").max_tokens(10), chats),
        ("nothing", ask("empty reply"), chats),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_answer_as_the_present_ones_do() {
    let both = Both::new(Stage::new());
    let mut wrong = vec![];
    for line in kept() {
        for (what, request, model) in requests() {
            match agreed(&both, &request, &model(line)).await {
                Ok(answer) if what == "a tool" && answer.tool_calls().count() != 2 => {
                    wrong.push(format!("{}: no two calls: {answer:?}", line.plugin));
                }
                Ok(_) => {}
                Err(reason) => wrong.push(format!("{what}: {reason}")),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A conversation that began before an update goes on after it, and back, thoughts with their
/// signatures and all: the simulator refuses a signature that is not its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on_across_versions() {
    let both = Both::new(Stage::new());
    for line in kept() {
        for (first, second) in [(&both.then, &both.now), (&both.now, &both.then)] {
            let model = line.thinks();
            let question = ChatMessage::user("Please call get_weather city=Paris");
            let mut request = ChatRequest::new([question]).tool(weather());
            request.reasoning_effort = Some(ReasoningEffort::Low);
            let answer = first.chat(request.clone(), &model).await.unwrap();
            let results: Vec<Part> = answer
                .tool_calls()
                .map(|call| Part::ToolResult(ToolResult::new(call, "7 degrees")))
                .collect();
            assert_eq!(results.len(), 1, "{model}: {answer:?}");
            let results = ChatMessage::new(Role::Tool, results);
            request.messages.extend([answer.message(), results]);
            for answer in both_ways(second, &request, &model).await {
                let answer = answer.unwrap_or_else(|error| panic!("{model}: {error:?}"));
                assert_eq!(said(&answer), "Tool results: get_weather -> 7 degrees");
            }
        }
    }
}

/// What is asked to go wrong, and what a stream then ends with.
const FAULTS: [(&str, &[ErrorKind]); 6] = [
    ("401", &[ErrorKind::Authentication]),
    ("429-retry-after ms=50", &[ErrorKind::RateLimited]),
    ("context-length", &[ErrorKind::ContextLength]),
    ("502-html", &[ErrorKind::Server]),
    ("cut k=3", &[ErrorKind::Truncated]),
    (
        "mid-stream-error k=3",
        &[ErrorKind::Server, ErrorKind::Overloaded],
    ),
];

/// What a caller decides by.
fn verdict(error: &Error) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {} {:?}",
        error.kind,
        error.status,
        error.vendor_code,
        error.retry_after_ms,
        error.retryable,
        error.partial,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_fail_as_the_present_ones_do() {
    let mut stage = Stage::new();
    stage.once();
    let both = Both::new(stage);
    for line in kept() {
        for (fault, kinds) in FAULTS {
            let request = ask(&format!("write 20 words [[fault:{fault}]]"));
            let now = both_ways(&both.now, &request, line.plugin).await;
            let then = both_ways(&both.then, &request, line.plugin).await;
            let place = format!("{} {fault}", line.plugin);
            // A fault that hits nothing would prove nothing.
            let Err(error) = &then[1] else {
                panic!("{place}: {then:?}");
            };
            assert!(kinds.contains(&error.kind), "{place}: {error:?}");
            for pair in now.iter().zip(&then) {
                match pair {
                    (Err(now), Err(then)) => assert_eq!(verdict(then), verdict(now), "{place}"),
                    (Ok(now), Ok(then)) => assert_eq!(gist(then), gist(now), "{place}"),
                    (now, then) => panic!("{place}: then {then:?}, now {now:?}"),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_list_the_same_models() {
    let both = Both::new(Stage::new());
    for line in kept() {
        let mut lists = vec![];
        for service in [&both.now, &both.then] {
            let models = service.vendor_models(line.plugin).await.unwrap();
            let models = models.into_iter().map(|model| (model.id, model.title));
            lists.push(models.collect::<Vec<_>>());
        }
        assert!(!lists[1].is_empty(), "{}", line.plugin);
        assert_eq!(lists[1], lists[0], "{}", line.plugin);
    }
}

#[test]
fn the_program_runs_them_too() {
    let mut stage = Stage::new();
    for line in kept() {
        let question = ["query", "Hello", "-m", line.plugin, "--json"];
        let now = stage.run(&question).json();
        let present = stage.config.clone();
        go_back(&mut stage);
        let then = stage.run(&question).json();
        for member in ["content", "vendor_model", "finish_reason", "usage"] {
            assert_eq!(then[member], now[member], "{member} of {}", line.plugin);
        }
        stage.config = present;
        let file = file_of(line);
        let said = stage.run_bare(&["plugin", "inspect", &file], b"").answer();
        assert!(said.contains("contract          fits 0.1.0"), "{said}");
    }
}

/// Two versions side by side answer; a third, which nobody knows yet, is refused with all of them named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_versions_answer_and_a_third_is_refused_by_name() {
    let both = Both::new(Stage::new());
    for line in kept() {
        for (service, version) in [(&both.then, "0.1.0"), (&both.now, "0.2.0")] {
            let plugin = service.plugin_of(line.plugin).await.unwrap();
            let contract = plugin.inspection().contract();
            let Contract::Fits { version: found, .. } = contract else {
                panic!("{contract:?}");
            };
            assert_eq!(found, version, "{}", line.plugin);
            for answer in both_ways(service, &ask("Hello"), line.plugin).await {
                assert_eq!(said(&answer.unwrap()), "You said: Hello", "{version}");
            }
        }
    }
    let bench = Bench::new();
    let guest = Guest::new().version("0.3.0").build();
    let error = bench.load(&guest).await.unwrap_err().to_string();
    for word in ["multillm:provider/chat@0.3.0", "0.1.0", "0.2.0"] {
        assert!(error.contains(word), "no {word:?} in {error}");
    }
    let stage = Stage::new();
    let file = stage.file("tomorrow.wasm", guest);
    let done = stage.run_bare(&["plugin", "inspect", &file], b"");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stdout.contains("@0.3.0"), "{done:?}");
}

/// The component with the versions in its names cut short, as the component model is going to write them:
/// the last number stands beside the name, or nowhere.
fn shortened(component: &[u8], version: &str, beside: bool) -> Vec<u8> {
    let (short, rest) = version.split_at(version.rfind('.').unwrap());
    let name = |tag: u8, name: String| {
        let length = u8::try_from(name.len()).unwrap();
        [&[tag, length], name.as_bytes()].concat()
    };
    let (mut bytes, mut left) = component.split_at(8);
    let mut out = bytes.to_vec();
    while !left.is_empty() {
        let (id, after) = (left[0], &left[1..]);
        let width = after.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let length = after[..width].iter().rev();
        let length = length.fold(0, |sum, byte| (sum << 7) | usize::from(byte & 0x7f));
        (bytes, left) = after[width..].split_at(length);
        let mut content = bytes.to_vec();
        // Imports and exports.
        if matches!(id, 10 | 11) {
            for interface in ["types", "http", "metadata", "chat", "models", "relay"] {
                let full = name(0, format!("multillm:provider/{interface}@{version}"));
                let cut = format!("multillm:provider/{interface}@{short}");
                let cut = match beside {
                    true => [name(2, cut), vec![1], name(1, rest.to_owned())].concat(),
                    false => name(0, cut),
                };
                while let Some(at) = memmem::find(&content, &full) {
                    content.splice(at..at + full.len(), cut.iter().copied());
                }
            }
        }
        out.push(id);
        // Five bytes hold any length.
        for place in 0..5 {
            let low = u8::try_from((content.len() >> (7 * place)) & 0x7f).unwrap();
            out.push(if place < 4 { low | 0x80 } else { low });
        }
        out.extend(content);
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_are_cut_short_are_the_same() {
    for line in kept() {
        let present = plugin_dir().join(format!("{}.wasm", line.plugin));
        for (file, version) in [(PathBuf::from(file_of(line)), "0.1.0"), (present, "0.2.0")] {
            for beside in [true, false] {
                let mut stage = Stage::new();
                let component = fs::read(&file).unwrap();
                let cut = shortened(&component, version, beside);
                assert_ne!(cut.len(), component.len(), "{file:?} is of another version");
                let path = stage.file("cut.wasm", cut);
                stage.config["plugins"][line.plugin]["path"] = path.into();
                let service = stage.service();
                for answer in both_ways(&service, &ask("Hello"), line.plugin).await {
                    let answer = answer.unwrap_or_else(|error| panic!("{file:?}: {error:?}"));
                    assert_eq!(said(&answer), "You said: Hello", "{file:?}");
                }
            }
        }
    }
}

/// What contract 0.1.0 has no words for, and how the error calls it.
fn beyond() -> Vec<(&'static str, ChatRequest)> {
    let question = || ChatMessage::user("Hello");
    let with = |change: &dyn Fn(&mut ChatRequest)| {
        let mut request = ChatRequest::new([question()]).tool(weather());
        change(&mut request);
        request
    };
    let tail =
        || -> Extra { serde_json::from_value(json!({ "openai-chat": { "a": 1 } })).unwrap() };
    let pdf = MediaPart::of_type("application/pdf", b"%PDF-1.7".to_vec());
    let signed = Part::Text(TextPart {
        text: "Hello".into(),
        extra: tail(),
        ..TextPart::default()
    });
    vec![
        (
            "files besides pictures (application/pdf)",
            ChatRequest::new([question().with_media(pdf)]),
        ),
        (
            "files that the vendor keeps",
            ChatRequest::new([question().with_media(MediaPart::file("file-1"))]),
        ),
        (
            "tools that the vendor runs (web-search)",
            with(&|request| {
                request.server_tools = vec![ServerTool {
                    name: "web-search".into(),
                    options: None,
                }];
            }),
        ),
        (
            "tools that take free text",
            with(&|request| request.tools[0].free_text = Some(FreeText::default())),
        ),
        (
            "choice of one among several tools",
            with(&|request| request.tool_choice = ToolChoice::OneOf(vec!["get_weather".into()])),
        ),
        (
            "answers other than text",
            with(&|request| request.outputs = vec!["text".into(), "image".into()]),
        ),
        (
            "extra of a tool",
            with(&|request| request.tools[0].extra = tail()),
        ),
        (
            "extra of a message",
            with(&|request| request.messages[0].extra = tail()),
        ),
        (
            "extra of a part",
            ChatRequest::new([ChatMessage::new(Role::User, vec![signed])]),
        ),
    ]
}

/// It is refused by name before anything is sent, and nothing is left out in silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_old_contract_cannot_say_is_refused_by_name() {
    let mut stage = Stage::new();
    go_back(&mut stage);
    let service = stage.service();
    for line in kept() {
        for (what, request) in beyond() {
            for answer in both_ways(&service, &request, line.plugin).await {
                let Err(error) = &answer else {
                    panic!("{}: {what} was left out: {answer:?}", line.plugin);
                };
                assert_eq!(error.kind, ErrorKind::Unsupported, "{what}: {error:?}");
                for word in [what, line.plugin, "0.1.0", "0.2.0", "ask without"] {
                    assert!(error.message.contains(word), "no {word:?} in {error}");
                }
            }
        }
    }
    assert_eq!(stage.simulator.requests(), 0);
    // A mark for a prompt cache is a hint.
    let marked = Part::Text(TextPart {
        text: "Hello".into(),
        cache: Some(CacheMark::default()),
        ..TextPart::default()
    });
    let request = ChatRequest::new([ChatMessage::new(Role::User, vec![marked])]);
    let answer = service.chat(request, "openai").await.unwrap();
    assert_eq!(said(&answer), "You said: Hello");
}
