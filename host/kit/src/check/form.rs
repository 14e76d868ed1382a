//! The form of a request: JSON, headers, path, secrets, and that it depends on the question alone.

use multillm::described::{BodyPart, Framing, HeaderValue, Method};
use multillm::plugin::wire;
use serde_json::Value;

use super::report::Report;
use super::{Bench, Described, vocabulary};

/// Headers that are the host's, whatever a plugin says.
const HOSTS: [&str; 10] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-authorization",
    "expect",
];
/// Names of models that lead elsewhere where they are taken for a path.
const MODELS: [&str; 6] = ["a/b", "../../admin", "a?x=1#y", "a%2fb", "模型 1", "a:b@c"];

pub(super) async fn check(bench: &Bench, report: &mut Report) {
    for stream in [false, true] {
        if let Described::Request(request) = bench.describe(&vocabulary::plain(), stream).await {
            body(&request, report);
            headers(&request, report);
            secrets(bench, &request, report);
        }
    }
    deterministic(bench, report).await;
    stateless(bench, report).await;
    path(bench, report).await;
    stream(bench, report).await;
}

/// The body's text, with a text in place of each blob: inside quotes it stays JSON.
pub(super) fn text_of(request: &wire::Request) -> String {
    let texts = request.body.iter().map(|part| match part {
        BodyPart::Text(text) => text.clone(),
        BodyPart::BlobBase64(id) => format!("kit-blob-{id}"),
        #[allow(unreachable_patterns, reason = "no plugin makes another one")]
        _ => String::new(),
    });
    texts.collect()
}

/// The body as JSON.
pub(super) fn json_of(request: &wire::Request) -> Option<Value> {
    serde_json::from_str(&text_of(request)).ok()
}

fn body(request: &wire::Request, report: &mut Report) {
    const CODE: &str = "json-body";
    match request.method {
        Method::Get => report.judge(CODE, request.body.is_empty(), || {
            "a GET has a body".to_owned()
        }),
        Method::Post => {
            let text = text_of(request);
            let read = serde_json::from_str::<Value>(&text);
            report.judge(CODE, read.is_ok(), || {
                let why = read.as_ref().err().map(ToString::to_string);
                format!("{}: {text}", why.unwrap_or_default())
            });
        }
    }
}

fn headers(request: &wire::Request, report: &mut Report) {
    const CODE: &str = "headers";
    report.passed(CODE);
    for (name, value) in &request.headers {
        report.judge(CODE, *name == name.to_ascii_lowercase(), || {
            format!("{name:?} is not in lower case")
        });
        report.judge(
            CODE,
            !HOSTS.contains(&name.to_ascii_lowercase().as_str()),
            || format!("{name:?} is the host's"),
        );
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        report.judge(CODE, !name.is_empty() && name.chars().all(token), || {
            format!("{name:?} is no name of a header")
        });
        if let HeaderValue::Plain(value) = value {
            report.judge(CODE, !value.contains(['\r', '\n', '\0']), || {
                format!("the value of {name:?} holds a line break")
            });
            let json = name != "content-type" || value.contains("json");
            report.judge(CODE, json, || {
                format!("content-type {value:?} is not the body's")
            });
        }
    }
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
    names.sort();
    let before = names.len();
    names.dedup();
    report.judge(CODE, names.len() == before, || {
        "a header stands twice".to_owned()
    });
}

pub(super) fn secrets(bench: &Bench, request: &wire::Request, report: &mut Report) {
    const CODE: &str = "secret-placed";
    let known = &bench.plugin.info().secrets;
    let placed: Vec<&String> = request
        .headers
        .iter()
        .filter_map(|(_, value)| match value {
            HeaderValue::Secret { name, .. } => Some(name),
            HeaderValue::Plain(_) => None,
        })
        .collect();
    for secret in known.iter().filter(|secret| secret.required) {
        report.judge(CODE, placed.contains(&&secret.name), || {
            format!("{:?} is required and stands in no header", secret.name)
        });
    }
    for name in placed {
        let declared = known.iter().any(|secret| secret.name == *name);
        report.judge(CODE, declared, || {
            format!("{name:?} is in a header and was never declared")
        });
    }
    if known.is_empty() {
        report.passed(CODE);
    }
}

async fn deterministic(bench: &Bench, report: &mut Report) {
    const CODE: &str = "deterministic";
    let (conversation, _) = vocabulary::conversation();
    let tools = vocabulary::tools(multillm::chat::ToolChoice::Auto);
    for request in [conversation, tools, vocabulary::extra()] {
        let first = bench.describe(&request, false).await;
        let second = bench.describe(&request, false).await;
        if let (Some(first), Some(second)) = (first.request(), second.request()) {
            report.judge(CODE, first == second, || {
                format!("{} and then {}", text_of(first), text_of(second))
            });
        }
    }
}

/// One instance is asked twice the same with something else between; nothing of that may stay.
async fn stateless(bench: &Bench, report: &mut Report) {
    const CODE: &str = "stateless";
    let Ok(mut session) = bench.plugin.session().await else {
        return;
    };
    let (other, _) = vocabulary::conversation();
    let mut said = vec![];
    for request in [&vocabulary::plain(), &other, &vocabulary::plain()] {
        match session.encode(&bench.target, request, false).await {
            Ok(Ok(encoded)) => said.push(Some(encoded.request)),
            Ok(Err(_)) => said.push(None),
            Err(error) => {
                return report.failed(CODE, format!("the second question breaks it: {error}"));
            }
        }
    }
    if let [Some(first), _, Some(last)] = said.as_slice() {
        report.judge(CODE, first == last, || {
            format!("{} and later {}", text_of(first), text_of(last))
        });
    }
}

async fn path(bench: &Bench, report: &mut Report) {
    const CODE: &str = "path-safe";
    let Described::Request(usual) = bench.describe(&vocabulary::plain(), false).await else {
        return;
    };
    for segment in &usual.path {
        report.judge(
            CODE,
            !segment.is_empty() && segment != "." && segment != "..",
            || format!("{segment:?} is no segment of a path"),
        );
    }
    for model in MODELS {
        let target = wire::Target {
            model: model.to_owned(),
            ..bench.target.clone()
        };
        match bench
            .describe_for(&target, &vocabulary::plain(), false)
            .await
        {
            Described::Request(request) => {
                // The host refuses such segments itself.
                let refused = request.path.iter().any(|segment| segment == "..");
                let kept = refused || request.path.len() == usual.path.len();
                report.judge(CODE, kept, || {
                    format!(
                        "the model {model:?} makes {:?} of {:?}",
                        request.path, usual.path
                    )
                });
            }
            // Refusing a name is safe.
            Described::Refused(_) => report.passed(CODE),
            Described::Broken(reason) => {
                report.failed(CODE, format!("the model {model:?} breaks it: {reason}"));
            }
        }
    }
}

async fn stream(bench: &Bench, report: &mut Report) {
    const CODE: &str = "stream-asked";
    let whole = bench.describe(&vocabulary::plain(), false).await;
    let streamed = bench.describe(&vocabulary::plain(), true).await;
    let Some(whole) = whole.request() else {
        return;
    };
    report.judge(CODE, whole.framing == Framing::Whole, || {
        "a whole answer is to be cut".to_owned()
    });
    match streamed {
        Described::Request(streamed) => {
            report.judge(CODE, streamed.framing != Framing::Whole, || {
                "it is not said how a streamed answer is cut".to_owned()
            });
            let alike = streamed.path == whole.path
                && streamed.query == whole.query
                && streamed.body == whole.body;
            report.judge(CODE, !alike, || {
                "it asks the same as for a whole answer".to_owned()
            });
        }
        Described::Refused(error) if error.kind == multillm::error::ErrorKind::Unsupported => {}
        Described::Refused(error) => report.failed(CODE, error.to_string()),
        Described::Broken(reason) => report.failed(CODE, reason),
    }
}
