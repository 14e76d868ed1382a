//! A steady stream of requests of which a third meets a fault: memory and open files stay flat,
//! nobody waits for ever, and everything that was sent is in the history.
//!
//! It takes a few seconds here. For longer, and to see the figures:
//! `MULTILLM_SOAK_SECONDS=3600 cargo test --workspace --exclude xtask --test it soak -- --nocapture`

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use multillm::MultiLlmService;
use multillm::config::{Config, Env};
use multillm::stats::{Filter, History};
use multillm_simulator::Options;
use serde_json::{Value, json};

use crate::answers::ask;
use crate::leaks;
use crate::stage::Stage;
use crate::vendors::LINES;

/// How long, in seconds.
const SECONDS: &str = "MULTILLM_SOAK_SECONDS";
/// Makes the test `soaks_as_a_process` a process that asks; the configuration for it.
const CONFIG: &str = "MULTILLM_TEST_SOAK";
/// Requests a second.
const RATE: u64 = 50;
/// Longer than all attempts of a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn seconds() -> u64 {
    std::env::var(SECONDS).map_or(8, |text| text.parse().unwrap())
}

/// How much longer than other tests this one was told to take.
pub(crate) fn asked_for() -> Duration {
    Duration::from_secs(seconds())
}

#[test]
fn a_long_run_keeps_memory_files_and_records() {
    let stage = Stage::with(Options {
        random_fault_rate: 0.3,
        seed: 11,
        ..Options::default()
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["soak::soaks_as_a_process", "--exact", "--nocapture"])
        .current_dir(stage.folder.path())
        .env(CONFIG, stage.config_file())
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said: Vec<Value> = vec![];
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, text)) = line.split_once("soak: ") {
            println!("{text}");
            said.push(serde_json::from_str(text).unwrap());
        }
    }
    assert!(child.wait().unwrap().success());
    let sums = said.pop().unwrap();
    assert_eq!(sums["hung"], 0, "{sums}");
    assert!(
        sums["answered"].as_u64().unwrap() > seconds() * RATE / 2,
        "{sums}"
    );

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (entries, checked) = runtime.block_on(async {
        let path = stage.folder.path().join("history.db");
        let mut history = History::open(&path).await.unwrap();
        let checked = history.check().await;
        (history.list(&Filter::default()).await.unwrap(), checked)
    });
    checked.unwrap();
    let with = |outcome: &str| {
        let of = |entry: &&multillm::stats::Entry| entry.last && entry.outcome == outcome;
        entries.iter().filter(of).count()
    };
    let recorded = json!({
        "answered": with("success"), "failed": with("error"), "cancelled": with("cancelled"),
        "hung": 0,
    });
    assert_eq!(recorded, sums);
    assert_eq!(entries.len() as u64, stage.simulator.requests());

    // Flat: the last quarter against the second, when everything was loaded and warm.
    if cfg!(target_os = "linux") {
        let quarter = said.len() / 4;
        let median = |samples: &[Value], what: &str| {
            let mut values: Vec<u64> = samples
                .iter()
                .map(|one| one[what].as_u64().unwrap())
                .collect();
            values.sort_unstable();
            values[values.len() / 2]
        };
        let (early, late) = (&said[quarter..2 * quarter], &said[said.len() - quarter..]);
        let (before, after) = (median(early, "resident_kb"), median(late, "resident_kb"));
        assert!(
            after < before + before / 10 + 8 * 1024,
            "{before} KB, then {after} KB"
        );
        let (before, after) = (median(early, "files"), median(late, "files"));
        assert!(after < before + RATE, "{before} open files, then {after}");
    }
}

/// Asks as it is told to by the environment. No test of its own: the other starts it as a process.
#[test]
fn soaks_as_a_process() {
    let Ok(path) = std::env::var(CONFIG) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        leaks::know_environment();
        let config = Config::load(Path::new(&path), &Env::process()).unwrap();
        let service = MultiLlmService::new(config, Env::process());
        let counts: Arc<[AtomicU64; 4]> = Arc::default();
        let mut callers = tokio::task::JoinSet::new();
        let mut ticks =
            tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
        for number in 0..seconds() * RATE {
            ticks.tick().await;
            let (service, counts) = (service.clone(), counts.clone());
            callers.spawn(async move {
                let ended = tokio::time::timeout(PATIENCE, asked(&service, number)).await;
                let place = ended.map_or(HUNG, |end| end);
                counts[place].fetch_add(1, Ordering::Relaxed);
            });
            while callers.try_join_next().is_some() {}
            if number % RATE == RATE - 1 {
                println!("soak: {}", sample(number / RATE, callers.len()));
            }
        }
        callers.join_all().await;
        service.close().await;
        let count = |place: usize| counts[place].load(Ordering::Relaxed);
        let sums = json!({
            "answered": count(ANSWERED), "failed": count(FAILED), "cancelled": count(CANCELLED),
            "hung": count(HUNG),
        });
        println!("soak: {sums}");
    });
}

const ANSWERED: usize = 0;
const FAILED: usize = 1;
const CANCELLED: usize = 2;
const HUNG: usize = 3;

/// Asks one of the seven: whole, streamed, or streamed and left after the first event.
async fn asked(service: &MultiLlmService, number: u64) -> usize {
    let place = usize::try_from(number).unwrap() % LINES.len();
    let model = LINES[place].plugin;
    let question = ask(&format!("caller {number} write 40 words"));
    match number % 10 {
        0..5 => match service.chat(question, model).await {
            Ok(_) => ANSWERED,
            Err(_) => FAILED,
        },
        5..9 => match service.stream(question, model).await {
            Ok(stream) => match stream.collect().await {
                Ok(_) => ANSWERED,
                Err(_) => FAILED,
            },
            Err(_) => FAILED,
        },
        _ => match service.stream(question, model).await {
            Ok(mut stream) => match stream.next().await {
                Some(Ok(_)) => CANCELLED,
                _ => FAILED,
            },
            Err(_) => FAILED,
        },
    }
}

/// What this process holds now.
fn sample(second: u64, open: usize) -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    json!({ "second": second, "resident_kb": resident, "files": files, "open": open })
}
