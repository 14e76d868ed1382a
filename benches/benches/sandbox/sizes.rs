//! What the length of a conversation costs: the same adapter, asked with 1 KB, 100 KB and 1 MB.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, Result};
use multillm::chat::{ChatMessage, ChatRequest};
use multillm::plugin::{Plugin, wire};
use multillm_plugin_sdk::testing::{ask, says};
use multillm_plugin_sdk::{Mode, Provider, Role, Target};

use crate::measure::Clock;
use crate::sample::{Sample, question};

/// Turns of 1 KB each.
const TURNS: [usize; 3] = [1, 100, 1_000];

/// Prints a row for each length.
pub(crate) async fn rows<P: Provider>(plugin: &Plugin, sample: &Sample) -> Result<()> {
    let name = plugin.info().name.clone();
    for turns in TURNS {
        let native = native::<P>(sample, turns);
        let request = conversation(turns);
        let mut whole = Clock::start();
        let mut encode = Clock::start();
        while whole.goes_on() {
            let response = wire::Response {
                status: sample.status,
                headers: sample.headers.clone(),
                body: sample.body.clone(),
            };
            let begun = Instant::now();
            let mut session = plugin.session().await?;
            let asked = Instant::now();
            let encoded = session.encode(&sample.target, &request, false).await?;
            encode.sample(asked, 1);
            black_box(encoded.context("refused")?);
            black_box(session.decode(&sample.target, response).await??);
            drop(session);
            whole.sample(begun, 1);
        }
        let encode = encode.median();
        println!(
            "| {name} | {turns} KB | {native:.1} | {encode:.1} ({:.1}×) | {:.1} |",
            encode / native,
            whole.median()
        );
    }
    Ok(())
}

/// A conversation of so many turns, the user's first and last.
fn conversation(turns: usize) -> ChatRequest {
    let said = |turn: usize| match turn % 2 {
        0 => ChatMessage::user(question()),
        _ => ChatMessage::assistant(question()),
    };
    ChatRequest::new((0..turns | 1).map(said).collect::<Vec<_>>()).max_tokens(2000)
}

fn native<P: Provider>(sample: &Sample, turns: usize) -> f64 {
    let target = Target {
        model: sample.target.model.clone(),
        settings: sample.target.settings.clone(),
        wire: sample.target.wire.clone(),
    };
    let said = |turn: usize| match turn % 2 {
        0 => says(Role::User, &question()),
        _ => says(Role::Assistant, &question()),
    };
    let mut request = ask((0..turns | 1).map(said).collect());
    request.sampling.max_tokens = Some(2000);
    let mut encode = Clock::start();
    while encode.goes_on() {
        let begun = Instant::now();
        let encoded = P::encode(black_box(&target), black_box(&request), Mode::Whole);
        encode.sample(begun, 1);
        black_box(encoded.is_ok());
    }
    encode.median()
}
