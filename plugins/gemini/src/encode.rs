//! The request: `generateContent`, or `streamGenerateContent` as server-sent events.

use multillm_plugin_sdk::body::{Blobs, json_body, parse_json};
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Method, Mode, Request, ResponseFormat, Target, Tool, ToolChoice,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::contents::{Instruction, Turn, conversation};
use crate::schema;
use crate::settings::{SchemaStyle, Settings};
use crate::thinking::{self, Generation, ThinkingConfig, generation};

/// The harm categories whose threshold can be set.
const HARMS: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Instruction<'a>>,
    contents: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolSet<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<Value>,
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    generation_config: GenerationConfig<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_settings: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolSet<'a> {
    function_declarations: Vec<FunctionDeclaration<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionDeclaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a RawValue>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

impl GenerationConfig<'_> {
    fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                max_output_tokens: None,
                temperature: None,
                top_p: None,
                top_k: None,
                seed: None,
                stop_sequences: [],
                frequency_penalty: None,
                presence_penalty: None,
                response_mime_type: None,
                response_schema: None,
                response_json_schema: None,
                thinking_config: None,
            }
        )
    }
}

/// The request that asks this.
pub(crate) fn request(
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
    settings: &Settings,
    blobs: &mut Blobs,
) -> Result<Body<'a>, Error> {
    let conversation = conversation(model, request, settings, blobs)?;
    let declarations = request
        .tools
        .iter()
        .map(|tool| declaration(tool, settings.schema))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Body {
        system_instruction: conversation.system,
        contents: conversation.turns,
        tools: Some(ToolSet {
            function_declarations: declarations,
        })
        .filter(|set| !set.function_declarations.is_empty())
        .into_iter()
        .collect(),
        tool_config: tool_config(model, request),
        generation_config: generation_config(model, request, settings)?,
        safety_settings: safety_settings(settings),
    })
}

fn declaration(tool: &Tool, style: SchemaStyle) -> Result<FunctionDeclaration<'_>, Error> {
    let what = format!("the parameters of tool {}", tool.name);
    let (parameters, parameters_json_schema) =
        if schema::has_no_parameters(&parse_json(&what, &tool.parameters)?) {
            (None, None)
        } else {
            schema_fields(&what, &tool.parameters, style)?
        };
    Ok(FunctionDeclaration {
        name: &tool.name,
        description: tool.description.as_deref(),
        parameters,
        parameters_json_schema,
    })
}

/// A schema in the field of the chosen style: `(OpenAPI subset, JSON Schema)`.
fn schema_fields<'a>(
    what: &str,
    text: &'a str,
    style: SchemaStyle,
) -> Result<(Option<Value>, Option<&'a RawValue>), Error> {
    match style {
        SchemaStyle::OpenApi => Ok((Some(schema::to_openapi(&parse_json(what, text)?)?), None)),
        // as it is, because the vendor writes properties in the order of the schema
        SchemaStyle::Json => serde_json::from_str(text)
            .map(|raw| (None, Some(raw)))
            .map_err(|error| Error::invalid_request(format!("{what} is no JSON: {error}"))),
    }
}

fn tool_config(model: &str, request: &ChatRequest) -> Option<Value> {
    let strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    let config = match &request.tool_choice {
        // constrains calls to their schemas and leaves the choice to the model
        ToolChoice::Auto if strict && generation(model) != Generation::Legacy => {
            json!({"mode": "VALIDATED"})
        }
        ToolChoice::Auto => return None,
        ToolChoice::None if request.tools.is_empty() => return None,
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    Some(json!({ "functionCallingConfig": config }))
}

fn generation_config<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings,
) -> Result<GenerationConfig<'a>, Error> {
    let sampling = &request.sampling;
    let seed = sampling.seed.map(i32::try_from).transpose().map_err(|_| {
        Error::invalid_request("Gemini takes a seed of 32 bits: use a smaller number")
    })?;
    let mut config = GenerationConfig {
        max_output_tokens: sampling.max_tokens,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        seed,
        stop_sequences: &sampling.stop,
        frequency_penalty: sampling.frequency_penalty,
        presence_penalty: sampling.presence_penalty,
        thinking_config: thinking::config(model, request, settings)?,
        ..GenerationConfig::default()
    };
    if !matches!(request.response_format, ResponseFormat::Text) {
        config.response_mime_type = Some("application/json");
    }
    if let ResponseFormat::JsonSchema(format) = &request.response_format {
        let what = "the schema of the answer";
        (config.response_schema, config.response_json_schema) =
            schema_fields(what, &format.schema, settings.schema)?;
    }
    Ok(config)
}

fn safety_settings(settings: &Settings) -> Option<Value> {
    match settings.safety_settings.as_ref()? {
        Value::Null => None,
        Value::String(threshold) => Some(
            HARMS
                .iter()
                .map(|category| json!({"category": category, "threshold": threshold}))
                .collect(),
        ),
        list => Some(list.clone()),
    }
}

#[cfg(test)]
mod tests;
