//! What the gateway costs beside nginx as a plain relay: one core for whatever stands in the middle, an upstream that
//! answers at once, and callers on the other cores. CPU of the process in the middle by request, times of answers, and
//! memory with many streams open and after they ended. Prints markdown; `cargo xtask bench gateway` runs it in a release
//! build.
//!
//! `multillm-gateway-bench PROGRAM PLUGINS [--quick | --memory]`; it starts itself again for the upstream.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a bench prints its result; a member that a JSON object lacks is null"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use multillm_bench::load::{self, Load, Times, post_with, question};
use multillm_bench::process::{Served, on_core};
use multillm_bench::{relay, upstream};
use serde_json::{Value, json};

/// What is asked again and again.
struct Kind {
    title: &'static str,
    stream: bool,
    /// Bytes of what was said before.
    said: usize,
    /// Requests by 32 connections and by one.
    crowd: usize,
    alone: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        title: "a whole answer of 1 KB",
        stream: false,
        said: 0,
        crowd: 12_000,
        alone: 2_000,
    },
    Kind {
        title: "a stream of 20 events",
        stream: true,
        said: 0,
        crowd: 6_000,
        alone: 1_500,
    },
    Kind {
        title: "a conversation of 200 KB, a whole answer of 1 KB",
        stream: false,
        said: 200_000,
        crowd: 3_000,
        alone: 1_000,
    },
];
/// Each thing is measured so often, in turn with the others; the median counts.
const ROUNDS: usize = 5;
/// Streams that are open at once.
const OPEN: [usize; 2] = [1_000, 10_000];
/// Descriptors that a process has beside those of its connections.
const OTHERS: usize = 200;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (program, plugins, part) = match words.as_slice() {
        ["serve", "upstream"] => return upstream::run().map(|()| ExitCode::SUCCESS),
        ["serve", "relay", address] => return relay::run(address).map(|()| ExitCode::SUCCESS),
        [program, plugins] => (program, plugins, ""),
        [program, plugins, part @ ("--quick" | "--memory")] => (program, plugins, *part),
        _ => bail!("say which program, and where its plugins are"),
    };
    let cores = std::thread::available_parallelism()?.get();
    let core = pinned().filter(|_| cores > 0);
    if core.is_none() && cores > 1 && has_taskset() && env::var_os(PINNED).is_none() {
        // This process and what it starts keep off the first core.
        let mut command = Command::new("taskset");
        command.args(["-c", &format!("1-{}", cores - 1)]);
        let status = command
            .arg(env::current_exe()?)
            .args(&arguments)
            .env(PINNED, "0")
            .status()?;
        return Ok(match status.success() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        });
    }
    let quick = part == "--quick";
    let bench = Bench {
        program: PathBuf::from(program),
        plugins: PathBuf::from(plugins),
        core,
        scale: if quick { 50 } else { 1 },
        rounds: if quick { 1 } else { ROUNDS },
        cache: tempfile::tempdir()?,
    };
    if part != "--memory" {
        bench.speed()?;
    }
    bench.memory()?;
    Ok(ExitCode::SUCCESS)
}

/// Names the core that is left to what is measured.
const PINNED: &str = "MULTILLM_BENCH_CORE";

fn pinned() -> Option<usize> {
    env::var(PINNED).ok()?.parse().ok()
}

fn has_taskset() -> bool {
    let asked = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

struct Bench {
    program: PathBuf,
    plugins: PathBuf,
    core: Option<usize>,
    scale: usize,
    rounds: usize,
    /// Machine code, compiled once and not for each start.
    cache: tempfile::TempDir,
}

/// What stands between callers and the vendor.
struct Middle {
    what: &'static str,
    served: Served,
    /// What is asked there: the path, the model, headers.
    model: &'static str,
    headers: String,
}

/// One measurement.
struct Measured {
    /// Microseconds of CPU by request.
    cpu: f64,
    crowd: Times,
    alone: Times,
}

impl Bench {
    fn speed(&self) -> Result<()> {
        let upstream = Served::start(&["upstream"])?;
        let gateway = Gateway::start(self, &upstream, 1024)?;
        let mut middles = vec![];
        match Served::nginx(self.core, upstream.address)? {
            Some(served) => middles.push(Middle {
                what: "nginx, a relay",
                served,
                model: "m",
                headers: HEADERS.to_owned(),
            }),
            None => eprintln!("nginx is not installed: hyper's parts stand in for it"),
        }
        let address = upstream.address.to_string();
        middles.push(Middle {
            what: "hyper's parts, a relay",
            served: Served::start_on(self.core, &["relay", &address])?,
            model: "m",
            headers: HEADERS.to_owned(),
        });
        let headers = gateway.headers.clone();
        middles.push(Middle {
            what: "the gateway, relay",
            served: gateway.served,
            model: "relayed",
            headers,
        });
        for kind in &KINDS {
            self.compare(kind, &middles)?;
        }
        Ok(())
    }

    fn compare(&self, kind: &Kind, middles: &[Middle]) -> Result<()> {
        let mut rows: Vec<(&str, &Middle, &str, Vec<Measured>)> = middles
            .iter()
            .map(|middle| (middle.what, middle, middle.model, vec![]))
            .collect();
        if let Some(gateway) = middles.last() {
            rows.push(("the gateway, translation", gateway, "translated", vec![]));
        }
        for _ in 0..self.rounds {
            // In turn, so that whatever else the machine does hits all of them alike.
            for (_, middle, model, measured) in &mut rows {
                measured.push(self.measure(kind, middle, model)?);
            }
        }
        println!("\n### {}\n", capital(kind.title));
        println!(
            "| in the middle | µs of CPU | times the first | p50 / p99 at 32 connections, ms | p50 / p99 at one, µs | p99 more than the first, µs |\n\
             |---|---:|---:|---:|---:|---:|"
        );
        let median = |measured: &[Measured], of: &dyn Fn(&Measured) -> f64| {
            let mut all: Vec<f64> = measured.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let mut first = None;
        for (what, _, _, measured) in &rows {
            let cpu = median(measured, &|one| one.cpu);
            let late = median(measured, &|one| one.alone.late_ms * 1000.0);
            let (first_cpu, first_late) = *first.get_or_insert((cpu, late));
            println!(
                "| {what} | {cpu:.0} | {:.2} | {:.2} / {:.2} | {:.0} / {late:.0} | {:.0} |",
                cpu / first_cpu,
                median(measured, &|one| one.crowd.median_ms),
                median(measured, &|one| one.crowd.late_ms),
                median(measured, &|one| one.alone.median_ms * 1000.0),
                late - first_late,
            );
        }
        Ok(())
    }

    fn measure(&self, kind: &Kind, middle: &Middle, model: &str) -> Result<Measured> {
        let request = asking(model, &middle.headers, kind.stream, kind.said);
        let crowd = (kind.crowd / self.scale).max(32);
        let alone = (kind.alone / self.scale).max(10);
        let load = || Load::of(middle.served.address, request.clone());
        load().run(crowd / 10)?;
        let before = middle.served.cpu()?;
        let times = load().run(crowd)?;
        // What is written afterwards is paid for as well.
        std::thread::sleep(Duration::from_millis(300));
        let spent = middle.served.cpu()? - before;
        #[allow(clippy::cast_precision_loss, reason = "few requests")]
        let cpu = spent.as_secs_f64() * 1e6 / crowd as f64;
        Ok(Measured {
            cpu,
            crowd: times,
            alone: load().connections(1).run(alone)?,
        })
    }

    /// With streams open, and after they were left.
    fn memory(&self) -> Result<()> {
        println!("\n### Streams that are open at once\n");
        println!(
            "| lane | streams | KB each | a second after, KB each | ten seconds after, KB each |\n|---|---:|---:|---:|---:|"
        );
        for (lane, model) in [("relay", "relayed"), ("translation", "translated")] {
            for count in OPEN {
                let count = (count / self.scale).min(self.room()?);
                let places = u32::try_from(count)? + 100;
                let upstream = Served::start(&["upstream"])?;
                let gateway = Gateway::start(self, &upstream, places)?;
                let address = gateway.served.address;
                Load::of(address, asking(model, &gateway.headers, true, 0)).run(200)?;
                std::thread::sleep(Duration::from_secs(1));
                let before = gateway.served.resident()?;
                let slow = format!("{model}-slow");
                let request = asking(&slow, &gateway.headers, true, 0);
                let open = load::hold(address, &request, count)?;
                let during = gateway.served.resident()?;
                drop(open);
                std::thread::sleep(Duration::from_secs(1));
                let after = gateway.served.resident()?;
                std::thread::sleep(Duration::from_secs(9));
                let later = gateway.served.resident()?;
                #[allow(clippy::cast_precision_loss, reason = "kilobytes")]
                let each = |now: u64| (now as f64 - before as f64) / count as f64;
                println!(
                    "| {lane} | {count} | {:.0} | {:.0} | {:.0} |",
                    each(during),
                    each(after),
                    each(later)
                );
            }
        }
        Ok(())
    }

    /// As many streams as a process may have open that holds both sides of each.
    fn room(&self) -> Result<usize> {
        let asked = Command::new("sh").args(["-c", "ulimit -Hn"]).output()?;
        let text = String::from_utf8_lossy(&asked.stdout);
        let most = text.trim().parse().unwrap_or(usize::MAX);
        Ok(most.saturating_sub(OTHERS) / 2)
    }
}

const HEADERS: &str = "content-type: application/json\r\n";

/// A request on OpenAI's wire.
fn asking(model: &str, headers: &str, stream: bool, said: usize) -> Vec<u8> {
    let mut messages = vec![];
    let mut length = 0;
    let text = question();
    while length < said {
        for role in ["user", "assistant"] {
            messages.push(json!({ "role": role, "content": text }));
            length += text.len();
        }
    }
    messages.push(json!({ "role": "user", "content": text }));
    let mut body = json!({ "model": model, "messages": messages });
    if let (true, Some(body)) = (stream, body.as_object_mut()) {
        body.insert("stream".to_owned(), true.into());
    }
    post_with("/v1/chat/completions", headers, &body.to_string())
}

fn capital(title: &str) -> String {
    let mut letters = title.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The gateway, with a key and a history.
struct Gateway {
    served: Served,
    headers: String,
    _folder: tempfile::TempDir,
}

impl Gateway {
    fn start(bench: &Bench, upstream: &Served, places: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config.json");
        let address = upstream.address;
        let models: Value = [("", "m"), ("-slow", "slow")]
            .iter()
            .flat_map(|(suffix, name)| {
                [("relayed", "openai"), ("translated", "claude")].map(|(model, provider)| {
                    let entry = json!({ "provider": provider, "model_name": name });
                    (format!("{model}{suffix}"), entry)
                })
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let content = json!({
            "plugin_dir": bench.plugins,
            "providers": {
                "openai": { "base_url": format!("http://{address}/v1") },
                "claude": { "base_url": format!("http://{address}") },
            },
            "models": models,
            // Where it stands by default too: not beside the configuration, which is watched.
            "history": { "path": folder.path().join("data").join("history.db") },
            "gateway": {
                "listen": "127.0.0.1:0",
                "keys": folder.path().join("keys.json"),
                "max_requests": 65_536,
                "max_connections": 65_536,
            },
            "limits": { "max_concurrency": places },
        });
        std::fs::write(&config, content.to_string())?;
        let set_up = |command: &mut Command| {
            command
                .env_clear()
                .env("PATH", env::var_os("PATH").unwrap_or_default())
                .env("HOME", folder.path())
                .env("XDG_CACHE_HOME", bench.cache.path())
                .env("OPENAI_API_KEY", "sk-bench-0123456789abcdef")
                .env("ANTHROPIC_API_KEY", "sk-ant-bench-0123456789abcdef")
                .arg("--config")
                .arg(&config);
        };
        let mut command = Command::new(&bench.program);
        set_up(&mut command);
        let key = made_key(command)?;
        let mut command = in_shell(bench.core, &bench.program);
        set_up(&mut command);
        command.args(["serve", "--json"]);
        let served = Served::of(command, |line| {
            let told: Value = serde_json::from_str(line)
                .with_context(|| format!("the gateway did not start: {line:?}"))?;
            let url = told["listening"].as_str().unwrap_or_default();
            Ok(url.trim_start_matches("http://").parse()?)
        })?;
        Ok(Gateway {
            served,
            headers: format!("{HEADERS}authorization: Bearer {key}\r\n"),
            _folder: folder,
        })
    }
}

/// With as many descriptors as the system lets it have.
fn in_shell(core: Option<usize>, program: &Path) -> Command {
    let mut command = on_core(core, Path::new("sh"));
    let script = "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\"";
    command.args(["-c", script]).arg(program);
    command
}

fn made_key(mut program: Command) -> Result<String> {
    let made = program
        .args(["key", "create", "bench", "--json"])
        .output()?;
    let said = String::from_utf8_lossy(&made.stdout);
    let made: Value = serde_json::from_str(&said)
        .with_context(|| format!("no key was made: {}", String::from_utf8_lossy(&made.stderr)))?;
    Ok(made["key"].as_str().context("no key was made")?.to_owned())
}
