//! The request: `generateContent`, or `streamGenerateContent` as server-sent events.

use multillm_plugin_sdk::able::Able;
use multillm_plugin_sdk::body::{Blobs, extended, json_body};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Method, Mode, Request, ResponseFormat, Target, Tool, ToolChoice,
};

use crate::contents::{NAME, conversation};
use crate::schema;
use crate::servers;
use crate::settings::{Api, SchemaStyle, Settings};
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
    let mut leaving = Leaving::of(request);
    check(request, &mut leaving)?;
    let settings = Settings::of(target)?;
    let (method, query, framing) = method(mode);
    Ok(Request {
        method: Method::Post,
        path: settings.path(&target.model, method),
        query,
        headers: vec![settings.key_header()],
        body: json_body(request, |blobs| {
            body(&target.model, request, &settings, &mut leaving, blobs)
        })?,
        framing,
        warnings: leaving.warnings(),
    })
}

/// Refuses what this adapter does not ask for.
///
/// # Errors
///
/// `unsupported`, naming it.
pub(crate) fn check(request: &ChatRequest, leaving: &mut Leaving) -> Result<(), Error> {
    let able = Able {
        one_of: true,
        server_tools: true,
        outputs: &["image", "audio"],
        ..Able::default()
    };
    request.within_or(NAME, able, leaving)
}

/// What is called for an answer, with its query, and how the answer comes.
pub(crate) fn method(mode: Mode) -> (&'static str, Vec<(String, String)>, Framing) {
    match mode {
        Mode::Whole => ("generateContent", vec![], Framing::Whole),
        Mode::Stream => (
            "streamGenerateContent",
            vec![("alt".to_owned(), "sse".to_owned())],
            Framing::Sse,
        ),
    }
}

/// The body of a request for an answer.
pub(crate) fn body<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'a>,
    leaving: &mut Leaving,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        leaving.out(
            "parallel_tool_calls",
            "gemini cannot be kept from calling several tools at once",
        )?;
    }
    let conversation = conversation(model, request, settings, blobs)?;
    let mut declarations = Vec::new();
    for tool in &request.tools {
        declarations.push(declaration(tool, settings.schema)?);
    }
    let mut tools = Vec::new();
    if !declarations.is_empty() {
        let declarations = Json::List(declarations);
        tools.push(Json::object([("functionDeclarations", declarations)]));
    }
    for tool in &request.server_tools {
        let asked = servers::asked(tool).map(Some);
        tools.extend(leaving.or_else(&tool.name, asked, || Ok(None))?);
    }
    let config = generation_config(model, request, settings, leaving)?;
    Ok(object(vec![
        ("systemInstruction", conversation.system),
        ("contents", Some(Json::List(conversation.turns))),
        ("tools", (!tools.is_empty()).then_some(Json::List(tools))),
        ("toolConfig", tool_config(model, request, settings)),
        (
            "generationConfig",
            Some(config).filter(|config| *config != Json::Object(vec![])),
        ),
        ("safetySettings", safety_settings(settings)),
        (
            "cachedContent",
            settings.cached_content.clone().map(Json::from),
        ),
    ]))
}

fn declaration(tool: &Tool, style: SchemaStyle) -> Result<Json<'_>, Error> {
    let what = format!("the parameters of tool {}", tool.name);
    let schema = parse_schema(&what, tool.schema(NAME)?)?;
    let schema = (!schema::has_no_parameters(&schema)).then_some(schema);
    let (subset, json_schema) = by_style(schema, style)?;
    let declaration = object(vec![
        ("name", Some(tool.name.as_str().into())),
        ("description", tool.description.as_deref().map(Json::from)),
        ("parameters", subset),
        ("parametersJsonSchema", json_schema),
    ]);
    extended(
        declaration,
        &format!("tool {:?}", tool.name),
        tool.extra.as_deref(),
    )
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

/// How tools are chosen, and, for models that can do both in one answer, that what the vendor's tools
/// do stands beside calls of functions.
fn tool_config<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'_>,
) -> Option<Json<'a>> {
    let both = !request.tools.is_empty() && !request.server_tools.is_empty();
    let shows =
        both && settings.api == Api::GenerativeLanguage && generation(model) == Generation::Level;
    let calling = calling_config(model, request);
    (calling.is_some() || shows).then(|| {
        object(vec![
            ("functionCallingConfig", calling),
            (
                "includeServerSideToolInvocations",
                shows.then_some(Json::from(true)),
            ),
        ])
    })
}

fn calling_config<'a>(model: &str, request: &'a ChatRequest) -> Option<Json<'a>> {
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
        ToolChoice::OneOf(names) => {
            let names = names.iter().map(|name| name.as_str().into());
            ("ANY", Some(Json::List(names.collect())))
        }
    };
    Some(object(vec![
        ("mode", Some(mode.into())),
        ("allowedFunctionNames", names),
    ]))
}

fn generation_config<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'_>,
    leaving: &mut Leaving,
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
            leaving.or_else(
                "reasoning_effort",
                thinking::config(model, request, settings),
                || Ok(None),
            )?,
        ),
        (
            "responseModalities",
            (!request.outputs.is_empty()).then(|| Json::List(modalities(&request.outputs))),
        ),
    ]))
}

/// What an answer may hold, in the vendor's words.
fn modalities(outputs: &[String]) -> Vec<Json<'static>> {
    let words = outputs
        .iter()
        .map(|output| output.to_ascii_uppercase().into());
    words.collect()
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
