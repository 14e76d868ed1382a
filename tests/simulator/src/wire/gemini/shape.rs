//! The request body of generateContent, as a table, and what Google says about a body of another shape.

use serde_json::json;

use crate::shape::{Flaw, FlawKind, Shape, field, required};

use super::Trouble;
use super::names::snake_case;

const TEXT: Shape = Shape::Text;

static PART: Shape = Shape::Object(&[
    field("text", TEXT),
    field("thought", Shape::Flag),
    field("thoughtSignature", TEXT),
    field(
        "inlineData",
        Shape::Object(&[
            required("mimeType", TEXT),
            required("data", TEXT),
            field("displayName", TEXT),
        ]),
    ),
    field(
        "fileData",
        Shape::Object(&[
            field("mimeType", TEXT),
            required("fileUri", TEXT),
            field("displayName", TEXT),
        ]),
    ),
    field(
        "functionCall",
        Shape::Object(&[
            field("id", TEXT),
            required("name", TEXT),
            field("args", Shape::Open),
        ]),
    ),
    field(
        "functionResponse",
        Shape::Object(&[
            field("id", TEXT),
            required("name", TEXT),
            required("response", Shape::Open),
            field("parts", Shape::List(&Shape::Open)),
            field("willContinue", Shape::Flag),
            field("scheduling", TEXT),
        ]),
    ),
    field("executableCode", Shape::Open),
    field("codeExecutionResult", Shape::Open),
    field("toolCall", Shape::Open),
    field("toolResponse", Shape::Open),
    field("videoMetadata", Shape::Open),
    field("mediaResolution", Shape::Open),
    field("partMetadata", Shape::Open),
]);

static CONTENT: Shape = Shape::Object(&[field("role", TEXT), field("parts", Shape::List(&PART))]);

const TYPES: Shape = Shape::OneOf(&[
    "STRING",
    "NUMBER",
    "INTEGER",
    "BOOLEAN",
    "ARRAY",
    "OBJECT",
    "NULL",
    "TYPE_UNSPECIFIED",
    "string",
    "number",
    "integer",
    "boolean",
    "array",
    "object",
    "null",
]);
const COUNT: Shape = Shape::Either(&[Shape::Whole(0, i64::MAX), Shape::Text]);

/// The subset of OpenAPI that `parameters` and `responseSchema` take.
static SCHEMA: Shape = Shape::Object(&[
    field("type", TYPES),
    field("format", TEXT),
    field("title", TEXT),
    field("description", TEXT),
    field("nullable", Shape::Flag),
    field("enum", Shape::List(&Shape::Text)),
    field("items", Shape::Ref(&SCHEMA)),
    field("minItems", COUNT),
    field("maxItems", COUNT),
    field("properties", Shape::Map(&SCHEMA)),
    field("required", Shape::List(&Shape::Text)),
    field("minProperties", COUNT),
    field("maxProperties", COUNT),
    field("minLength", COUNT),
    field("maxLength", COUNT),
    field("minimum", Shape::Number(f64::MIN, f64::MAX)),
    field("maximum", Shape::Number(f64::MIN, f64::MAX)),
    field("pattern", TEXT),
    field("example", Shape::Any),
    field("default", Shape::Any),
    field("anyOf", Shape::List(&SCHEMA)),
    field("propertyOrdering", Shape::List(&Shape::Text)),
]);

static DECLARATION: Shape = Shape::Object(&[
    required("name", TEXT),
    field("description", TEXT),
    field("parameters", Shape::Ref(&SCHEMA)),
    field("parametersJsonSchema", Shape::Any),
    field("response", Shape::Any),
    field("responseJsonSchema", Shape::Any),
    field("behavior", TEXT),
]);

static TOOL: Shape = Shape::Object(&[
    field("functionDeclarations", Shape::List(&DECLARATION)),
    field("googleSearch", Shape::Open),
    field("googleSearchRetrieval", Shape::Open),
    field("googleMaps", Shape::Open),
    field("codeExecution", Shape::Open),
    field("computerUse", Shape::Open),
    field("fileSearch", Shape::Open),
    field("urlContext", Shape::Open),
]);

static SAFETY: Shape = Shape::Object(&[
    required("category", TEXT),
    required("threshold", TEXT),
    field("method", TEXT),
]);

const THINKING: Shape = Shape::Object(&[
    field("includeThoughts", Shape::Flag),
    field("thinkingBudget", Shape::Whole(-1, 32_768)),
    field(
        "thinkingLevel",
        Shape::OneOf(&[
            "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "minimal", "low", "medium", "high",
            "xhigh",
        ]),
    ),
]);

const GENERATION: Shape = Shape::Object(&[
    field("audioTimestamp", Shape::Flag),
    field("candidateCount", Shape::Whole(1, 1)),
    field("enableEnhancedCivicAnswers", Shape::Flag),
    field("frequencyPenalty", Shape::Number(-2.0, 2.0)),
    field("imageConfig", Shape::Open),
    field("logprobs", Shape::Whole(0, 20)),
    field("maxOutputTokens", Shape::Whole(1, 1_000_000)),
    field("mediaResolution", TEXT),
    field("presencePenalty", Shape::Number(-2.0, 2.0)),
    field("responseJsonSchema", Shape::Any),
    field("responseLogprobs", Shape::Flag),
    field(
        "responseMimeType",
        Shape::OneOf(&["text/plain", "application/json", "text/x.enum"]),
    ),
    field("responseModalities", Shape::List(&Shape::Text)),
    field("responseSchema", Shape::Ref(&SCHEMA)),
    field("seed", Shape::Whole(i32::MIN as i64, i32::MAX as i64)),
    field("speechConfig", Shape::Open),
    field("stopSequences", Shape::List(&Shape::Text)),
    field("temperature", Shape::Number(0.0, 2.0)),
    field("thinkingConfig", THINKING),
    field("topK", Shape::Number(1.0, 10_000.0)),
    field("topP", Shape::Number(0.0, 1.0)),
]);

/// The body of a generateContent request.
pub(super) static BODY: Shape = Shape::Object(&[
    field("model", TEXT),
    field("contents", Shape::List(&CONTENT)),
    field("systemInstruction", Shape::Ref(&CONTENT)),
    field("tools", Shape::List(&TOOL)),
    field(
        "toolConfig",
        Shape::Object(&[
            field(
                "functionCallingConfig",
                Shape::Object(&[
                    field(
                        "mode",
                        Shape::OneOf(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]),
                    ),
                    field("allowedFunctionNames", Shape::List(&Shape::Text)),
                    field("streamFunctionCallArguments", Shape::Flag),
                ]),
            ),
            field("retrievalConfig", Shape::Open),
            field("includeServerSideToolInvocations", Shape::Flag),
        ]),
    ),
    field("safetySettings", Shape::List(&SAFETY)),
    field("generationConfig", GENERATION),
    field("cachedContent", TEXT),
    field("labels", Shape::Open),
    field("serviceTier", TEXT),
    field("store", Shape::Flag),
]);

/// The error for a body of the wrong shape.
pub(super) fn refuse(flaw: &Flaw) -> Trouble {
    let path = snake_case(&flaw.bracketed());
    let message = match &flaw.kind {
        FlawKind::Unknown => {
            let (parent, name) = flaw.parent_and_name();
            let place = snake_case(&parent.bracketed());
            let at = if place.is_empty() {
                String::new()
            } else {
                format!(" at '{place}'")
            };
            format!(
                "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
            )
        }
        FlawKind::Missing => {
            format!("* GenerateContentRequest.{path}: required field is not specified")
        }
        FlawKind::Type { expected, found } => {
            format!("Invalid value at '{path}' ({expected}), {found}")
        }
        FlawKind::Range { min, max, .. } => {
            format!("* GenerateContentRequest.{path}: must be in the range [{min}, {max}].")
        }
        FlawKind::Choice { found, .. } => {
            format!("Invalid value at '{path}' (TYPE_ENUM), \"{found}\"")
        }
    };
    let violation = json!({"fieldViolations": [{"field": path, "description": message}]});
    Trouble::invalid(message).detail("BadRequest", violation)
}
