//! Which model is asked where none is named: what the user chose, in the order of how near the choice
//! is; else what is at hand.

use std::time::Duration;

use serde::Serialize;

use super::MultiLlmService;
use crate::config::{BuiltIn, KeyState, built_in, chosen_model, chosen_model_file};
use crate::error::{Error, Result};
use crate::plugin::wire::ListedModel;

/// The variable that names the model. Never taken from a file.
pub const MODEL_VARIABLE: &str = "MULTILLM_MODEL";

/// How long a server on this machine may take to list its models. One that does not run says so at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// What vendors list beside models that chat, told by their names.
const NO_CHAT: [&str; 11] = [
    "embed",
    "whisper",
    "tts",
    "rerank",
    "moderation",
    "guard",
    "image",
    "audio",
    "video",
    "ocr",
    "transcribe",
];

/// Why a model is asked where none is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Because {
    /// The variable `MULTILLM_MODEL` names it.
    Variable,
    /// It is the configuration's `default_model`.
    Configuration,
    /// The user chose it once.
    Chosen,
    /// A key of its vendor is there: what gives it.
    Key(String),
    /// An Ollama answers and has it.
    Ollama,
}

/// The model that is asked where none is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UsualModel {
    /// Its name, such as `openai/gpt-5-mini`.
    pub model: String,
    /// Why it.
    pub because: Because,
}

impl std::fmt::Display for Because {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Because::Variable => write!(f, "{MODEL_VARIABLE} names it"),
            Because::Configuration => f.write_str("the configuration's default_model"),
            Because::Chosen => f.write_str("chosen with \"multillm model\""),
            Because::Key(source) => write!(f, "{source} is there"),
            Because::Ollama => f.write_str("Ollama answers"),
        }
    }
}

impl MultiLlmService {
    /// The model to ask where none is named: what `MULTILLM_MODEL` says, the configuration's
    /// `default_model`, what the user chose once, the first vendor whose key is there (in the order of
    /// [`built_in`]), the first model of an Ollama that answers.
    ///
    /// Nobody is asked anything before all that is written says nothing.
    ///
    /// # Errors
    ///
    /// `configuration`: there is none of all that, with the ways to begin; or the choice names no
    /// model. A vendor's refusal to list its models, where its key is all there is.
    pub async fn usual_model(&self) -> Result<UsualModel> {
        if let Some(usual) = self.written_model()? {
            return Ok(usual);
        }
        if let Some(usual) = self.model_by_key().await? {
            return Ok(usual);
        }
        match self.local_models().await {
            Some(models) => match models.first() {
                Some(model) => Ok(UsualModel {
                    model: format!("ollama/{}", model.id),
                    because: Because::Ollama,
                }),
                None => Err(Error::configuration(
                    "no model is named, and Ollama has none: \"ollama pull llama3.2\", or name one \
                     with --model",
                )),
            },
            None => Err(Error::configuration(self.ways_to_begin())),
        }
    }

    /// What is written somewhere: nobody is asked for it.
    ///
    /// # Errors
    ///
    /// `configuration`: what is written names no model.
    pub fn written_model(&self) -> Result<Option<UsualModel>> {
        let usual = |model: String, because| Some(UsualModel { model, because });
        let said =
            |error: Error, who: &str| Error::configuration(format!("{who}: {}", error.message));
        if let Some(model) = self.inner.env.own_var(MODEL_VARIABLE) {
            let model = model.trim().to_owned();
            self.knows(&model)
                .map_err(|error| said(error, MODEL_VARIABLE))?;
            return Ok(usual(model, Because::Variable));
        }
        if let Some(model) = &self.config().default_model {
            return Ok(usual(model.clone(), Because::Configuration));
        }
        let file = chosen_model_file(&self.inner.env).unwrap_or_default();
        let file = file.display();
        match chosen_model(&self.inner.env) {
            Ok(None) => Ok(None),
            Ok(Some(model)) => {
                let again = "choose another with \"multillm model NAME\"";
                self.knows(&model)
                    .map_err(|error| said(error, &format!("{file}, {again}")))?;
                Ok(usual(model, Because::Chosen))
            }
            Err(error) => Err(Error::configuration(format!(
                "{file}: {error}: choose a model with \"multillm model NAME\""
            ))),
        }
    }

    /// The model of the first vendor whose key is there.
    async fn model_by_key(&self) -> Result<Option<UsualModel>> {
        let config = self.config();
        for known in built_in().iter().filter(|known| known.needs_key) {
            let Some(provider) = config.provider(known.name).filter(|it| it.enabled) else {
                continue;
            };
            let endpoint = &provider.endpoint;
            let KeyState::There(source) = endpoint.key_state(&self.inner.env) else {
                continue;
            };
            if endpoint.lacks(&self.inner.env).is_some() || is_nameless(known) {
                continue;
            }
            let model = match known.model {
                Some(model) => model.to_owned(),
                None => {
                    let listed = self.vendor_models(known.name).await?;
                    match listed.into_iter().find(can_chat) {
                        Some(model) => model.id,
                        None => continue,
                    }
                }
            };
            return Ok(Some(UsualModel {
                model: format!("{}/{model}", known.name),
                because: Because::Key(source),
            }));
        }
        Ok(None)
    }

    /// The models of an Ollama that answers: on this machine, or where `OLLAMA_HOST` or the
    /// configuration say. Nothing where none answers soon.
    pub async fn local_models(&self) -> Option<Vec<ListedModel>> {
        // Compiling is no server's time.
        self.plugin_of("ollama").await.ok()?;
        let listing = self.vendor_models("ollama");
        let listed = tokio::time::timeout(PATIENCE, listing).await.ok()?;
        let mut models = listed.ok()?;
        models.retain(can_chat);
        Some(models)
    }

    /// What somebody can do who has nothing yet.
    fn ways_to_begin(&self) -> String {
        let ollama = self.config().provider("ollama");
        let standing = |endpoint: &crate::config::Endpoint| {
            crate::config::Standing::of(&self.inner.env, &endpoint.plugin, "", None)
        };
        let place = ollama
            .map(|provider| provider.endpoint.clone())
            .and_then(|endpoint| {
                endpoint
                    .base_url(&self.inner.env, &standing(&endpoint))
                    .ok()
            })
            .map_or_else(String::new, |url| {
                format!(" at {}", url.as_str().trim_end_matches('/'))
            });
        format!(
            "no model to ask: none is named or chosen, no vendor's key is there, and no Ollama \
             answers{place}. Three ways to begin:\n  \
             with a vendor's key:  multillm keys set openai     (or set OPENAI_API_KEY, \
             ANTHROPIC_API_KEY, GEMINI_API_KEY, …)\n  \
             on this machine:      ollama pull llama3.2         (https://ollama.com; then \
             multillm query hi --model ollama/llama3.2)\n  \
             with a file:          multillm config init         (models, routes, limits, budgets)\n\
             \"multillm list\" shows every vendor and what it lacks"
        )
    }
}

/// Its models are called as each customer likes.
fn is_nameless(known: &BuiltIn) -> bool {
    known.name == "azure"
}

fn can_chat(model: &ListedModel) -> bool {
    let name = model.id.to_lowercase();
    !NO_CHAT.iter().any(|word| name.contains(word))
}
