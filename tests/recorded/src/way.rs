//! Where a body goes: method, path, query and headers, against those that were recorded.

use multillm_plugin_sdk::{Framing, HeaderValue, Method, Mode, Operation, Route, Target};

use crate::case::Case;
use crate::vendors::Adapter;

/// Headers that a client sends of itself or that belong to one hop: no vendor answers otherwise
/// for them.
const CLIENTS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-amzn-trace-id",
    "x-llm-provider",
];

/// Headers in which a key may come. Which one it is, settings say.
const KEYS: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Why a recording is no relay of this project's: another API of the vendor's, or an address that
/// was not recorded whole.
pub(crate) fn elsewhere(case: &Case) -> Option<&'static str> {
    let ends = |end: &str| case.path.last().is_some_and(|last| last.ends_with(end));
    let holds = |segment: &str| case.path.iter().any(|known| known == segment);
    let dated = case.query.iter().any(|(name, _)| name == "api-version");
    match (case.vendor.as_str(), case.kind.as_str()) {
        ("azure", "chat") if !holds("openai") => Some("the path of a deployment is cut off"),
        ("azure", _) if holds("deployments") && !dated => Some("api-version was not recorded"),
        ("gemini", "embeddings") if ends(":batchEmbedContents") => {
            Some("several embeddings in one body")
        }
        ("gemini", "embeddings") if ends(":predict") => Some("the older API of Vertex AI"),
        ("ollama", "embeddings") if ends("embeddings") => Some("the former embeddings API"),
        ("huggingface", "embeddings") => Some("not on OpenAI's wire"),
        ("cohere", "tokens") => Some("tokens of a text and of no chat"),
        ("cohere", _) if holds("v1") => Some("the older API"),
        _ => None,
    }
}

/// The target of a recorded request: its model, its wire, and the settings that its address and
/// headers tell.
pub(crate) fn target(case: &Case, adapter: &Adapter) -> Target {
    let mut settings = Vec::new();
    let mut model = case.model.clone();
    if case.vendor == "azure" {
        let at = case
            .path
            .iter()
            .position(|segment| segment == "deployments");
        if let Some(deployment) = at.and_then(|at| case.path.get(at + 1)) {
            model.clone_from(deployment);
        }
        let version = case.query.iter().find(|(name, _)| name == "api-version");
        settings.extend(version.map(|(_, version)| ("api_version", version.clone())));
        if case.header("api-key").is_none() && case.header("authorization").is_some() {
            settings.push(("auth", "bearer".to_owned()));
        }
    }
    let settings: serde_json::Map<_, _> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let is_responses =
        case.kind == "responses" || case.path.iter().any(|segment| segment == "responses");
    let wire = match is_responses {
        true => "openai-responses".to_owned(),
        false => adapter.info.wires.first().cloned().unwrap_or_default(),
    };
    Target {
        model,
        settings: serde_json::Value::Object(settings).to_string(),
        wire,
    }
}

pub(crate) fn mode(case: &Case) -> Mode {
    match case.stream {
        true => Mode::Stream,
        false => Mode::Whole,
    }
}

/// What differs from the recorded request, one line each.
pub(crate) fn differences(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    let route = match (adapter.route)(target, case.operation(), mode(case)) {
        Ok(route) => route,
        Err(error) => return vec![format!("no route: {}", error.message)],
    };
    let mut found = Vec::new();
    let method = match route.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    if method != case.method {
        found.push(format!("method: recorded {}, routed {method}", case.method));
    }
    found.extend(path(case, &route));
    found.extend(query(case, &route));
    found.extend(headers(case, adapter, &route));
    found.extend(framing(case, &route));
    let place: &[&str] = match case
        .path
        .iter()
        .any(|segment| segment.contains(&*target.model))
    {
        // Where the path names the model the body need not.
        true if !target.model.is_empty() && case.vendor != "huggingface" => &[],
        _ => &["model"],
    };
    if route.model != place {
        found.push(format!("the model's place: {:?}", route.model));
    }
    if route.name != target.model {
        found.push(format!("the model's name: {:?}", route.name));
    }
    found
}

/// The path stands below a base that is the vendor's own; Hugging Face has one for each provider.
fn path(case: &Case, route: &Route) -> Option<String> {
    let base = case.path.strip_suffix(route.path.as_slice());
    let right = base.is_some_and(|base| match case.vendor.as_str() {
        "huggingface" => true,
        "openai" => base == ["v1"],
        _ => base.is_empty(),
    });
    (!right).then(|| {
        format!(
            "path: recorded /{}, routed {}",
            case.path.join("/"),
            route.path.join("/")
        )
    })
}

fn query(case: &Case, route: &Route) -> Option<String> {
    let mut recorded = case.query.clone();
    // A client's own mark, which the vendor does not read.
    recorded.retain(|(name, value)| (name.as_str(), value.as_str()) != ("beta", "true"));
    let array = case.vendor == "gemini" && case.framing == "json-array";
    if array {
        // It was asked for in the form of one array, which no relay asks for.
        recorded.push(("alt".to_owned(), "sse".to_owned()));
    }
    (recorded != route.query)
        .then(|| format!("query: recorded {recorded:?}, routed {:?}", route.query))
}

/// Each recorded header is the adapter's with the same value, or may travel, or is a client's own.
fn headers(case: &Case, adapter: &Adapter, route: &Route) -> Vec<String> {
    let mut found = Vec::new();
    let mut keys = route
        .headers
        .iter()
        .filter(|header| matches!(header.value, HeaderValue::Secret(_)));
    if keys.clone().next().is_none() {
        found.push("no header holds a key".to_owned());
    }
    let keyed = keys.any(|key| case.header(&key.name).is_some());
    for (name, value) in &case.headers {
        let own = route.headers.iter().find(|header| header.name == *name);
        let passes = adapter.info.passes.contains(name);
        let right = match own.map(|header| &header.value) {
            Some(HeaderValue::Secret(_)) => true,
            Some(HeaderValue::Plain(own)) => own == value || passes || CLIENTS.contains(&&**name),
            // A client that sends its key in several headers needs but one of them.
            None if KEYS.contains(&&**name) => keyed,
            None => passes || CLIENTS.contains(&&**name) || name.starts_with("x-fern-"),
        };
        if !right {
            found.push(format!("header {name}: recorded {value:?}, not routed so"));
        }
    }
    found
}

fn framing(case: &Case, route: &Route) -> Option<String> {
    let recorded = match (case.operation(), case.stream, case.vendor.as_str()) {
        (Operation::Chat, true, "ollama") => Framing::Ndjson,
        (Operation::Chat, true, _) => Framing::Sse,
        _ => Framing::Whole,
    };
    (recorded != route.framing).then(|| format!("framing: {:?}", route.framing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::adapter;

    /// What differs in a recorded request to Anthropic, of which a part may be another.
    fn found(url: &str, method: &str, headers: &str) -> Vec<String> {
        let text = format!(
            r#"{{"vendor":"anthropic","model":"claude-x","url":"{url}","method":"{method}","status":200,
                "request_headers":[{headers}],"response_body":"","stream":true,"framing":"sse","expect":{{}}}}"#
        );
        let case = Case::parse("made", &text).unwrap();
        let adapter = adapter("anthropic").unwrap();
        differences(&case, &adapter, &target(&case, &adapter))
    }

    #[test]
    fn a_request_that_went_elsewhere_is_told() {
        let url = "https://h.example/v1/messages?beta=true";
        let version = r#"["Anthropic-Version","2023-06-01"]"#;
        let none: Vec<String> = Vec::new();
        assert_eq!(found(url, "POST", version), none);
        for (url, method, headers, told) in [
            ("https://h.example/v2/messages", "POST", version, "path"),
            ("https://h.example/x/v1/messages", "POST", version, "path"),
            (
                "https://h.example/v1/messages?a=b",
                "POST",
                version,
                "query",
            ),
            (url, "GET", version, "method"),
            (url, "POST", r#"["api-key","REDACTED"]"#, "header api-key"),
            (url, "POST", r#"["x-new","1"]"#, "header x-new"),
        ] {
            let found = found(url, method, headers);
            assert_eq!(found.len(), 1, "{told}: {found:?}");
            assert!(found.iter().all(|line| line.starts_with(told)), "{found:?}");
        }
    }
}
