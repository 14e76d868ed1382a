//! Which way a caller's request goes to a model. A policy without I/O.

use crate::config::{Lane as Wish, Model};
use crate::error::Result;
use crate::plugin::wire::Info;
use crate::service::exchange::Peer;
use crate::service::{MultiLlmService, router};

/// The way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The caller's bytes.
    Relay,
    /// The unified request.
    Translate,
}

/// Settings that say where a body goes, how it is answered, or what holds where a request says nothing. Any other
/// describes what a server understands, or is not known here: then the body has to be written for it.
const INDIFFERENT: [&str; 26] = [
    "api",
    "api_version",
    "auth",
    "auth_header",
    "beta",
    "bill_to",
    "citation_mode",
    "client_name",
    "deployment",
    "done_marker",
    "include_thoughts",
    "keep_alive",
    "max_tokens",
    "num_ctx",
    "options",
    "organization",
    "project",
    "safety_mode",
    "safety_settings",
    "shift",
    "think",
    "thinking",
    "thinking_budget",
    "thinking_display",
    "thinking_level",
    "truncate",
];

/// The way to one model of a body in this wire.
fn choose(model: &Model, info: &Info, relays: bool, wire: &str) -> Lane {
    let speaks = relays && info.wires.iter().any(|known| known == wire);
    let changes = || {
        let settings = model.endpoint.settings.keys();
        !model.extra.is_empty()
            || model.system.is_some()
            || settings
                .into_iter()
                .any(|name| !INDIFFERENT.contains(&name))
    };
    match model.lane {
        _ if !speaks => Lane::Translate,
        // Filters read the unified request; bytes that passed them by would pass for filtered.
        _ if !model.filters.is_empty() => Lane::Translate,
        Some(Wish::Translate) => Lane::Translate,
        Some(Wish::Relay) => Lane::Relay,
        None if changes() => Lane::Translate,
        None => Lane::Relay,
    }
}

impl MultiLlmService {
    /// The way to a model or route of a body in this wire: a relay where all models behind the name speak it, none of
    /// them has filters or is configured to change the body (`extra`, `system`, settings that describe a dialect), and no `lane`
    /// says otherwise. Loads plugins that are not loaded yet.
    ///
    /// # Errors
    ///
    /// `configuration`: there is no such model, or a plugin cannot be used.
    pub async fn lane(&self, model: &str, wire: &str) -> Result<Lane> {
        let state = self.state();
        let plan = router::plan(&state.config, &self.inner.live, model)?;
        for model in &plan.models {
            let plugin = state.plugin(&model.provider.plugin).await?;
            if choose(model, plugin.info(), plugin.relays(), wire) == Lane::Translate {
                return Ok(Lane::Translate);
            }
        }
        Ok(Lane::Relay)
    }

    /// The wires in which the models behind a name are asked by the unified request.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::lane`].
    pub async fn wires(&self, model: &str) -> Result<Vec<String>> {
        let state = self.state();
        let plan = router::plan(&state.config, &self.inner.live, model)?;
        let mut wires = vec![];
        for model in &plan.models {
            let own = Peer::wire(&state, &self.inner.env, model).await?;
            if !wires.contains(&own) {
                wires.push(own);
            }
        }
        Ok(wires)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Env};

    fn lane(model: &str, relays: bool, wire: &str) -> Lane {
        let text =
            format!(r#"{{"models": {{"m": {{"provider": "openai", {model} "enabled": true}}}}}}"#);
        let config = Config::from_json_str(&text, Path::new("."), &Env::default()).unwrap();
        let info = Info {
            name: "openai".to_owned(),
            title: String::new(),
            version: String::new(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: vec![],
            capabilities: vec![],
            wires: vec!["openai-chat".to_owned(), "openai-responses".to_owned()],
            passes: vec![],
        };
        choose(&config.model("m").unwrap(), &info, relays, wire)
    }

    #[test]
    fn bytes_are_kept_where_nothing_asks_for_a_change() {
        for (model, expected) in [
            ("", Lane::Relay),
            (r#""max_tokens": 5, "temperature": 0.5,"#, Lane::Relay),
            (
                r#""settings": {"organization": "o", "done_marker": "optional"},"#,
                Lane::Relay,
            ),
            (
                r#""settings": {"max_tokens_field": "max_tokens"},"#,
                Lane::Translate,
            ),
            (r#""extra": {"a": 1},"#, Lane::Translate),
            (r#""system": "Be brief.","#, Lane::Translate),
            (r#""lane": "translate","#, Lane::Translate),
            (
                r#""lane": "relay", "settings": {"flat_content": true},"#,
                Lane::Relay,
            ),
        ] {
            assert_eq!(lane(model, true, "openai-responses"), expected, "{model}");
            assert_eq!(lane(model, true, "gemini"), Lane::Translate, "{model}");
            assert_eq!(
                lane(model, false, "openai-chat"),
                Lane::Translate,
                "{model}"
            );
        }
    }
}
