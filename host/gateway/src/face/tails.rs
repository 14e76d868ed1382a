//! What of a request belongs to the caller's wire alone.

use multillm::ChatRequest;
use multillm::chat::{Extra, Part, ResultPart, ToolResult};

/// Takes all of it away.
pub(super) fn forget(request: &mut ChatRequest) {
    request.extra_by_wire = Extra::default();
    for tool in &mut request.tools {
        tool.extra = Extra::default();
    }
    for message in &mut request.messages {
        message.extra = Extra::default();
        message.content.iter_mut().for_each(forget_part);
    }
}

fn forget_part(part: &mut Part) {
    match part {
        Part::Text(text) => {
            text.extra = Extra::default();
            for citation in &mut text.citations {
                citation.extra = Extra::default();
            }
        }
        Part::Media(media) => media.extra = Extra::default(),
        Part::Reasoning(thought) => thought.extra = Extra::default(),
        Part::ToolCall(call) => call.extra = Extra::default(),
        Part::ToolResult(result) => forget_result(result),
        Part::ServerToolCall(_) | Part::ServerToolResult(_) | Part::Opaque(_) => {}
    }
}

fn forget_result(result: &mut ToolResult) {
    result.extra = Extra::default();
    for piece in &mut result.content {
        if let ResultPart::Media(media) = piece {
            media.extra = Extra::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Face};

    #[test]
    fn nothing_of_the_callers_wire_goes_to_models_of_none() {
        let body = br#"{"store":true,"messages":[{"role":"user","name":"ann","content":[{"type":"text","text":"hi","id":"x"},
            {"type":"image_url","image_url":{"url":"https://h/a.png"},"id":"y"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"status":"s"}]},
            {"role":"tool","tool_call_id":"c","content":"ok","id":"z"}],
            "tools":[{"type":"function","function":{"name":"f","odd":1}}]}"#;
        let asked = Entry::new(Face::OpenAiChat).read(body).unwrap();
        let tails = |wires: &[&str]| {
            let mut asked = asked.clone();
            asked.fit(wires.iter().copied());
            let request = serde_json::to_string(&asked.request).unwrap();
            request.matches("openai-chat\":{").count()
        };
        assert_eq!(tails(&["openai-chat"]), 7);
        assert_eq!(tails(&["openai-chat", "gemini"]), 7);
        assert_eq!((tails(&["gemini"]), tails(&[])), (0, 0));
        assert_eq!(asked.lost(["openai-chat"].into_iter()), [""; 0]);
        assert_eq!(asked.lost([].into_iter()), ["tools[0].function.odd"]);
    }
}
