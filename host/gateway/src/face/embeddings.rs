//! Texts become vectors, in the forms of four wires.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::Result;
use multillm::chat::{EmbedRequest, Usage};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::asked::Notes;
use super::body::{Fault, Object, Read, elements, is_text, string};
use super::framing;

/// Where a request for vectors came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `POST /v1/embeddings`.
    OpenAi,
    /// `POST /api/embed`.
    Ollama,
    /// `POST /api/embeddings`: one prompt, one vector.
    OllamaPrompt,
    /// `POST /v1beta/models/{model}:embedContent`.
    Gemini,
    /// `POST /v1beta/models/{model}:batchEmbedContents`.
    GeminiBatch,
    /// `POST /v2/embed`.
    Cohere,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    form: Form,
    /// The model, where the body names it.
    pub model: Option<String>,
    /// The request. What nobody here understands is its `extra`, for a plugin of the same wire alone.
    pub request: EmbedRequest,
    /// The members of `extra` that mean something: what is lost where another wire is spoken.
    pub lost: Vec<String>,
    /// Numbers are wanted as the bytes of 32-bit floats, little end first, in base64.
    base64: bool,
}

/// Vectors and what they took.
#[derive(Debug, Clone, Copy)]
pub struct Vectors<'a> {
    /// One for each input, in order.
    pub vectors: &'a [Vec<f32>],
    /// By rule input alone.
    pub usage: &'a Usage,
}

impl Asked {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// `invalid_request` that names the member which cannot be read.
    pub fn read(form: Form, body: &[u8]) -> Result<Self> {
        let text =
            std::str::from_utf8(body).map_err(|_| Fault::at("", "the body is no UTF-8 text"))?;
        Ok(read(form, &Object::parse(text)?)?)
    }

    /// The body of the answer. `model` is what it says of who answers.
    #[must_use]
    pub fn answer(&self, model: &str, made: Vectors<'_>) -> Vec<u8> {
        let Vectors { vectors, usage } = made;
        match self.form {
            Form::OpenAi => self.openai(model, vectors, usage),
            Form::Ollama => framing::body(&Sized {
                model,
                embeddings: vectors,
                total_duration: 0,
                load_duration: 0,
                prompt_eval_count: usage.prompt_tokens,
            }),
            Form::OllamaPrompt => framing::body(&One {
                embedding: vectors.first().map_or(&[][..], Vec::as_slice),
            }),
            Form::Gemini => framing::body(&Single {
                embedding: Values::first(vectors),
            }),
            Form::GeminiBatch => framing::body(&Batch {
                embeddings: vectors.iter().map(|values| Values { values }).collect(),
            }),
            Form::Cohere => self.cohere(vectors, usage),
        }
    }

    fn openai(&self, model: &str, vectors: &[Vec<f32>], usage: &Usage) -> Vec<u8> {
        let vectors = vectors.iter().enumerate();
        let data = vectors.map(|(index, vector)| Entry {
            object: "embedding",
            index,
            embedding: match self.base64 {
                true => Numbers::Base64(packed(vector)),
                false => Numbers::Floats(vector),
            },
        });
        let prompt = usage.prompt_tokens;
        framing::body(&List {
            object: "list",
            data: data.collect(),
            model,
            usage: json!({ "prompt_tokens": prompt, "total_tokens": usage.total().or(prompt) }),
        })
    }

    fn cohere(&self, vectors: &[Vec<f32>], usage: &Usage) -> Vec<u8> {
        framing::body(&Cohere {
            id: "",
            texts: &self.request.inputs,
            embeddings: Floats { float: vectors },
            meta: match usage.prompt_tokens {
                Some(count) => {
                    json!({ "api_version": { "version": "2" }, "billed_units": { "input_tokens": count } })
                }
                None => json!({ "api_version": { "version": "2" } }),
            },
        })
    }
}

/// The bytes of the numbers, little end first.
fn packed(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    STANDARD.encode(bytes)
}

fn read(form: Form, body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    let model = match body.text("model")? {
        Some(name) if matches!(form, Form::Gemini | Form::GeminiBatch) => {
            Some(name.trim_start_matches("models/").to_owned())
        }
        model => model,
    };
    let mut asked = Asked {
        form,
        model,
        request: EmbedRequest::default(),
        lost: vec![],
        base64: false,
    };
    let hints: &[&str] = match form {
        Form::OpenAi => {
            asked.request.inputs = texts(body, "input")?;
            asked.request.dimensions = body.count("dimensions")?;
            asked.base64 = match body.text("encoding_format")?.as_deref() {
                None | Some("float") => false,
                Some("base64") => true,
                Some(other) => {
                    let what = format!("expected float or base64, not {other:?}");
                    return Err(Fault::at("encoding_format", what));
                }
            };
            &["user"]
        }
        Form::Ollama => {
            asked.request.inputs = texts(body, "input")?;
            asked.request.dimensions = body.count("dimensions")?;
            &["truncate", "keep_alive", "options"]
        }
        Form::OllamaPrompt => {
            asked.request.inputs = vec![body.required("prompt")?];
            &["keep_alive", "options"]
        }
        Form::Gemini => {
            gemini(body, &mut asked)?;
            &[]
        }
        Form::GeminiBatch => {
            for (at, value) in body
                .list("requests")?
                .unwrap_or_default()
                .into_iter()
                .enumerate()
            {
                let read = Object::of(value).and_then(|one| {
                    let name = one.text("model")?;
                    asked.model = name.map(|name| name.trim_start_matches("models/").to_owned());
                    gemini(&one, &mut asked)
                });
                read.map_err(|fault| fault.within(format!("requests[{at}]")))?;
            }
            &[]
        }
        Form::Cohere => {
            asked.request.inputs = texts(body, "texts")?;
            asked.request.dimensions = body.count("output_dimension")?;
            asked.request.purpose = body.text("input_type")?.map(|kind| match kind.as_str() {
                "search_query" => "query".to_owned(),
                "search_document" => "document".to_owned(),
                _ => kind,
            });
            let types: Option<Vec<String>> = body.get("embedding_types")?;
            if types.is_some_and(|types| types != ["float"]) {
                let what = "only float is made here: ask for float alone";
                return Err(Fault::at("embedding_types", what));
            }
            &["truncate"]
        }
    };
    if asked.request.inputs.is_empty() {
        return Err(Fault::at(
            "",
            "there is nothing to make a vector of: send a text",
        ));
    }
    notes.unread(body, hints, "");
    asked.lost = notes.places().map(str::to_owned).collect();
    asked.request.extra = body.rest()?;
    Ok(asked)
}

/// A text or a list of texts. Lists of tokens are of one model's alphabet, and no text can be made of them here.
fn texts(body: &Object<'_>, name: &str) -> Read<Vec<String>> {
    let value = body
        .raw(name)
        .ok_or_else(|| Fault::at(name, "is required"))?;
    let read = |value: &RawValue| match is_text(value) {
        true => string(value),
        false => Err(Fault::at("", "expected a text: tokens are not taken here")),
    };
    let read = match is_text(value) {
        true => string(value).map(|text| vec![text]),
        false => elements(value).and_then(|list| list.into_iter().map(read).collect()),
    };
    read.map_err(|fault| fault.within(name))
}

fn gemini(body: &Object<'_>, asked: &mut Asked) -> Read<()> {
    let content = body.object("content")?;
    let content = content.ok_or_else(|| Fault::at("content", "is required"))?;
    let mut text = String::new();
    for value in content.list("parts")?.unwrap_or_default() {
        text.push_str(&Object::of(value)?.required("text")?);
    }
    asked.request.inputs.push(text);
    let dimensions = body.count("outputDimensionality")?;
    asked.request.dimensions = dimensions.or(body.count("output_dimensionality")?);
    let purpose = body.text("taskType")?.or(body.text("task_type")?);
    asked.request.purpose = purpose.map(|kind| match kind.as_str() {
        "RETRIEVAL_QUERY" => "query".to_owned(),
        "RETRIEVAL_DOCUMENT" => "document".to_owned(),
        "SEMANTIC_SIMILARITY" => "similarity".to_owned(),
        "CLASSIFICATION" | "CLUSTERING" => kind.to_ascii_lowercase(),
        _ => kind,
    });
    Ok(())
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
    model: &'a str,
    usage: Value,
}

#[derive(Serialize)]
struct Entry<'a> {
    object: &'static str,
    index: usize,
    embedding: Numbers<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers<'a> {
    Floats(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct Sized<'a> {
    model: &'a str,
    embeddings: &'a [Vec<f32>],
    total_duration: u64,
    load_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_count: Option<u64>,
}

#[derive(Serialize)]
struct One<'a> {
    embedding: &'a [f32],
}

#[derive(Serialize)]
struct Values<'a> {
    values: &'a [f32],
}

impl<'a> Values<'a> {
    fn first(vectors: &'a [Vec<f32>]) -> Self {
        Values {
            values: vectors.first().map_or(&[][..], Vec::as_slice),
        }
    }
}

#[derive(Serialize)]
struct Single<'a> {
    embedding: Values<'a>,
}

#[derive(Serialize)]
struct Batch<'a> {
    embeddings: Vec<Values<'a>>,
}

#[derive(Serialize)]
struct Cohere<'a> {
    id: &'static str,
    texts: &'a [String],
    embeddings: Floats<'a>,
    meta: Value,
}

#[derive(Serialize)]
struct Floats<'a> {
    float: &'a [Vec<f32>],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(form: Form, body: &str) -> Value {
        let asked = Asked::read(form, body.as_bytes()).unwrap();
        let vectors = [vec![0.5_f32, -1.0], vec![0.25, 2.0]];
        let usage = Usage {
            prompt_tokens: Some(3),
            ..Usage::default()
        };
        let vectors = vectors.get(..asked.request.inputs.len()).unwrap();
        let made = Vectors {
            vectors,
            usage: &usage,
        };
        serde_json::from_slice(&asked.answer("m", made)).unwrap()
    }

    #[test]
    fn floats_and_bytes_say_the_same() {
        let floats = answer(Form::OpenAi, r#"{"model":"m","input":["a","b"]}"#);
        assert_eq!(floats["data"][1]["embedding"], json!([0.25, 2.0]));
        assert_eq!(
            floats["usage"],
            json!({ "prompt_tokens": 3, "total_tokens": 3 })
        );
        let packed = answer(
            Form::OpenAi,
            r#"{"model":"m","input":"a","encoding_format":"base64"}"#,
        );
        let text = packed["data"][0]["embedding"].as_str().unwrap();
        let bytes = STANDARD.decode(text).unwrap();
        let numbers = bytes
            .chunks(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()));
        assert_eq!(numbers.collect::<Vec<_>>(), [0.5, -1.0]);
    }

    #[test]
    fn every_form_is_read_and_answered_in_its_own() {
        let made = answer(
            Form::Ollama,
            r#"{"model":"m","input":["a","b"],"truncate":true}"#,
        );
        assert_eq!(made["embeddings"], json!([[0.5, -1.0], [0.25, 2.0]]));
        let made = answer(Form::OllamaPrompt, r#"{"model":"m","prompt":"a"}"#);
        assert_eq!(made["embedding"], json!([0.5, -1.0]));
        let made = answer(
            Form::Gemini,
            r#"{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"}"#,
        );
        assert_eq!(made["embedding"]["values"], json!([0.5, -1.0]));
        let batch = r#"{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]}},
            {"model":"models/x","content":{"parts":[{"text":"b"}]}}]}"#;
        assert_eq!(
            answer(Form::GeminiBatch, batch)["embeddings"][1]["values"],
            json!([0.25, 2.0])
        );
        let asked = Asked::read(Form::GeminiBatch, batch.as_bytes()).unwrap();
        assert_eq!(asked.model.as_deref(), Some("x"));
        let cohere = r#"{"model":"m","texts":["a"],"input_type":"search_query","embedding_types":["float"]}"#;
        assert_eq!(
            answer(Form::Cohere, cohere)["embeddings"]["float"],
            json!([[0.5, -1.0]])
        );
        let asked = Asked::read(Form::Cohere, cohere.as_bytes()).unwrap();
        assert_eq!(asked.request.purpose.as_deref(), Some("query"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_what_is_unknown_is_named() {
        for (body, part) in [
            (r#"{"model":"m"}"#, "input: is required"),
            (r#"{"model":"m","input":[]}"#, "nothing to make a vector of"),
            (r#"{"model":"m","input":[1,2]}"#, "tokens are not taken"),
            (
                r#"{"model":"m","input":"a","encoding_format":"x"}"#,
                "encoding_format",
            ),
            ("[]", "expected an object"),
        ] {
            let error = Asked::read(Form::OpenAi, body.as_bytes()).unwrap_err();
            assert!(error.message.contains(part), "{body}: {error}");
        }
        let body = br#"{"model":"m","input":"a","user":"u","x":1}"#;
        let asked = Asked::read(Form::OpenAi, body).unwrap();
        assert_eq!(asked.lost, ["x"]);
        assert_eq!(asked.request.extra.to_string(), r#"{"user":"u","x":1}"#);
    }
}
