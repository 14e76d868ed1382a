//! Keeps personal data from a vendor: addresses of e-mail, telephone numbers, numbers of cards and of bank accounts
//! (IBAN) are replaced by placeholders such as `[EMAIL_1]` before anything is sent, and put back where the answer
//! names them, in text, thoughts, arguments of tools and citations, also where a placeholder comes in pieces.
//!
//! The same value has the same placeholder throughout a conversation, numbered as they come, so that a conversation
//! which goes on is sent as it was. What is in pictures and files is not looked at.

mod find;
mod vault;

use multillm_plugin_sdk::filter::pieces::Pieces;
use multillm_plugin_sdk::filter::{Answer, Filter, Info, Prepared, Stop, export_filter, texts};
use multillm_plugin_sdk::{ChatEvent, ChatRequest, Part};
use serde::Deserialize;

use find::{Kind, find};
use vault::{Restoring, Vault};

/// The filter.
pub struct Pii;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    kinds: Vec<Kind>,
    restore: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            kinds: Kind::ALL.to_vec(),
            restore: true,
        }
    }
}

impl Filter for Pii {
    type Answer = Restored;

    fn describe() -> Info {
        Info::new(
            "pii",
            "Personal data",
            env!("CARGO_PKG_VERSION"),
            "docs/filters.md",
        )
        .setting(
            "kinds",
            "what is kept back; default: all of it",
            r#"{"type":"array","items":{"enum":["email","phone","card","iban"]}}"#,
        )
        .setting(
            "restore",
            "whether it is put back into the answer; default: true",
            r#"{"type":"boolean"}"#,
        )
    }

    fn prepare(settings: &str, mut request: ChatRequest) -> Result<Prepared<Restored>, Stop> {
        let settings: Settings = serde_json::from_str(settings)
            .map_err(|error| Stop::misconfigured(format!("settings: {error}")))?;
        let mut vault = Vault::default();
        // A placeholder that somebody wrote is no placeholder of ours.
        let mut taken = false;
        texts::each(&mut request, |text| taken |= vault.reserve(text));
        place_citations(&mut request, &mut vault, &settings.kinds);
        let mut changed = false;
        texts::each(&mut request, |text| {
            if let Some(without) = vault.hide(text, &settings.kinds) {
                *text = without;
                changed = true;
            }
        });
        if !changed {
            return Ok(Prepared::unchanged());
        }
        let prepared = Prepared::changed(request);
        Ok(match settings.restore {
            true => prepared.reading(Restored::new(vault)),
            false => prepared,
        })
    }
}

/// Citations point at characters of their text: they are moved with what is replaced before them.
fn place_citations(request: &mut ChatRequest, vault: &mut Vault, kinds: &[Kind]) {
    let parts = request.messages.iter_mut().flat_map(|one| &mut one.content);
    for part in parts {
        let Part::Text(text) = part else { continue };
        let placed = text.citations.iter().any(|one| one.start.is_some());
        if !placed {
            continue;
        }
        let moved = vault.moves(&text.text, &find(&text.text, kinds));
        for citation in &mut text.citations {
            citation.start = citation.start.map(|at| vault::moved(at, &moved));
            citation.end = citation.end.map(|at| vault::moved(at, &moved));
        }
    }
}

/// Puts back what was kept back.
pub struct Restored {
    pieces: Pieces,
    restoring: Restoring,
}

impl Restored {
    fn new(vault: Vault) -> Self {
        Restored {
            pieces: Pieces::default(),
            restoring: Restoring::new(vault),
        }
    }
}

impl Answer for Restored {
    fn event(&mut self, event: ChatEvent, said: &mut Vec<ChatEvent>) {
        match event {
            ChatEvent::Citation(mut citation) => {
                // The text that it is of is said first, and tells what was moved.
                self.pieces.end(&mut self.restoring, said);
                for text in [&mut citation.title, &mut citation.cited_text]
                    .into_iter()
                    .flatten()
                {
                    *text = self.restoring.restored(text);
                }
                let moved = self.restoring.moves();
                citation.start = citation.start.map(|at| vault::moved(at, moved));
                citation.end = citation.end.map(|at| vault::moved(at, moved));
                said.push(ChatEvent::Citation(citation));
            }
            event => {
                let begins_another = !matches!(
                    event,
                    ChatEvent::Text(_) | ChatEvent::Finished(_) | ChatEvent::ToolCallDelta(_)
                );
                self.pieces.event(event, &mut self.restoring, said);
                if begins_another {
                    self.restoring.another_part();
                }
            }
        }
    }
}

export_filter!(Pii);

#[cfg(test)]
mod tests;
