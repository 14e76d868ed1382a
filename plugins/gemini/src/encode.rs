//! The request: `generateContent`, or `streamGenerateContent` as server-sent events.

use multillm_plugin_sdk::body::{Blobs, json_body};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Method, Mode, Request, ResponseFormat, Target, Tool, ToolChoice,
};

use crate::contents::conversation;
use crate::schema;
use crate::settings::{SchemaStyle, Settings};
use crate::thinking::{self, Generation, generation};
use crate::wire::object;

/// The harm categories whose threshold can be set.
const HARMS: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

/// The request for an answer to `request`, whole or as a stream.
pub(crate) fn generate(
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let settings = Settings::of(target)?;
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        return Err(Error::unsupported(
            "Gemini cannot be kept from calling several tools at once: leave out parallel tool calls",
        ));
    }
    let (method, query, framing) = match mode {
        Mode::Whole => ("generateContent", vec![], Framing::Whole),
        Mode::Stream => (
            "streamGenerateContent",
            vec![("alt".to_owned(), "sse".to_owned())],
            Framing::Sse,
        ),
    };
    Ok(Request {
        method: Method::Post,
        path: settings.path(&target.model, method),
        query,
        headers: vec![settings.key_header()],
        body: json_body(request, |blobs| {
            body(&target.model, request, &settings, blobs)
        })?,
        framing,
    })
}

fn body<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'a>,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let conversation = conversation(model, request, settings, blobs)?;
    let mut declarations = Vec::new();
    for tool in &request.tools {
        declarations.push(declaration(tool, settings.schema)?);
    }
    let tools = Json::object([("functionDeclarations", Json::List(declarations))]);
    let config = generation_config(model, request, settings)?;
    Ok(object(vec![
        ("systemInstruction", conversation.system),
        ("contents", Some(Json::List(conversation.turns))),
        (
            "tools",
            (!request.tools.is_empty()).then(|| Json::List(vec![tools])),
        ),
        ("toolConfig", tool_config(model, request)),
        (
            "generationConfig",
            Some(config).filter(|config| *config != Json::Object(vec![])),
        ),
        ("safetySettings", safety_settings(settings)),
    ]))
}

fn declaration(tool: &Tool, style: SchemaStyle) -> Result<Json<'_>, Error> {
    let what = format!("the parameters of tool {}", tool.name);
    let schema = parse_schema(&what, &tool.parameters)?;
    let schema = (!schema::has_no_parameters(&schema)).then_some(schema);
    let (subset, json_schema) = by_style(schema, style)?;
    Ok(object(vec![
        ("name", Some(tool.name.as_str().into())),
        ("description", tool.description.as_deref().map(Json::from)),
        ("parameters", subset),
        ("parametersJsonSchema", json_schema),
    ]))
}

fn parse_schema<'a>(what: &str, text: &'a str) -> Result<Json<'a>, Error> {
    match Json::parse(text) {
        Ok(schema @ Json::Object(_)) => Ok(schema),
        Ok(_) => Err(Error::invalid_request(format!("{what} are no JSON object"))),
        Err(error) => Err(Error::invalid_request(format!(
            "{what} are no JSON: {error}"
        ))),
    }
}

/// A schema in the field of the chosen style: `(OpenAPI subset, JSON Schema)`.
fn by_style<'a>(
    schema: Option<Json<'a>>,
    style: SchemaStyle,
) -> Result<(Option<Json<'a>>, Option<Json<'a>>), Error> {
    Ok(match style {
        SchemaStyle::Json => (None, schema),
        SchemaStyle::OpenApi => (schema.as_ref().map(schema::to_openapi).transpose()?, None),
    })
}

fn tool_config<'a>(model: &str, request: &'a ChatRequest) -> Option<Json<'a>> {
    let strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    let (mode, names) = match &request.tool_choice {
        // constrains calls to their schemas and leaves the choice to the model
        ToolChoice::Auto if strict && generation(model) != Generation::Legacy => {
            ("VALIDATED", None)
        }
        ToolChoice::Auto => return None,
        ToolChoice::None if request.tools.is_empty() => return None,
        ToolChoice::None => ("NONE", None),
        ToolChoice::Required => ("ANY", None),
        ToolChoice::Named(name) => ("ANY", Some(Json::List(vec![name.as_str().into()]))),
    };
    let config = object(vec![
        ("mode", Some(mode.into())),
        ("allowedFunctionNames", names),
    ]);
    Some(Json::object([("functionCallingConfig", config)]))
}

fn generation_config<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'_>,
) -> Result<Json<'a>, Error> {
    let sampling = &request.sampling;
    if sampling
        .seed
        .is_some_and(|seed| i32::try_from(seed).is_err())
    {
        return Err(Error::invalid_request(
            "Gemini takes a seed of 32 bits: use a smaller number",
        ));
    }
    let stop = sampling.stop.iter().map(|text| text.as_str().into());
    let mime_type = match request.response_format {
        ResponseFormat::Text => None,
        ResponseFormat::Json | ResponseFormat::JsonSchema(_) => Some("application/json".into()),
    };
    let schema = match &request.response_format {
        ResponseFormat::JsonSchema(format) => {
            Some(parse_schema("the fields of the answer", &format.schema)?)
        }
        _ => None,
    };
    let (subset, json_schema) = by_style(schema, settings.schema)?;
    Ok(object(vec![
        ("maxOutputTokens", sampling.max_tokens.map(Json::from)),
        ("temperature", sampling.temperature.map(Json::from)),
        ("topP", sampling.top_p.map(Json::from)),
        ("topK", sampling.top_k.map(Json::from)),
        ("seed", sampling.seed.map(Json::from)),
        (
            "stopSequences",
            (!sampling.stop.is_empty()).then(|| Json::List(stop.collect())),
        ),
        (
            "frequencyPenalty",
            sampling.frequency_penalty.map(Json::from),
        ),
        ("presencePenalty", sampling.presence_penalty.map(Json::from)),
        ("responseMimeType", mime_type),
        ("responseSchema", subset),
        ("responseJsonSchema", json_schema),
        (
            "thinkingConfig",
            thinking::config(model, request, settings)?,
        ),
    ]))
}

fn safety_settings<'a>(settings: &Settings<'a>) -> Option<Json<'a>> {
    let threshold = match settings.safety_settings.as_ref()? {
        threshold @ Json::Text(_) => threshold,
        list => return Some(list.clone()),
    };
    let harms = HARMS.iter().map(|category| {
        Json::object([
            ("category", (*category).into()),
            ("threshold", threshold.clone()),
        ])
    });
    Some(Json::List(harms.collect()))
}

#[cfg(test)]
mod tests;
