//! The same adapter code native and through wasm, for every first-party plugin.
//!
//! Bodies and streams come from the simulator, so that both sides read what a vendor sends.
//! Then what a filter adds, and what a hostile plugin does to the requests of the others.
//! Prints markdown; `cargo xtask bench` runs it in a release build.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its result and ends where it cannot go on"
)]

#[path = "sandbox/filters.rs"]
mod filters;
#[path = "sandbox/measure.rs"]
mod measure;
#[path = "sandbox/native.rs"]
mod native;
#[path = "sandbox/sample.rs"]
mod sample;
#[path = "sandbox/siege.rs"]
mod siege;
#[path = "sandbox/sizes.rs"]
mod sizes;
#[path = "sandbox/wasm.rs"]
mod wasm;

use std::path::Path;

use anyhow::{Context as _, Result};
use measure::Costs;
use multillm::plugin::{EngineOptions, LoadOptions, Plugin, PluginEngine};
use multillm_plugin_sdk::Provider;
use multillm_simulator::{Options, Simulator, Vendor};
use sample::Sample;

/// How many frames go through the boundary in one call.
const BATCHES: [usize; 3] = [1, 10, 100];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let engine = PluginEngine::new(EngineOptions::default())?;
    let simulator = Simulator::background(Options::default())?;
    println!(
        "| plugin | | instantiate | encode | decode | end | all four | event ×1 | ×10 | ×100 |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    let run = Run { engine, simulator };
    run.compare::<multillm_plugin_openai::OpenAi>(Vendor::OpenAi, "openai", "gpt-4o-mini")
        .await?;
    run.compare::<multillm_plugin_azure::Azure>(Vendor::Azure, "azure", "gpt-4o")
        .await?;
    run.compare::<multillm_plugin_huggingface::HuggingFace>(
        Vendor::HuggingFace,
        "huggingface",
        "meta-llama/Llama-3.3-70B-Instruct",
    )
    .await?;
    run.compare::<multillm_plugin_gemini::Gemini>(Vendor::Gemini, "gemini", "gemini-2.5-flash")
        .await?;
    run.compare::<multillm_plugin_claude::Claude>(Vendor::Anthropic, "claude", "claude-sonnet-4-5")
        .await?;
    run.compare::<multillm_plugin_cohere::Cohere>(Vendor::Cohere, "cohere", "command-a-03-2025")
        .await?;
    run.compare::<multillm_plugin_ollama::Ollama>(Vendor::Ollama, "ollama", "llama3.2")
        .await?;
    println!(
        "\nMicroseconds, medians. A chat of 1 KB; an event is one frame of a stream of 300 words, \
         pushed so many frames a call."
    );
    println!(
        "\n| plugin | conversation | encode native | encode through wasm | instantiate, encode, decode and end |\n\
         |---|---:|---:|---:|---:|"
    );
    run.lengths::<multillm_plugin_openai::OpenAi>(Vendor::OpenAi, "openai", "gpt-4o-mini")
        .await?;
    run.lengths::<multillm_plugin_claude::Claude>(Vendor::Anthropic, "claude", "claude-sonnet-4-5")
        .await?;
    println!("\nMicroseconds, medians; turns of 1 KB each, a fresh instance for each.\n");
    filters::run().await?;
    siege::run().await
}

struct Run {
    engine: PluginEngine,
    simulator: Simulator,
}

impl Run {
    /// Prints two rows: native, and through wasm with how many times as much that is.
    async fn compare<P: Provider>(&self, vendor: Vendor, name: &str, model: &str) -> Result<()> {
        let plugin = self.plugin(name).await?;
        let sample = Sample::take(&self.simulator, vendor, &plugin, model).await?;
        let native = native::costs::<P>(&sample);
        let sandboxed = wasm::costs(&plugin, &sample).await?;
        println!("| {name} | native | – |{}", row(&native, None));
        println!(
            "| | wasm | {:.1} |{}",
            sandboxed.instantiate,
            row(&sandboxed, Some(&native))
        );
        Ok(())
    }
    /// Prints a row for each length of a conversation.
    async fn lengths<P: Provider>(&self, vendor: Vendor, name: &str, model: &str) -> Result<()> {
        let plugin = self.plugin(name).await?;
        let sample = Sample::take(&self.simulator, vendor, &plugin, model).await?;
        sizes::rows::<P>(&plugin, &sample).await
    }

    async fn plugin(&self, name: &str) -> Result<Plugin> {
        let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/plugins");
        let file = components.join(format!("{name}.wasm"));
        let options = LoadOptions::default();
        let plugin = self.engine.load(name, &file, &options).await;
        plugin.with_context(|| format!("build {name} with `cargo xtask plugins`"))
    }
}

fn row(costs: &Costs, beside: Option<&Costs>) -> String {
    let cell = |of: &dyn Fn(&Costs) -> f64| match beside {
        Some(other) => format!(" {:.1} ({:.1}×) |", of(costs), of(costs) / of(other)),
        None => format!(" {:.1} |", of(costs)),
    };
    let mut row = cell(&|costs| costs.encode) + &cell(&|costs| costs.decode);
    row += &match beside {
        Some(_) => format!(" {:.1} |", costs.end),
        None => " – |".to_owned(),
    };
    row += &cell(&|costs| costs.instantiate + costs.encode + costs.decode + costs.end);
    for at in 0..BATCHES.len() {
        row += &cell(&|costs| costs.event.get(at).copied().unwrap_or(f64::NAN));
    }
    row
}
