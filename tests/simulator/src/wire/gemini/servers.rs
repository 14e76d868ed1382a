//! Tools that Google runs: what an answer shows of them, and whether that comes back unchanged.
//! <https://ai.google.dev/gemini-api/docs/code-execution>, <https://ai.google.dev/gemini-api/docs/google-search>

use serde_json::{Value, json};

use crate::answer::{Answer, PAGE, PIXEL, PROGRAM};
use crate::seal;
use crate::wire::{items_of, text_of};

use super::Trouble;
use super::contents::TEXT;

/// The beginning of the ids of calls of these tools.
const USE: &str = "st-";
/// What results are made over; the seal stands in the output where nobody looks for it.
const RAN: &str = "gemini-ran";

/// The unified names of the tools that are offered.
pub(super) fn offered(body: &Value) -> Vec<&'static str> {
    let has = |name: &str| {
        items_of(body, "tools")
            .iter()
            .any(|tool| tool.get(name).is_some())
    };
    let known = [
        ("googleSearch", "web-search"),
        ("codeExecution", "code-execution"),
    ];
    let offered = known.into_iter().filter(|(own, _)| has(own));
    offered.map(|(_, name)| name).collect()
}

/// Whether what these tools do is shown beside calls of functions.
pub(super) fn are_shown(body: &Value) -> bool {
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    config.get("includeServerSideToolInvocations") == Some(&Value::Bool(true))
}

/// What excludes each other, by generation.
pub(super) fn check(body: &Value, generation: u8) -> Result<(), Trouble> {
    let functions = items_of(body, "tools")
        .iter()
        .any(|tool| !items_of(tool, "functionDeclarations").is_empty());
    let own = items_of(body, "tools")
        .iter()
        .filter_map(Value::as_object)
        .any(|tool| tool.keys().any(|name| name != "functionDeclarations"));
    if functions && own && (generation < 3 || !are_shown(body)) {
        return Err(Trouble::invalid(
            "Built-in tools ({google_search}) and Function Calling cannot be combined in the same request. Please choose one, or enable include_server_side_tool_invocations.",
        ));
    }
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let beside = given("systemInstruction") || given("tools") || given("toolConfig");
    match given("cachedContent") && beside {
        true => Err(Trouble::invalid(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.",
        )),
        false => Ok(()),
    }
}

/// The uses of an answer as parts, before its text.
pub(super) fn parts(answer: &Answer, is_third: bool, shown: bool) -> Vec<Value> {
    let mut parts = Vec::new();
    if shown && answer.used.contains(&"web-search") {
        let id = seal::id(USE, answer.seed, 0);
        parts.push(json!({"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": [answer.asked]}, "id": id},
            "thoughtSignature": seal::id(TEXT, answer.seed, 3)}));
        parts.push(json!({"toolResponse": {"toolType": "GOOGLE_SEARCH_WEB", "response": {"search_suggestions": "<b>"}, "id": id},
            "thoughtSignature": seal::id(TEXT, answer.seed, 4)}));
    }
    if answer.used.contains(&"code-execution") {
        let (program, output) = PROGRAM;
        let mut code = json!({"executableCode": {"language": "PYTHON", "code": program}});
        if let (true, Some(members)) = (is_third, code.as_object_mut()) {
            let signature = seal::id(TEXT, answer.seed, 5);
            members.insert("thoughtSignature".to_owned(), json!(signature));
        }
        parts.push(code);
        let sealed = format!("{output}{}", seal::sign(RAN, output));
        parts.push(json!({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": sealed}}));
    }
    parts
}

/// The picture of an answer, behind its text.
pub(super) fn picture(answer: &Answer) -> Option<Value> {
    answer.draws.then(|| {
        json!({"inlineData": {"mimeType": "image/png", "data": PIXEL},
            "thoughtSignature": seal::id(TEXT, answer.seed, 6)})
    })
}

/// What the text rests on, with places in bytes.
pub(super) fn grounding(answer: &Answer) -> Option<Value> {
    if !answer.used.contains(&"web-search") {
        return None;
    }
    let (url, title) = PAGE;
    let start = answer.text.find(' ').map_or(0, |at| at + 1);
    let words = answer.text.get(start..).unwrap_or_default();
    let segment = json!({"startIndex": start, "endIndex": answer.text.len(), "text": words});
    Some(json!({
        "webSearchQueries": [answer.asked],
        "searchEntryPoint": {"renderedContent": "<div>search</div>"},
        "groundingChunks": [{"web": {"uri": url, "title": title}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0], "confidenceScores": [0.9]}],
    }))
}

/// Whether a part of these tools comes back as it was made; no for a part that is none.
pub(super) fn returned(part: &Value) -> Result<bool, Trouble> {
    let refuse = |message: &str| Err(Trouble::invalid(message));
    let signature = text_of(part, "thoughtSignature");
    let signed = signature.is_empty() || seal::issued(TEXT, signature);
    if let Some(result) = part.get("codeExecutionResult") {
        let (program_output, output) = (PROGRAM.1, text_of(result, "output"));
        let seal = output.strip_prefix(program_output).unwrap_or_default();
        return match seal::verify(RAN, program_output, seal) {
            true => Ok(true),
            false => refuse("Code execution result does not match the executed code."),
        };
    }
    let of_tool = ["toolCall", "toolResponse"]
        .into_iter()
        .find_map(|kind| part.get(kind));
    let known = part.get("executableCode").is_some() || part.get("inlineData").is_some();
    match of_tool {
        Some(use_) if !seal::issued(USE, text_of(use_, "id")) => {
            refuse("Server side tool invocation id was not issued by this service.")
        }
        Some(_) if signature.is_empty() => {
            refuse("Server side tool invocation is missing a thought_signature.")
        }
        _ if (of_tool.is_some() || known) && !signed => refuse("Thought signature is not valid."),
        _ => Ok(of_tool.is_some() || known),
    }
}
