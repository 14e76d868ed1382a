//! Questions that the tests ask, and what they look at in the answers.

use multillm::MultiLlmService;
use multillm::chat::{ChatMessage, ChatRequest, ChatResponse, Tool};
use serde_json::json;

/// Nothing, or what is wrong.
pub(crate) type Check = Result<(), String>;

/// The answer's text without the model's name before it and the count of turns behind it.
pub(crate) fn said(answer: &ChatResponse) -> String {
    let content = answer.content();
    let text = match content
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        Some((_, text)) => text,
        None => &content,
    };
    let end = text.rfind(" (turns: ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The weather tool that the conversations offer.
pub(crate) fn weather() -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": { "city": { "type": "string" } },
        "required": ["city"],
    });
    Tool {
        description: Some("The weather of a city".into()),
        ..Tool::new("get_weather", parameters)
    }
}

/// A request of one question.
pub(crate) fn ask(text: &str) -> ChatRequest {
    ChatRequest::new([ChatMessage::user(text)])
}

/// Both are the same, or what is wrong.
pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Check {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what} is {found:?}, not {expected:?}")),
    }
}

/// The answer to a request at once, and as a stream that was put together.
pub(crate) async fn both_ways(
    service: &MultiLlmService,
    request: &ChatRequest,
    model: &str,
) -> [multillm::Result<ChatResponse>; 2] {
    let whole = service.chat(request.clone(), model).await;
    let streamed = match service.stream(request.clone(), model).await {
        Ok(stream) => stream.collect().await,
        Err(error) => Err(error),
    };
    [whole, streamed]
}

/// Streamed and unstreamed are the same answer.
pub(crate) fn alike(whole: &ChatResponse, streamed: &ChatResponse) -> Check {
    equal("the streamed answer's parts", &streamed.parts, &whole.parts)?;
    equal("its reason", &streamed.finish_reason, &whole.finish_reason)?;
    equal(
        "its vendor's reason",
        &streamed.raw_finish_reason,
        &whole.raw_finish_reason,
    )?;
    equal("its usage", &streamed.usage, &whole.usage)?;
    equal("its model", &streamed.vendor_model, &whole.vendor_model)
}
