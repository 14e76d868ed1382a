//! A thousand callers at one time, a third of whose exchanges fail and a tenth of whom leave, at the program itself: what
//! they get, what is recorded, and what the process holds afterwards. Then its end, while two hundred streams are under way.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use multillm::stats::{Entry, Filter, History};
use multillm_simulator::{Options, Vendor};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::caller::{parse, request};
use super::question;
use crate::stage::Stage;

const CALLERS: usize = 1_000;
/// Longer than all attempts of a request may take.
const PATIENCE: Duration = Duration::from_secs(100);
/// What may befall an exchange.
const FAULTS: [&str; 10] = [
    "reset k=0",
    "429",
    "500",
    "529",
    "cut k=2",
    "drop k=2",
    "malformed-json",
    "close-before-headers",
    "mid-stream-error k=2",
    "503-text",
];

/// What became of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Complete,
    Failed,
    Cut,
    Left,
}

/// The program as it serves.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(stage: &mut Stage) -> Self {
        stage.config["gateway"]["listen"] = "127.0.0.1:0".into();
        let config = stage.config_file().display().to_string();
        let mut command = stage.command(&["serve", "--json", "--config", &config]);
        // What it logs is looked through for keys with everything else in the folder.
        let log = std::fs::File::create(stage.folder.path().join("serve.log")).unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let url = told["listening"].as_str().unwrap();
        let address = url.trim_start_matches("http://").parse().unwrap();
        Served { child, address }
    }

    /// What it holds open, but for connections to `upstream`: how many of those wait to be used again is chance,
    /// and each goes by itself.
    fn files(&self, upstream: u16) -> usize {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let leads_there = |line: &&str| {
            let mut words = line.split_whitespace().skip(2);
            words
                .next()
                .is_some_and(|remote| remote.ends_with(&format!(":{upstream:04X}")))
        };
        let names: HashSet<String> = connections
            .lines()
            .filter(leads_there)
            .filter_map(|line| line.split_whitespace().nth(9))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let folder = format!("/proc/{}/fd", self.child.id());
        let Ok(open) = std::fs::read_dir(folder) else {
            return 0;
        };
        open.flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .filter(|file| !names.contains(&*file.to_string_lossy()))
            .count()
    }

    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or_default()
    }

    /// Tells it to stop, as a service manager does.
    fn terminate(&self) {
        let status = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    async fn ended(mut self) -> Option<i32> {
        let waited = tokio::task::spawn_blocking(move || self.child.wait().unwrap().code());
        timeout(PATIENCE, waited)
            .await
            .expect("it ends in time")
            .unwrap()
    }
}

/// Asks, and says what came of it. `leaves`: after so many bytes of the answer.
async fn asks(address: SocketAddr, bytes: Vec<u8>, leaves: Option<usize>) -> Fate {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut raw = vec![];
    let reading = async {
        // A reset ends it too.
        while leaves.is_none_or(|enough| raw.len() < enough) {
            match stream.read_buf(&mut raw).await {
                Ok(1..) => {}
                _ => return true,
            }
        }
        false
    };
    let ended = timeout(PATIENCE, reading)
        .await
        .expect("nobody waits for ever");
    if !ended {
        return Fate::Left;
    }
    let Some(reply) = parse(&raw) else {
        return Fate::Cut;
    };
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let streams = reply
        .header("content-type")
        .is_some_and(|kind| kind.contains("event-stream"));
    let ends = match streams {
        true => text.contains("[DONE]") || text.contains("\"message_stop\""),
        false => serde_json::from_str::<Value>(&text).is_ok_and(|body| body.get("error").is_none()),
    };
    match (reply.status, reply.whole) {
        (200, true) if ends => Fate::Complete,
        // An error within a stream, and nothing behind it looks like an end; or what the vendor wrote, broken as it is.
        (200, true) => {
            let broken = !streams && serde_json::from_str::<Value>(&text).is_err();
            assert!(text.contains("\"error\"") || broken, "{reply:?}");
            Fate::Failed
        }
        (200, false) => Fate::Cut,
        _ => {
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            // In a relay the vendor's own words come back, whatever they are.
            let is_told = body.get("error").is_some() || reply.header("x-multillm-model").is_some();
            assert!(is_told && reply.status >= 400, "{reply:?}");
            Fate::Failed
        }
    }
}

async fn storm(address: SocketAddr, round: usize) -> Vec<Fate> {
    let callers = (0..CALLERS).map(|number| {
        let model = ["openai", "claude"][number % 2];
        let streams = number % 3 != 0;
        let text = format!("caller {number} of {round} write 40 words");
        let mut body = question(model, &text, streams);
        // Each model by relay and by translation.
        let path = match (number / 2) % 2 {
            0 => "/v1/chat/completions",
            _ => {
                body["max_tokens"] = 400.into();
                "/v1/messages"
            }
        };
        let bytes = request("POST", path, &[], body.to_string().as_bytes());
        // Some at once, some in the middle.
        let leaves = (number % 10 == 9).then_some((number / 10) % 3 * 60);
        tokio::spawn(asks(address, bytes, leaves))
    });
    let callers: Vec<_> = callers.collect();
    let mut fates = vec![];
    for caller in callers {
        fates.push(caller.await.unwrap());
    }
    fates
}

async fn rows(stage: &Stage) -> Vec<Entry> {
    let mut history = History::open(&stage.folder.path().join("history.db"))
        .await
        .unwrap();
    history.list(&Filter::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_meet_faults_and_all_is_accounted_for() {
    let mut stage = Stage::with(Options {
        faults: Some(Arc::new(|_, number| {
            // About three of ten, in no order that goes with anything else.
            let dice = usize::try_from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).unwrap();
            (dice % 10 < 3).then(|| FAULTS[(dice / 10) % FAULTS.len()].to_owned())
        })),
        ..Options::default()
    });
    stage.set(
        "gateway.access_log",
        stage
            .folder
            .path()
            .join("access.log")
            .display()
            .to_string()
            .into(),
    );
    let served = Served::start(&mut stage);
    let upstream = stage.simulator.base_url(Vendor::OpenAi);
    let (_, upstream) = upstream
        .trim_start_matches("http://")
        .split_once(':')
        .unwrap();
    let upstream = upstream.split('/').next().unwrap().parse().unwrap();
    let mut held = vec![];
    for round in 0..2 {
        let fates = storm(served.address, round).await;
        let count = |fate: Fate| fates.iter().filter(|other| **other == fate).count();
        let (complete, failed) = (count(Fate::Complete), count(Fate::Failed));
        println!(
            "storm {round}: {complete} complete, {failed} failed, {} cut, {} left",
            count(Fate::Cut),
            count(Fate::Left)
        );
        assert!(complete > CALLERS / 2, "{complete} of {CALLERS}");
        assert!(count(Fate::Left) > CALLERS / 20);
        // What was left is given up and written, and memory given back.
        tokio::time::sleep(Duration::from_secs(4)).await;
        held.push((served.files(upstream), served.resident_kb()));
    }
    let metrics = super::caller::ask(served.address, "GET", "/metrics", &[], b"").await;
    stage.holds_no_key(&metrics.text());
    // The one that asks.
    assert!(
        metrics.text().contains("http_server_active_requests 1\n"),
        "{}",
        metrics.text()
    );
    println!("descriptors and KB after each storm: {held:?}");
    if cfg!(target_os = "linux") {
        let [(files, memory), (more_files, more_memory)] = held[..] else {
            panic!("two storms");
        };
        assert!(more_files < files + 20, "{held:?}");
        assert!(more_memory < memory + memory / 4 + 16 * 1024, "{held:?}");
    }
    served.terminate();
    assert_eq!(served.ended().await, Some(0));
    let rows = rows(&stage).await;
    let asked = usize::try_from(stage.simulator.requests()).unwrap();
    let cancelled = rows.iter().filter(|row| row.outcome == "cancelled").count();
    println!(
        "{} rows, {cancelled} of them cancelled; {asked} requests arrived",
        rows.len()
    );
    // Whoever left before anything was sent has a row, and nothing arrived.
    assert!(
        asked <= rows.len() && rows.len() - asked <= cancelled,
        "{} rows, {asked} requests, {cancelled} cancelled",
        rows.len()
    );
    // Each caller has one last row, but for those who left before they were heard.
    let last = rows.iter().filter(|row| row.last).count();
    assert!(
        (2 * CALLERS * 9 / 10..=2 * CALLERS).contains(&last),
        "{last}"
    );
    let log = std::fs::read_to_string(stage.folder.path().join("access.log")).unwrap();
    let lines = log.lines().filter(|line| line.contains("\"POST\"")).count();
    assert!(
        (last..=2 * CALLERS).contains(&lines),
        "{lines} lines, {last} last rows"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_lets_two_hundred_streams_end() {
    const STREAMS: usize = 200;
    let mut stage = Stage::new();
    let served = Served::start(&mut stage);
    let address = served.address;
    let begun = Arc::new(tokio::sync::Semaphore::new(0));
    let callers: Vec<_> = (0..STREAMS)
        .map(|number| {
            let begun = begun.clone();
            let model = ["openai", "claude"][number % 2];
            let text = format!("caller {number} write 30 words [[fault:slow-body ms=60]]");
            let body = question(model, &text, true).to_string();
            let bytes = request("POST", "/v1/chat/completions", &[], body.as_bytes());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                let mut raw = vec![0; 1];
                stream.read_exact(&mut raw).await.unwrap();
                begun.add_permits(1);
                stream.read_to_end(&mut raw).await.unwrap();
                parse(&raw).unwrap()
            })
        })
        .collect();
    let all = begun.acquire_many(u32::try_from(STREAMS).unwrap());
    let _all = timeout(PATIENCE, all).await.unwrap().unwrap();
    served.terminate();
    for caller in callers {
        let reply = timeout(PATIENCE, caller).await.unwrap().unwrap();
        assert!(reply.whole && reply.text().contains("[DONE]"), "{reply:?}");
    }
    assert_eq!(served.ended().await, Some(0));
    assert!(TcpStream::connect(address).await.is_err());
    let rows = rows(&stage).await;
    let succeeded = rows.iter().filter(|row| row.outcome == "success").count();
    assert_eq!((rows.len(), succeeded), (STREAMS, STREAMS));
}
