//! The simulator as a program: arguments in, one line of JSON out when it is ready.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use multillm_simulator::{Options, Simulator, Vendor};
use serde_json::json;

/// Speaks seven LLM vendors' wires on a loopback port.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Write every exchange to this file, one line of JSON each
    #[arg(long)]
    log: Option<PathBuf>,
    /// Speak TLS with a certificate signed by nobody
    #[arg(long)]
    tls: bool,
    /// End after this many seconds
    #[arg(long)]
    for_seconds: Option<f64>,
    /// Another key every vendor accepts; may be repeated
    #[arg(long = "key")]
    keys: Vec<String>,
    /// Another model every vendor knows; may be repeated
    #[arg(long = "model")]
    models: Vec<String>,
    /// Ask Ollama's clients for a key
    #[arg(long)]
    ollama_needs_key: bool,
    /// Chance from 0 to 1 that a request meets a random fault
    #[arg(long, default_value_t = 0.0)]
    random_fault_rate: f64,
    /// Start of the random sequence
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Milliseconds between the events of a stream
    #[arg(long, default_value_t = 0)]
    event_gap_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let options = Options {
        port: args.port,
        tls: args.tls,
        keys: args.keys,
        models: args.models,
        ollama_needs_key: args.ollama_needs_key,
        log_file: args.log,
        random_fault_rate: args.random_fault_rate,
        seed: args.seed,
        event_gap: Duration::from_millis(args.event_gap_ms),
        faults: None,
    };
    let simulator = Simulator::start(options).await?;
    let urls: BTreeMap<&str, String> = Vendor::ALL
        .iter()
        .map(|vendor| (vendor.name(), simulator.base_url(*vendor)))
        .collect();
    let ready = json!({"address": simulator.addr().to_string(), "base_urls": urls});
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    drop(stdout);
    ended(args.for_seconds).await
}

/// Waits for ctrl-c, SIGTERM or the given time.
async fn ended(seconds: Option<f64>) -> anyhow::Result<()> {
    let time = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs_f64(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        () = time => {}
        _ = terminated.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
