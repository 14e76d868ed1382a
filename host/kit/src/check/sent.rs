//! Whether everything that a caller says reaches the vendor, or is refused by name.

use multillm::chat::{ChatRequest, ToolChoice};
use multillm::error::ErrorKind;
use multillm::plugin::wire::Support;
use serde_json::Value;

use super::form::{json_of, text_of};
use super::report::Report;
use super::vocabulary::{self, Found};
use super::{Bench, Described};

pub(super) async fn check(bench: &Bench, report: &mut Report) {
    model(bench, report).await;
    texts(bench, report).await;
    tools(bench, report).await;
    sampling(bench, report).await;
    others(bench, report).await;
    extra(bench, report).await;
    promises(bench, report).await;
}

/// Goes over every value inside.
fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Object(members) => members.values().for_each(|member| walk(member, look)),
        _ => {}
    }
}

/// Where texts are found: the number of the string that holds each, counted from the beginning.
fn places(body: &Value, texts: &[String]) -> Vec<Option<usize>> {
    let mut strings: Vec<String> = vec![];
    walk(body, &mut |value| {
        if let Value::String(text) = value {
            strings.push(text.clone());
        }
    });
    let holds = |text: &String| {
        strings
            .iter()
            .position(|string| string.contains(text.as_str()))
    };
    texts.iter().map(holds).collect()
}

fn holds(body: &Value, text: &str) -> bool {
    places(body, &[text.to_owned()]) != [None]
}

async fn model(bench: &Bench, report: &mut Report) {
    const CODE: &str = "model-sent";
    if let Described::Request(request) = bench.describe(&vocabulary::plain(), false).await {
        let model = &bench.target.model;
        let in_body = json_of(&request).is_some_and(|body| holds(&body, model));
        let in_path = request
            .path
            .iter()
            .any(|segment| segment.contains(model.as_str()));
        let in_query = request.query.iter().any(|(_, value)| value == model);
        report.judge(CODE, in_body || in_path || in_query, || {
            format!(
                "{model:?} is nowhere in {:?} {}",
                request.path,
                text_of(&request)
            )
        });
    }
}

async fn texts(bench: &Bench, report: &mut Report) {
    const CODE: &str = "text-kept";
    for (request, said) in [vocabulary::conversation(), vocabulary::parts()] {
        match bench.describe(&request, false).await {
            Described::Request(described) => {
                let Some(body) = json_of(&described) else {
                    report.failed("json-body", text_of(&described));
                    continue;
                };
                let found = places(&body, &said);
                for (text, place) in said.iter().zip(&found) {
                    report.judge(CODE, place.is_some(), || {
                        format!(
                            "{text:?} is not in the body as it was said: {}",
                            text_of(&described)
                        )
                    });
                }
                // Instructions may stand anywhere; turns are in order.
                let turns: Vec<_> = found
                    .iter()
                    .skip(usize::from(said.len() == 4))
                    .flatten()
                    .collect();
                let ordered = turns.windows(2).all(|pair| pair.first() <= pair.last());
                report.judge(CODE, ordered, || "turns are in another order".to_owned());
            }
            Described::Refused(error) if error.kind == ErrorKind::Unsupported => {}
            Described::Refused(error) => {
                report.failed(CODE, format!("a conversation is refused: {error}"))
            }
            Described::Broken(reason) => report.failed(CODE, reason),
        }
    }
}

async fn tools(bench: &Bench, report: &mut Report) {
    const CODE: &str = "tools-kept";
    let offered = bench
        .describe(&vocabulary::tools(ToolChoice::Auto), false)
        .await;
    match &offered {
        Described::Request(request) => {
            let body = json_of(request).unwrap_or_default();
            for text in [
                "kit_look",
                "kit_ask",
                "kit describes kit_look",
                "kit-ż-zebra",
            ] {
                report.judge(CODE, holds(&body, text), || {
                    format!("{text:?} is not in {}", text_of(request))
                });
            }
            ordered(&text_of(request), report);
        }
        Described::Refused(error) if error.kind == ErrorKind::Unsupported => return,
        Described::Refused(error) => {
            return report.failed(CODE, format!("tools are refused: {error}"));
        }
        Described::Broken(reason) => return report.failed(CODE, reason.clone()),
    }
    match bench.describe(&vocabulary::called(), false).await {
        Described::Request(request) => {
            let (body, text) = (json_of(&request).unwrap_or_default(), text_of(&request));
            for word in ["kit-arguments", "kit result 水"] {
                report.judge(CODE, text.contains(word) || holds(&body, word), || {
                    format!("{word:?} is not in {text}")
                });
            }
        }
        Described::Refused(error) => {
            report.failed(
                CODE,
                format!("tools are offered and their results refused: {error}"),
            );
        }
        Described::Broken(reason) => report.failed(CODE, reason),
    }
}

/// The schema's keys in their order, with their digits.
fn ordered(text: &str, report: &mut Report) {
    const CODE: &str = "schema-order";
    let at: Vec<_> = vocabulary::ORDER
        .iter()
        .map(|key| text.find(&format!("\"{key}\"")))
        .collect();
    let in_order = at.windows(2).all(|pair| pair.first() < pair.last());
    report.judge(CODE, in_order && !at.contains(&None), || {
        format!(
            "the keys {:?} are in another order in {text}",
            vocabulary::ORDER
        )
    });
    if text.contains("\"maximum\"") {
        report.judge(CODE, text.contains("12345678901234567890"), || {
            "12345678901234567890 lost digits".to_owned()
        });
    }
}

async fn sampling(bench: &Bench, report: &mut Report) {
    const CODE: &str = "sampling-kept";
    for (name, request, wanted) in vocabulary::sampling() {
        match bench.describe(&request, false).await {
            Described::Request(described) => {
                let body = json_of(&described).unwrap_or_default();
                let found = match wanted {
                    Found::Text(text) => holds(&body, text),
                    Found::Number(number) => holds_number(&body, number),
                };
                report.judge(CODE, found, || {
                    format!(
                        "{name} is neither sent nor refused: {}",
                        text_of(&described)
                    )
                });
            }
            Described::Refused(error) => {
                report.judge(CODE, error.kind == ErrorKind::Unsupported, || {
                    format!(
                        "{name} is refused as {}, which is not unsupported",
                        error.kind
                    )
                })
            }
            Described::Broken(reason) => report.failed(CODE, format!("{name}: {reason}")),
        }
    }
}

fn holds_number(body: &Value, wanted: f64) -> bool {
    let mut found = false;
    walk(body, &mut |value| {
        let is = |number: f64| (number - wanted).abs() < 1e-6;
        found |= value.as_f64().is_some_and(is);
    });
    found
}

/// The rest must change the request or be refused.
async fn others(bench: &Bench, report: &mut Report) {
    let plain = bench.describe(&vocabulary::plain(), false).await;
    let mut efforts = vec![];
    for request in vocabulary::efforts() {
        efforts.push(bench.describe(&request, false).await);
    }
    if let [low, high] = efforts.as_slice() {
        const CODE: &str = "effort-kept";
        match (low, high) {
            (Described::Request(low), Described::Request(high)) => {
                report.judge(CODE, low.body != high.body, || {
                    "a low and a high effort are sent alike".to_owned()
                });
            }
            (one, other) if one.is_unsupported() || other.is_unsupported() => report.passed(CODE),
            (Described::Broken(reason), _) | (_, Described::Broken(reason)) => {
                report.failed(CODE, reason.clone());
            }
            _ => {}
        }
    }
    for (name, request) in vocabulary::formats() {
        const CODE: &str = "format-kept";
        match bench.describe(&request, false).await {
            Described::Request(described) => {
                let changed = plain
                    .request()
                    .is_some_and(|plain| plain.body != described.body);
                report.judge(CODE, changed, || format!("{name} is not asked for"));
                if name != "JSON" {
                    let text = text_of(&described);
                    report.judge(CODE, text.contains("zebra"), || {
                        format!("the schema is not in {text}")
                    });
                    ordered(&text, report);
                }
            }
            Described::Refused(error) => {
                report.judge(CODE, error.kind == ErrorKind::Unsupported, || {
                    format!("{name} is refused as {}", error.kind)
                })
            }
            Described::Broken(reason) => report.failed(CODE, reason),
        }
    }
    for (name, request) in vocabulary::pictures() {
        const CODE: &str = "media-kept";
        match bench.describe(&request, false).await {
            Described::Request(described) => {
                let text = text_of(&described);
                let there =
                    text.contains("https://kit.example/a.png") || text.contains("kit-blob-");
                report.judge(CODE, there, || {
                    format!("the picture ({name}) is not in {text}")
                });
            }
            Described::Refused(error) => {
                report.judge(CODE, error.kind == ErrorKind::Unsupported, || {
                    format!("a picture ({name}) is refused as {}", error.kind)
                })
            }
            Described::Broken(reason) => report.failed(CODE, reason),
        }
    }
}

async fn extra(bench: &Bench, report: &mut Report) {
    const CODE: &str = "extra-merged";
    if let Described::Request(described) = bench.describe(&vocabulary::extra(), false).await {
        let text = text_of(&described);
        let body = json_of(&described).unwrap_or_default();
        report.judge(CODE, body.get("kit_extra").is_some(), || {
            format!("kit_extra is no member of {text}")
        });
        let kept = r#""kit_extra":{"zebra":1,"apple":[1.10,12345678901234567890]}"#;
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        report.judge(CODE, bare.contains(kept), || {
            format!("order or digits of kit_extra were lost: {text}")
        });
    }
}

/// What is promised works, what is not promised is refused.
async fn promises(bench: &Bench, report: &mut Report) {
    const CODE: &str = "promise-kept";
    let [json, schema] = vocabulary::formats();
    let [url, file] = vocabulary::pictures();
    let named = ToolChoice::Named("kit_look".to_owned());
    let mut system = vocabulary::plain();
    system
        .messages
        .insert(0, multillm::chat::ChatMessage::system("kit instructs"));
    let of = |name: &str| {
        let mut all = vocabulary::sampling().into_iter();
        all.find(|(known, ..)| *known == name)
            .map(|(_, request, _)| request)
    };
    let asked: [(&str, Option<ChatRequest>); 13] = [
        ("system", Some(system)),
        ("tools", Some(vocabulary::tools(ToolChoice::Auto))),
        (
            "tool-choice-required",
            Some(vocabulary::tools(ToolChoice::Required)),
        ),
        ("tool-choice-named", Some(vocabulary::tools(named))),
        ("image-url", Some(url.1)),
        ("image-file", Some(file.1)),
        ("json", Some(json.1)),
        ("json-schema", Some(schema.1)),
        ("reasoning-effort", vocabulary::efforts().pop()),
        ("seed", of("seed")),
        ("stop", of("stop")),
        ("top-k", of("top_k")),
        ("penalties", of("frequency_penalty")),
    ];
    for (name, request) in asked {
        let Some(request) = request else {
            continue;
        };
        let described = bench.describe(&request, false).await;
        match (bench.promise(name), &described) {
            (Some(Support::Yes | Support::Emulated), Described::Refused(error)) => {
                report.failed(CODE, format!("{name} is promised and refused: {error}"));
            }
            (Some(Support::No) | None, Described::Request(_)) => {
                report.failed(CODE, format!("{name} is not promised and not refused"));
            }
            (_, Described::Broken(reason)) => report.failed(CODE, format!("{name}: {reason}")),
            _ => report.passed(CODE),
        }
    }
    let streams = bench.describe(&vocabulary::plain(), true).await;
    let promised = matches!(
        bench.promise("streaming"),
        Some(Support::Yes | Support::SomeModels)
    );
    report.judge(CODE, !promised || streams.request().is_some(), || {
        "streaming is promised and refused".to_owned()
    });
}
