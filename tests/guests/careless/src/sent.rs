//! Mistakes in the request that is described.

use std::sync::atomic::{AtomicU32, Ordering};

use multillm_plugin_sdk::{BodyPart, Header, HeaderValue, Request, Target};

/// What an author kept between calls.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Spoils a described request, as the fault says.
pub(crate) fn spoil(mut request: Request, fault: &str, target: &Target) -> Request {
    match fault {
        // A map that sorts its keys, and floats for all numbers.
        "sorts-keys" => change(&mut request, |text| {
            let read = serde_json::from_str::<serde_json::Value>(text);
            read.map_or(text.to_owned(), |value| sorted(&value))
        }),
        "keeps-a-count" => {
            let count = ASKED.fetch_add(1, Ordering::Relaxed);
            change(&mut request, |text| {
                text.replacen('{', &format!("{{\"n\":{count},"), 1)
            });
        }
        "another-model" => change(&mut request, |text| {
            text.replace(&target.model, "best-model")
        }),
        "writes-json-by-hand" => change(&mut request, |text| text.replace("\\\"", "\"")),
        "model-in-the-path" => request
            .path
            .extend(target.model.split('/').map(str::to_owned)),
        "upper-case" => request.headers.push(header("X-Careless", "1")),
        "own-host" => request.headers.push(header("host", "careless.example")),
        "no-secret" => request
            .headers
            .retain(|header| !matches!(header.value, HeaderValue::Secret(_))),
        "another-secret" => request.headers.push(Header {
            name: "x-other".to_owned(),
            ..Header::api_key("x-other", "")
        }),
        _ => {}
    }
    if fault == "another-secret"
        && let Some(Header {
            value: HeaderValue::Secret(secret),
            ..
        }) = request.headers.last_mut()
    {
        "other".clone_into(&mut secret.name);
    }
    request
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: HeaderValue::Plain(value.to_owned()),
    }
}

fn change(request: &mut Request, change: impl FnOnce(&str) -> String) {
    let whole: String = request
        .body
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.as_str(),
            BodyPart::BlobBase64(_) => "",
        })
        .collect();
    request.body = vec![BodyPart::Text(change(&whole))];
}

/// JSON with its keys in the order of the alphabet, whatever map reads it.
fn sorted(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            let made: Vec<String> = keys
                .into_iter()
                .map(|(key, member)| format!("{}:{}", serde_json::json!(key), sorted(member)))
                .collect();
            format!("{{{}}}", made.join(","))
        }
        serde_json::Value::Array(items) => {
            let made: Vec<String> = items.iter().map(sorted).collect();
            format!("[{}]", made.join(","))
        }
        other => other.to_string(),
    }
}
