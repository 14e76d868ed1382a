//! How long healthy requests take while a hostile plugin does its worst.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use multillm::config::{Config, Env};
use multillm::{ChatMessage, ChatRequest, MultiLlmService};
use multillm_simulator::{Options, Simulator, Vendor};
use serde_json::{Map, Value, json};

/// Healthy requests of one row, and the time from one to the next. At a steady rate, as asking
/// again at once measures what share of the processors is left instead of how long an answer takes.
const REQUESTS: usize = 100;
const EVERY: Duration = Duration::from_millis(10);

/// What the guest of `tests/guests/hostile` is told to do, and whether it is asked for a stream.
const ATTACKS: [(&str, bool); 7] = [
    ("loop@encode", false),
    ("recursion@encode", false),
    ("memory-bomb@encode", false),
    ("trap@encode", false),
    ("loop@push", true),
    ("giant-output", false),
    ("many-events", true),
];

/// Measures on two threads, as a server with two cores would run, and prints a table.
pub(crate) async fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let measured = tokio::task::spawn_blocking(move || runtime.block_on(measure()));
    measured.await.context("the measurement panicked")?
}

async fn measure() -> Result<()> {
    let simulator = Simulator::background(Options::default())?;
    let service = service(&simulator)?;
    // Everything is loaded and connected before it is measured.
    healthy(&service).await?;
    println!(
        "\n## Healthy requests beside a hostile plugin\n\n\
         | beside | attacks meanwhile | median | 9 of 10 below | longest |\n|---|---:|---:|---:|---:|"
    );
    let calm = healthy(&service).await?;
    println!("| nobody | – |{}", row(&calm, &calm));
    for (attack, streamed) in ATTACKS {
        let (over, made) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let attacker = {
            let (service, over, made) = (service.clone(), over.clone(), made.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let failed = attacked(&service, attack, streamed).await;
                    made.fetch_add(u64::from(failed), Ordering::Relaxed);
                }
            })
        };
        let besieged = healthy(&service).await?;
        over.store(true, Ordering::Relaxed);
        attacker.await?;
        let made = made.load(Ordering::Relaxed);
        ensure!(made > 0, "{attack} did no harm");
        println!("| `{attack}` | {made} |{}", row(&besieged, &calm));
    }
    let after = healthy(&service).await?;
    println!("| nobody, afterwards | – |{}", row(&after, &calm));
    println!(
        "\nMilliseconds from question to answer, a question every {} ms; one attacker asks again and \
         again.",
        EVERY.as_millis(),
    );
    service.close().await;
    Ok(())
}

/// Times of healthy requests in milliseconds, sorted.
async fn healthy(service: &MultiLlmService) -> Result<Vec<f64>> {
    let mut tasks = tokio::task::JoinSet::new();
    let mut clock = tokio::time::interval(EVERY);
    for _ in 0..REQUESTS {
        clock.tick().await;
        let service = service.clone();
        tasks.spawn(async move {
            let begun = Instant::now();
            let messages = [ChatMessage::user("Hello")];
            service.chat_completion(&messages, "healthy").await?;
            Ok::<_, multillm::Error>(begun.elapsed().as_secs_f64() * 1e3)
        });
    }
    let mut times = Vec::with_capacity(REQUESTS);
    while let Some(done) = tasks.join_next().await {
        times.push(done??);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Whether the attack failed, as all of them should.
async fn attacked(service: &MultiLlmService, attack: &str, streamed: bool) -> bool {
    let request = ChatRequest::new([ChatMessage::user("Hello")]);
    let answer = match streamed {
        true => match service.stream(request, attack).await {
            Ok(stream) => stream.collect().await,
            Err(error) => Err(error),
        },
        false => service.chat(request, attack).await,
    };
    answer.is_err()
}

fn row(times: &[f64], calm: &[f64]) -> String {
    let cell = |tenths: usize| {
        let at = |times: &[f64]| {
            let place = (times.len() * tenths / 10).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or(f64::NAN)
        };
        format!(" {:.1} ({:.1}×) |", at(times), at(times) / at(calm))
    };
    cell(5) + &cell(9) + &cell(10)
}

/// The healthy model and one for each attack, with a second of computing allowed as by default.
fn service(simulator: &Simulator) -> Result<MultiLlmService> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let base_url = simulator.base_url(Vendor::OpenAi);
    let healthy = (
        "healthy".to_owned(),
        json!({ "provider": "openai", "model_name": "gpt-4o-mini" }),
    );
    let attacks = ATTACKS.map(|(attack, _)| {
        let count = if attack == "giant-output" {
            64
        } else {
            1_000_000
        };
        let settings = json!({ "attack": attack, "count": count });
        let model = json!({
            "provider": "hostile", "model_name": "gpt-4o-mini", "settings": settings,
        });
        (attack.to_owned(), model)
    });
    let models: Map<String, Value> = [healthy].into_iter().chain(attacks).collect();
    let config = json!({
        "default_model": "healthy",
        "plugin_dir": root.join("configs/plugins"),
        "plugins": { "hostile": { "path": guest()? } },
        "providers": {
            "openai": { "base_url": base_url, "api_key_env": "KEY" },
            "hostile": { "plugin": "hostile", "base_url": base_url, "api_key_env": "KEY" },
        },
        "models": models,
        "retry": { "max_attempts": 1 },
        "breaker": { "enabled": false },
        "history": { "enabled": false },
    });
    let env = Env::fixed(&root, [("KEY".to_owned(), Vendor::OpenAi.key())]);
    let config = Config::from_json_str(&config.to_string(), &root, &env)?;
    Ok(MultiLlmService::new(config, env))
}

/// `target/guests/hostile.wasm`, beside the profile's folder that this program is in.
fn guest() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).context("no target folder")?;
    let file = target.join("guests/hostile.wasm");
    ensure!(
        file.is_file(),
        "{} is missing: cargo xtask plugins",
        file.display()
    );
    Ok(file)
}
