//! Azure OpenAI: OpenAI's wire under a resource of one's own.
//!
//! Three faces: the v1 API (the deployment is the body's `model`), the dated API (the
//! deployment stands in the path, its version in the query), and the Foundry models
//! endpoint for models that are not OpenAI's.
#![forbid(unsafe_code)]

use multillm_plugin_sdk::openai::{
    APIS, Api as Ask, Auth, Dialect, MaxTokensField, OWN, Path, Place, Settings, Vendor,
    capabilities, segments,
};
use multillm_plugin_sdk::{Error, Info, Secret, Setting, Target, export_provider, words};

/// The plugin.
pub struct Azure;

#[derive(Clone, Copy, PartialEq)]
enum Api {
    V1,
    Deployments,
    Models,
}

/// The first version in which the dated API knows `max_completion_tokens` and the usage of
/// streams: <https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>.
const MODERN: &str = "2024-09-01";

const DATED: &str =
    "the deployments API needs its version: say api_version, such as 2024-10-21, in the settings";
const UNDATED: &str =
    "the v1 API has no dated versions: leave api_version out of the settings, or say preview";

/// The version of the models endpoint, which demands one.
const MODELS_VERSION: &str = "2024-05-01-preview";

impl Vendor for Azure {
    fn info() -> Info {
        let own = [
            (
                "api",
                "Which API: `v1`, `deployments` (dated) or `models` (Foundry, for models that are not OpenAI's); by default `deployments` with a dated `api_version`, otherwise `v1`. Or `responses` or `chat` (completions) of that API; `auto`, the default, is chat, but for models whose name says that they only speak Responses.",
                r#"{"enum":["v1","deployments","models","auto","chat","responses"]}"#,
            ),
            (
                "api_version",
                "The dated API's version, such as `2024-10-21`, or `preview` for the v1 API's preview. Default: none, which is the v1 API.",
                r#"{"type":"string"}"#,
            ),
            (
                "deployment",
                "The deployment's name. Default: the model's name.",
                r#"{"type":"string"}"#,
            ),
        ]
        .map(|(name, text, schema)| Setting::new(name, text, schema));
        Info {
            name: "azure".to_owned(),
            title: "Azure OpenAI".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://learn.microsoft.com/azure/ai-foundry/openai/reference"
                .to_owned(),
            default_base_url: None,
            base_url_env: vec!["AZURE_OPENAI_ENDPOINT".to_owned()],
            secrets: vec![Secret::api_key(&["AZURE_OPENAI_API_KEY"])],
            settings: own
                .into_iter()
                .chain(Settings::describe_responses())
                .chain(Settings::describe())
                .collect(),
            capabilities: capabilities(&[OWN]),
            wires: words(&["openai-chat", "openai-responses"]),
            passes: words(&[
                "x-ms-client-request-id",
                "x-client-request-id",
                "extra-parameters",
            ]),
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let settings = Settings::of(target)?;
        let version = settings.text("api_version")?;
        let dated = version.filter(|version| version.starts_with("20"));
        let apis = [
            ("v1", Api::V1),
            ("deployments", Api::Deployments),
            ("models", Api::Models),
        ];
        let usual = dated.map_or(Api::V1, |_| Api::Deployments);
        let asked = settings.text("api")?;
        let way = APIS.iter().find(|(word, _)| Some(*word) == asked);
        let api = match way {
            Some(_) => usual,
            None => settings.word("api", &apis)?.unwrap_or(usual),
        };
        let deployment = settings.text("deployment")?.map(str::to_owned);
        let (chat, models, version) = match (api, dated) {
            (Api::V1, None) => (
                Path::Fixed("openai/v1/chat/completions"),
                "openai/v1/models",
                version.filter(|version| *version != "v1"),
            ),
            (Api::V1, Some(_)) => return Err(Error::invalid_request(UNDATED)),
            (Api::Deployments, None) => return Err(Error::invalid_request(DATED)),
            (Api::Deployments, dated) => {
                let mut path = segments("openai/deployments");
                path.push(deployment.clone().unwrap_or_else(|| target.model.clone()));
                path.extend(segments("chat/completions"));
                (Path::Segments(path), "openai/models", dated)
            }
            (Api::Models, dated) => (
                Path::Fixed("models/chat/completions"),
                "openai/v1/models",
                dated.or(Some(MODELS_VERSION)),
            ),
        };
        let (responses, embeddings) = places(api, version, deployment.as_deref(), target);
        let former = api == Api::Deployments && version.is_some_and(|version| version < MODERN);
        let query = dated_query(version);
        let mut dialect = Dialect {
            name: "azure",
            chat_path: chat,
            models_path: Path::Fixed(models),
            responses: Some(responses),
            api: way.map_or(Ask::Auto, |(_, way)| *way),
            embeddings: Some(embeddings),
            query,
            auth: Auth::Header("api-key".to_owned()),
            model_in_body: api != Api::Deployments,
            additions: api != Api::Models,
            model: deployment,
            stream_usage: !former,
            reasoning_system_role: "system".into(),
            ..Dialect::default()
        };
        if former || api == Api::Models {
            dialect.max_tokens_field = MaxTokensField::MaxTokens;
        }
        dialect.with(&settings)
    }
}

fn dated_query(version: Option<&str>) -> Vec<(String, String)> {
    let pair = |version: &str| ("api-version".to_owned(), version.to_owned());
    version.map(pair).into_iter().collect()
}

/// Where bodies of the Responses API and those for embeddings go. The models endpoint has no
/// Responses API of its own: its models answer under the v1 API.
fn places(
    api: Api,
    version: Option<&str>,
    deployment: Option<&str>,
    target: &Target,
) -> (Place, Place) {
    let query = dated_query(version);
    match api {
        Api::V1 => {
            let at = |path| Place {
                query: query.clone(),
                ..Place::new(path)
            };
            (at("openai/v1/responses"), at("openai/v1/embeddings"))
        }
        Api::Deployments => {
            let mut path = segments("openai/deployments");
            path.push(deployment.unwrap_or(&target.model).to_owned());
            path.push("embeddings".to_owned());
            let responses = Place {
                query: query.clone(),
                ..Place::new("openai/responses")
            };
            let embeddings = Place {
                path: Path::Segments(path),
                query,
                model_in_body: false,
            };
            (responses, embeddings)
        }
        Api::Models => {
            let embeddings = Place {
                query,
                ..Place::new("models/embeddings")
            };
            (Place::new("openai/v1/responses"), embeddings)
        }
    }
}

export_provider!(Azure, models, embeddings, tokens, relay);

#[cfg(test)]
mod tests;
