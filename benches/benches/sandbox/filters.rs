//! What a filter adds to a chat: a fresh instance, the question through it, the answer through it, and its end.
//!
//! Promised are 10 µs for each filter.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use multillm::chat::{ChatMessage, ChatRequest, Delta, FinishReason};
use multillm::plugin::{EngineOptions, Filter, LoadOptions, PluginEngine, Verdict, wire};

/// How often each is measured.
const RUNS: usize = 20_000;

/// Prints a row for each filter and kind of chat.
pub(crate) async fn run() -> Result<()> {
    println!(
        "\n## What a filter adds to a chat\n\n\
         | filter | question | p50 | p99 |\n|---|---|---:|---:|"
    );
    let engine = PluginEngine::new(EngineOptions::default())?;
    let plain = "What is a monad? ".repeat(60);
    let personal = format!("{plain} Write to ann@example.org or call +49 30 1234567.");
    let rule =
        r#"{"rules":[{"name":"r","contains":["private key"],"applies_to":["question","answer"]}]}"#;
    for (name, settings, kind, question) in [
        ("pii", "{}", "1 KB, nothing in it", &plain),
        ("pii", "{}", "1 KB, two in it, answer restored", &personal),
        ("guard", rule, "1 KB, question and answer watched", &plain),
    ] {
        let filter = load(&engine, name).await?;
        let request = ChatRequest::new([ChatMessage::user(question.as_str())]);
        let answer = [
            Delta::Text(format!("You said: {question}").replace("ann@example.org", "[EMAIL_1]")),
            Delta::Finished {
                reason: FinishReason::Stop,
                raw: None,
            },
        ];
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            times.push(once(&filter, settings, &request, &answer).await?);
        }
        times.sort_unstable();
        let at = |part: usize| {
            let time = times.get(times.len() * part / 100).copied();
            time.unwrap_or_default().as_secs_f64() * 1e6
        };
        println!("| {name} | {kind} | {:.1} | {:.1} |", at(50), at(99));
    }
    println!("\nMicroseconds.");
    Ok(())
}

async fn once(
    filter: &Filter,
    settings: &str,
    request: &ChatRequest,
    answer: &[Delta],
) -> Result<Duration> {
    let begun = Instant::now();
    let mut places = filter.engine().places([filter]).await?;
    let inquiry = filter.begin(&mut places).await?;
    let verdict = inquiry
        .prepare(settings, request, ("openai", "openai-chat"))
        .await?;
    if let Verdict::Passes {
        answering: Some(mut answering),
        ..
    } = verdict
    {
        answering.push(answer, Some(&wire::End::Done)).await?;
    }
    Ok(begun.elapsed())
}

/// `target/guests/NAME.wasm`, beside the profile's folder that this program is in.
async fn load(engine: &PluginEngine, name: &str) -> Result<Filter> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).unwrap_or(Path::new("target"));
    let file = target.join("guests").join(format!("{name}.wasm"));
    let options = LoadOptions::default();
    let filter = engine.load_filter(name, &file, &options);
    filter
        .await
        .with_context(|| format!("build {name} with `cargo xtask plugins`"))
}
