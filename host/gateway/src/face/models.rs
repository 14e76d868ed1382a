//! Lists of models, in the shapes that clients ask for.

use serde_json::{Value, json};

use super::framing::put;
use super::{framing, ollama};

/// A model as a list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The name that a request names.
    pub id: String,
    /// A name for people; the id where it is empty.
    pub title: String,
    /// Who answers: the provider's name.
    pub owner: String,
    /// Seconds since 1970; 0 where nobody knows.
    pub created: u64,
    /// Tokens of the context window.
    pub context: Option<u64>,
    /// The most tokens of an answer.
    pub output: Option<u64>,
    /// It takes tools.
    pub tools: bool,
    /// It takes pictures.
    pub vision: bool,
    /// It shows its thoughts.
    pub thinking: bool,
    /// It makes vectors.
    pub embedding: bool,
}

impl Entry {
    fn title(&self) -> &str {
        match self.title.as_str() {
            "" => &self.id,
            title => title,
        }
    }
}

/// Which part of a list is asked for: Anthropic's list has pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many; 20 by default.
    pub limit: Option<usize>,
    /// Those behind this model.
    pub after: Option<String>,
    /// Those before this model.
    pub before: Option<String>,
}

/// OpenAI's list. Codex asks at the same place and looks for `models`: what it wants there of each model holds the
/// instructions that it works by, which nobody here may write for it, so that it finds none and goes by its own.
#[must_use]
pub fn openai(models: &[Entry]) -> Vec<u8> {
    let data: Vec<Value> = models.iter().map(openai_entry).collect();
    framing::body(&json!({ "object": "list", "data": data }))
}

/// The list for Codex (`GET /models?client_version=…`): see [`openai`].
#[must_use]
pub fn codex(models: &[Entry]) -> Vec<u8> {
    let data: Vec<Value> = models.iter().map(openai_entry).collect();
    framing::body(&json!({ "models": [], "object": "list", "data": data }))
}

/// One model of OpenAI's list.
#[must_use]
pub fn openai_one(model: &Entry) -> Vec<u8> {
    framing::body(&openai_entry(model))
}

fn openai_entry(model: &Entry) -> Value {
    let mut entry = json!({
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
    });
    if let Some(context) = model.context {
        put(&mut entry, "context_length", context);
    }
    entry
}

/// A page of Anthropic's list.
#[must_use]
pub fn anthropic(models: &[Entry], page: &Page) -> Vec<u8> {
    let at = |id: &Option<String>| {
        let id = id.as_deref()?;
        models.iter().position(|model| model.id == id)
    };
    let start = at(&page.after).map_or(0, |at| at + 1);
    let end = at(&page.before).unwrap_or(models.len());
    let limit = page.limit.unwrap_or(20).clamp(1, 1000);
    let all = models.get(start..end.max(start)).unwrap_or_default();
    let shown = all.get(..limit.min(all.len())).unwrap_or_default();
    let data: Vec<Value> = shown.iter().map(anthropic_entry).collect();
    framing::body(&json!({
        "data": data,
        "has_more": all.len() > shown.len(),
        "first_id": shown.first().map(|model| &model.id),
        "last_id": shown.last().map(|model| &model.id),
    }))
}

/// One model of Anthropic's list.
#[must_use]
pub fn anthropic_one(model: &Entry) -> Vec<u8> {
    framing::body(&anthropic_entry(model))
}

fn anthropic_entry(model: &Entry) -> Value {
    let mut entry = json!({
        "type": "model",
        "id": model.id,
        "display_name": model.title(),
        "created_at": ollama::time(model.created, 0).replace(".000000000", ""),
    });
    if let Some(context) = model.context {
        put(&mut entry, "max_input_tokens", context);
    }
    if let Some(output) = model.output {
        put(&mut entry, "max_tokens", output);
    }
    entry
}

/// Gemini's list.
#[must_use]
pub fn gemini(models: &[Entry]) -> Vec<u8> {
    let list: Vec<Value> = models.iter().map(gemini_entry).collect();
    framing::body(&json!({ "models": list }))
}

/// One model of Gemini's list.
#[must_use]
pub fn gemini_one(model: &Entry) -> Vec<u8> {
    framing::body(&gemini_entry(model))
}

fn gemini_entry(model: &Entry) -> Value {
    let methods = match model.embedding {
        true => json!(["embedContent", "batchEmbedContents"]),
        false => json!(["generateContent", "streamGenerateContent", "countTokens"]),
    };
    let mut entry = json!({
        "name": format!("models/{}", model.id),
        "displayName": model.title(),
        "supportedGenerationMethods": methods,
    });
    if let Some(context) = model.context {
        put(&mut entry, "inputTokenLimit", context);
    }
    if let Some(output) = model.output {
        put(&mut entry, "outputTokenLimit", output);
    }
    entry
}

/// The version of Ollama's interface that is spoken: clients ask before they use what is newer.
pub const OLLAMA_VERSION: &str = "0.12.6";

/// `GET /api/version`.
#[must_use]
pub fn ollama_version() -> Vec<u8> {
    framing::body(&json!({ "version": OLLAMA_VERSION }))
}

/// `GET /api/tags`.
#[must_use]
pub fn ollama_tags(models: &[Entry]) -> Vec<u8> {
    let list: Vec<Value> = models.iter().map(ollama_entry).collect();
    framing::body(&json!({ "models": list }))
}

fn ollama_entry(model: &Entry) -> Value {
    json!({
        "name": model.id,
        "model": model.id,
        "modified_at": ollama::time(model.created, 0),
        "size": 0,
        "digest": "",
        "details": details(model),
        "capabilities": capabilities(model),
    })
}

fn details(model: &Entry) -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": model.owner,
        "families": [model.owner],
        "parameter_size": "",
        "quantization_level": "",
    })
}

fn capabilities(model: &Entry) -> Vec<&'static str> {
    let able = [
        ("completion", !model.embedding),
        ("tools", model.tools),
        ("vision", model.vision),
        ("thinking", model.thinking),
        ("embedding", model.embedding),
    ];
    let able = able.into_iter().filter_map(|(name, is)| is.then_some(name));
    able.collect()
}

/// `POST /api/show`.
#[must_use]
pub fn ollama_show(model: &Entry) -> Vec<u8> {
    let mut info =
        json!({ "general.architecture": model.owner, "general.basename": model.title() });
    if let Some(context) = model.context {
        put(
            &mut info,
            &format!("{}.context_length", model.owner),
            context,
        );
    }
    framing::body(&json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": details(model),
        "model_info": info,
        "capabilities": capabilities(model),
        "modified_at": ollama::time(model.created, 0),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<Entry> {
        let entry = |id: &str| Entry {
            id: id.to_owned(),
            owner: "claude".to_owned(),
            created: 1_760_000_000,
            context: Some(200_000),
            tools: true,
            ..Entry::default()
        };
        ["a", "b", "c"].map(entry).to_vec()
    }

    fn value(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    #[test]
    fn anthropics_list_has_pages() {
        let page = |limit, after: Option<&str>| {
            let page = Page {
                limit,
                after: after.map(str::to_owned),
                before: None,
            };
            let list = value(&anthropic(&list(), &page));
            let ids = list["data"].as_array().unwrap().iter();
            let ids: Vec<String> = ids
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            (ids.join(""), list["has_more"].as_bool().unwrap())
        };
        assert_eq!(page(None, None), ("abc".to_owned(), false));
        assert_eq!(page(Some(2), None), ("ab".to_owned(), true));
        assert_eq!(page(Some(2), Some("b")), ("c".to_owned(), false));
        assert_eq!(page(Some(0), Some("c")), (String::new(), false));
        let none = value(&anthropic(&[], &Page::default()));
        assert_eq!(none["first_id"], Value::Null);
        let one = value(&anthropic_one(&list()[0]));
        assert_eq!(one["created_at"], "2025-10-09T08:53:20Z");
    }

    #[test]
    fn each_client_finds_its_shape() {
        assert_eq!(value(&openai(&list()))["data"][2]["id"], "c");
        assert_eq!(value(&codex(&list()))["models"], json!([]));
        assert_eq!(value(&gemini(&list()))["models"][0]["name"], "models/a");
        let tags = value(&ollama_tags(&list()));
        assert_eq!(tags["models"][1]["name"], "b");
        let show = value(&ollama_show(&list()[0]));
        assert_eq!(show["capabilities"], json!(["completion", "tools"]));
        assert_eq!(show["model_info"]["claude.context_length"], 200_000);
    }
}
