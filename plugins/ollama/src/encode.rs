//! From a unified request to a description of `POST /api/chat`, or of `POST /api/generate` for what only
//! that knows: a template, a raw prompt, a text to be filled in.
//!
//! Refuses what Ollama would silently ignore. What a model cannot do Ollama refuses itself.

mod messages;
mod prompt;

use multillm_plugin_sdk::able::Able;
use multillm_plugin_sdk::body::{Open, json_body, raw_object};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{
    ChatRequest, Effort, Error, Framing, Method, Mode, Request, ResponseFormat, Sampling, Target,
    ToolChoice,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::headers;
use crate::wire::{Chat, Format, Prompt, Tool, Way};

/// The settings that `describe` lists; what Ollama gets as it stands is kept as it is written.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Settings {
    keep_alive: Option<Box<RawValue>>,
    think: Option<Box<RawValue>>,
    num_ctx: Option<u64>,
    truncate: Option<bool>,
    shift: Option<bool>,
    options: Option<Box<RawValue>>,
    api: Option<Api>,
    raw: Option<bool>,
    template: Option<String>,
}

/// Which call answers.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Api {
    Chat,
    Generate,
}

impl Settings {
    /// `/api/generate` where it is asked for, or something that only it knows.
    fn api(&self, extra: &Json<'_>) -> Api {
        const ONLY_THERE: [&str; 5] = ["raw", "template", "suffix", "context", "prompt"];
        let named = ONLY_THERE.iter().any(|name| extra.get(name).is_some());
        let set = self.raw.is_some() || self.template.is_some();
        self.api.unwrap_or(match named || set {
            true => Api::Generate,
            false => Api::Chat,
        })
    }

    /// What of the model's options a request chooses.
    fn options<'a>(&'a self, sampling: &'a Sampling) -> Result<Json<'a>, Error> {
        let mut options = tree("options", self.options.as_deref())?.unwrap_or(Json::object([]));
        if !matches!(options, Json::Object(_)) {
            return Err(Error::invalid_request(
                "settings: options is no JSON object",
            ));
        }
        if let Some(tokens) = self.num_ctx {
            options.merge(Json::object([("num_ctx", Json::Unsigned(tokens))]));
        }
        sample(&mut options, sampling);
        Ok(options)
    }
}

pub(crate) fn chat(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
    let able = Able {
        // A model that draws does so by itself.
        outputs: &["image"],
        ..Able::default()
    };
    let mut leaving = Leaving::of(request);
    request.within_or("ollama", able, &mut leaving)?;
    let settings: Settings = target.settings()?;
    let think = match request.effort() {
        Some(effort) => Some(think(effort)),
        None => tree("think", settings.think.as_deref())?,
    };
    let options = settings.options(&request.sampling)?;
    // An `extra` that cannot be read is reported by `json_body`.
    let extra = Json::parse(request.extra.as_deref().unwrap_or_default()).unwrap_or_default();
    let api = settings.api(&extra);
    let (stream, framing) = match mode {
        Mode::Whole => (false, Framing::Whole),
        Mode::Stream => (true, Framing::Ndjson),
    };
    let way = || {
        Ok::<_, Error>(Way {
            stream,
            format: format(&request.response_format)?,
            think: think.as_ref(),
            keep_alive: settings.keep_alive.as_deref(),
            truncate: settings.truncate,
            shift: settings.shift,
            options: (options != Json::object([])).then_some(&options),
        })
    };
    let (call, body) = match api {
        Api::Chat => {
            let body = json_body(request, |blobs| {
                Ok(Chat {
                    model: &target.model,
                    messages: messages::conversation(&request.messages, blobs)?,
                    tools: tools(request, &mut leaving)?,
                    way: way()?,
                })
            })?;
            ("chat", body)
        }
        Api::Generate => {
            let body = json_body(request, |blobs| {
                let said = prompt::of(request, blobs)?;
                Ok(Prompt {
                    model: &target.model,
                    prompt: said.prompt,
                    system: said.system,
                    images: said.images,
                    template: settings.template.as_deref(),
                    raw: settings.raw,
                    way: way()?,
                })
            })?;
            ("generate", body)
        }
    };
    Ok(Request {
        method: Method::Post,
        path: vec!["api".into(), call.into()],
        query: vec![],
        headers: headers(stream),
        body,
        framing,
        warnings: leaving.warnings(),
    })
}

/// A setting as a tree that keeps its order and its digits.
fn tree<'a>(name: &str, raw: Option<&'a RawValue>) -> Result<Option<Json<'a>>, Error> {
    let parsed = raw.map(|raw| Json::parse(raw.get())).transpose();
    parsed.map_err(|error| Error::invalid_request(format!("settings: {name}: {error}")))
}

/// Levels mean something to a few models only; to the others each of them means "on". The
/// names sent are those that every server of the last years accepts.
fn think(effort: Effort<'_>) -> Json<'_> {
    match effort {
        Effort::None => false.into(),
        Effort::Minimal | Effort::Low => "low".into(),
        Effort::Medium => "medium".into(),
        Effort::High => "high".into(),
        Effort::Max => "max".into(),
        Effort::Other(word) => word.into(),
    }
}

fn sample<'a>(options: &mut Json<'a>, sampling: &'a Sampling) {
    let stop = sampling.stop.iter().map(|text| text.as_str().into());
    let stop = (!sampling.stop.is_empty()).then(|| Json::List(stop.collect()));
    let chosen = [
        ("num_predict", sampling.max_tokens.map(Json::from)),
        ("temperature", sampling.temperature.map(Json::from)),
        ("top_p", sampling.top_p.map(Json::from)),
        ("top_k", sampling.top_k.map(Json::from)),
        ("seed", sampling.seed.map(Json::from)),
        (
            "frequency_penalty",
            sampling.frequency_penalty.map(Json::from),
        ),
        (
            "presence_penalty",
            sampling.presence_penalty.map(Json::from),
        ),
        ("stop", stop),
    ];
    for (name, value) in chosen {
        if let Some(value) = value {
            options.merge(Json::object([(name, value)]));
        }
    }
}

/// Ollama has no tool choice: no tools are sent where none may be called, and nothing can
/// make a model call one.
fn tools<'a>(
    request: &'a ChatRequest,
    leaving: &mut Leaving,
) -> Result<Vec<Open<'a, Tool<'a>>>, Error> {
    let unforced = || Ok(());
    match &request.tool_choice {
        ToolChoice::Auto => {}
        ToolChoice::None => return Ok(vec![]),
        // Some of the tools are refused before, or said to be left out.
        ToolChoice::Required | ToolChoice::OneOf(_) => {
            let refused = Error::unsupported(
                "ollama cannot require a tool call: leave the choice to the model",
            );
            leaving.or_else("tool_choice", Err(refused), unforced)?;
        }
        ToolChoice::Named(name) => {
            let refused = Error::unsupported(format!(
                "ollama cannot force the tool \"{name}\": give only that tool and leave the choice to the model"
            ));
            leaving.or_else("tool_choice", Err(refused), unforced)?;
        }
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        let refused =
            Error::unsupported("ollama cannot rule out parallel tool calls: do not ask for it");
        leaving.or_else("parallel_tool_calls", Err(refused), unforced)?;
    }
    let tools = request.tools.iter();
    tools.map(|tool| offer(tool, leaving)).collect()
}

fn offer<'a>(
    tool: &'a multillm_plugin_sdk::Tool,
    leaving: &mut Leaving,
) -> Result<Open<'a, Tool<'a>>, Error> {
    if tool.strict == Some(true) {
        let refused = Error::unsupported(format!(
            "ollama cannot enforce a tool's schema: do not mark \"{}\" as strict",
            tool.name
        ));
        leaving.or_else("strict", Err(refused), || Ok(()))?;
    }
    let name = tool.name.as_str();
    let schema = tool.schema("ollama")?;
    let parameters = raw_object(&format!("the schema of tool \"{name}\""), schema)?;
    let offer = Tool::Function {
        name,
        description: tool.description.as_deref(),
        parameters,
    };
    Open::new(offer, &format!("tool {name:?}"), tool.extra.as_deref())
}

fn format(wanted: &ResponseFormat) -> Result<Option<Format<'_>>, Error> {
    Ok(match wanted {
        ResponseFormat::Text => None,
        ResponseFormat::Json => Some(Format::Any("json")),
        ResponseFormat::JsonSchema(wanted) => Some(Format::Schema(raw_object(
            "the schema of the answer",
            &wanted.schema,
        )?)),
    })
}

/// What of the settings holds for vectors too, as members of a body.
///
/// # Errors
///
/// `invalid-request` for settings that do not fit.
pub(crate) fn of_vectors(target: &Target) -> Result<Json<'static>, Error> {
    let settings: Settings = target.settings()?;
    let mut members = Vec::new();
    if let Some(truncate) = settings.truncate {
        members.push(("truncate".into(), truncate.into()));
    }
    if let Some(keep) = tree("keep_alive", settings.keep_alive.as_deref())? {
        members.push(("keep_alive".into(), keep.into_owned()));
    }
    let sampling = ChatRequest::default().sampling;
    let options = settings.options(&sampling)?;
    if options != Json::object([]) {
        members.push(("options".into(), options.into_owned()));
    }
    Ok(Json::Object(members))
}

#[cfg(test)]
mod tests;
