//! What was asked, answered and paid for: money to the last digit, and rows that survive.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use multillm::config::{Config, Env};
use multillm::stats::{Filter, History};
use multillm::{ChatMessage, MultiLlmService};
use serde_json::{Value, json};

use crate::leaks;
use crate::patience::Stalls;
use crate::stage::Stage;

/// Makes the test `works_as_a_process` a process that asks so many questions; 0: until it is killed.
const WORK: &str = "MULTILLM_TEST_WORK";
/// The configuration for it.
const CONFIG: &str = "MULTILLM_TEST_CONFIG";

/// US dollars for a million tokens, each kind at a price of its own.
fn prices() -> Value {
    json!({
        "input_per_1m": 3, "output_per_1m": 15, "cached_input_per_1m": 0.3,
        "cache_write_per_1m": 3.75, "reasoning_per_1m": 20, "per_request": 0.0000001
    })
}

fn priced() -> Stage {
    let mut stage = Stage::new();
    for model in stage.config["models"].as_object_mut().unwrap().values_mut() {
        model["cost"] = prices();
    }
    stage
}

/// Each question is five words; the answer is ten. All sums are reckoned by hand, in millionths of
/// a dollar, and a tenth of one for the request.
#[test]
fn every_vendors_way_of_counting_costs_the_same_streamed_or_not() {
    let thinking = "write 10 words cached=100 reasoning=7";
    let writing = "write 10 words cached=100 cache_write=20";
    let cases = [
        // 100 of 105 cached and 7 of 17 thought, inside: 5×3 + 100×0.3 + 10×15 + 7×20 = 335
        ("openai-thinks", thinking, "0.0003351"),
        ("azure-thinks", thinking, "0.0003351"),
        ("huggingface-thinks", thinking, "0.0003351"),
        // cached inside, thoughts beside the 10 of the answer: the same
        ("gemini-thinks", thinking, "0.0003351"),
        // cached and written beside the 5: 5×3 + 100×0.3 + 20×3.75 + 10×15 = 270
        ("claude", writing, "0.0002701"),
        // paid is what is billed, half of the 105 and of the 17: 52×3 + 8×15 = 276
        ("cohere-thinks", thinking, "0.0002761"),
        // nothing is told apart: 105×3 + 17×15 = 570
        ("ollama-thinks", thinking, "0.0005701"),
    ];
    let stage = priced();
    for (model, question, expected) in cases {
        for stream in [false, true] {
            let mut arguments = vec!["query", question, "--model", model, "--json"];
            if stream {
                arguments.push("--stream");
            }
            let text = stage.run(&arguments).answer();
            let last = text.lines().last().unwrap();
            // The digits themselves: a number that went through floating point would differ.
            let field = format!("\"cost\":{expected},");
            assert!(
                last.contains(&field),
                "{model}, streamed {stream}: no {field} in {last}"
            );
        }
    }
    let stats = stage.run(&["stats", "--json"]).answer();
    let sums: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(sums["total"]["priced_requests"], 14);
    assert_eq!(sums["groups"]["claude"]["cache_write_tokens"], 40);
    assert_eq!(sums["groups"]["openai-thinks"]["reasoning_tokens"], 14);
    assert_eq!(
        sums["groups"]["ollama-thinks"]["cached_tokens"],
        Value::Null
    );
    // 2×(4×335.1 + 270.1 + 276.1 + 570.1) = 4913.4
    assert!(stats.contains("\"total_cost\":0.0049134,"), "{stats}");
}

#[test]
fn what_nobody_knows_the_price_of_stays_unknown() {
    let mut stage = Stage::new();
    let openai = stage.config["providers"]["openai"].clone();
    stage.config["providers"]["mine"] = openai;
    stage.config["providers"]["mine"]["plugin"] = "openai".into();
    stage.config["models"] = json!({
        "unknown": { "provider": "mine", "model_name": "gpt-4o-mini" },
        "listed": { "provider": "openai", "model_name": "gpt-4o-mini" },
        "single": { "provider": "openai", "model_name": "gpt-4o-mini", "cost_per_1k_tokens": 0.03 },
        "free": { "provider": "ollama", "model_name": "llama3.2" },
    });
    stage.config["default_model"] = "listed".into();
    let cost = |model: &str| {
        let answer = stage.run(&["query", "write 10 words", "--model", model, "--json"]);
        answer.json()["cost"].clone()
    };
    assert_eq!(cost("unknown"), Value::Null);
    // 3×0.15 + 10×0.60 = 6.45 millionths
    assert_eq!(cost("listed"), json!(0.00000645));
    // 13×30
    assert_eq!(cost("single"), json!(0.00039));
    assert_eq!(cost("free"), json!(0));
    let table = stage.run(&["stats", "--by", "provider"]).answer();
    assert!(table.contains("? (0 of 1 priced)"), "{table}");
    assert!(table.contains("(3 of 4 priced)"), "{table}");
    let own = r#"{"as_of": "2026-11-01", "models": {"mine/gpt-4o-mini": {"input_per_1m": 1, "output_per_1m": 1}}}"#;
    stage.config["prices"] = stage.file("prices.json", own).into();
    let answer = stage.run(&["query", "write 10 words", "--model", "unknown", "--json"]);
    assert_eq!(answer.json()["cost"], json!(0.000013));
}

#[test]
fn the_history_is_listed_searched_exported_and_cleared() {
    let stage = Stage::new();
    for question in ["今天北京的天气怎么样", "what is a monad"] {
        stage.run(&["query", question]).answer();
    }
    let failed = stage.run(&["query", "[[fault:400]]", "--model", "claude"]);
    assert_eq!(failed.code, Some(1));
    let rows = |arguments: &[&str]| -> Vec<Value> {
        let list = stage.run(arguments).json();
        list.as_array().unwrap().clone()
    };
    assert_eq!(rows(&["history", "list", "--json"]).len(), 3);
    assert_eq!(
        rows(&["history", "list", "--json", "--limit", "1"])[0]["model"],
        "claude"
    );
    let found = rows(&["history", "search", "天气", "--json"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["prompt"], "今天北京的天气怎么样");
    assert_eq!(
        rows(&["history", "list", "--failed", "--json"])[0]["outcome"],
        "error"
    );
    assert_eq!(
        rows(&[
            "history", "list", "--model", "openai", "--since", "1h", "--json"
        ])
        .len(),
        2
    );
    assert!(rows(&["history", "list", "--since", "2999-01-01", "--json"]).is_empty());
    stage
        .run(&["history", "list", "--since", "yesterday"])
        .fails(2, &["--since", "2026-11-01"]);
    let text = stage.run(&["history", "list"]).answer();
    assert!(
        text.contains("天气") && text.contains("invalid_request"),
        "{text}"
    );
    let id = found[0]["id"].to_string();
    let shown = stage.run(&["history", "show", &id]).answer();
    assert!(shown.contains("PROMPT\n今天北京的天气怎么样\n"), "{shown}");
    stage
        .run(&["history", "show", "999"])
        .fails(2, &["no exchange 999"]);
    let exported = rows(&["history", "export"]);
    assert_eq!(exported.len(), 3);
    let csv = stage
        .run(&["history", "export", "--format", "csv"])
        .answer();
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("id,at,at_ms,"), "{csv}");
    stage.run(&["history", "clear"]).fails(2, &["--yes"]);
    stage
        .run(&["history", "clear", "--model", "claude", "--yes"])
        .answer();
    assert_eq!(rows(&["history", "list", "--json"]).len(), 2);
    stage.run(&["history", "clear", "--yes"]).answer();
    assert!(rows(&["history", "list", "--json"]).is_empty());
}

#[test]
fn a_damaged_history_is_named_and_does_not_stop_an_answer() {
    let stage = Stage::new();
    stage.file("history.db", "no database ".repeat(999));
    stage.run(&["query", "hello"]).answer();
    stage.run(&["history", "list"]).fails(
        2,
        &["history.db is no history, or is damaged", "move it away"],
    );
}

/// Asks as it is told to by the environment. No test of its own: the others start it as a process.
#[test]
fn works_as_a_process() {
    let Ok(work) = std::env::var(WORK) else {
        return;
    };
    let questions: usize = work.parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let path = std::env::var(CONFIG).unwrap();
        leaks::know_environment();
        let config = Config::load(Path::new(&path), &Env::process()).unwrap();
        let service = MultiLlmService::new(config, Env::process());
        let numbers = 0..if questions == 0 {
            usize::MAX
        } else {
            questions
        };
        let service = &service;
        futures_util::stream::iter(numbers)
            .map(async |number| {
                let marker = format!("{}-{number}", std::process::id());
                let messages = [ChatMessage::user(marker.clone())];
                service.chat_completion(&messages, "openai").await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "done:{marker}").unwrap();
                out.flush().unwrap();
            })
            .buffer_unordered(8)
            .for_each(async |()| ())
            .await;
        service.close().await;
    });
}

fn worker(stage: &Stage, questions: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "history::works_as_a_process",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .current_dir(stage.folder.path())
        .env(WORK, questions.to_string())
        .env(CONFIG, stage.config_file())
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// What a worker says to have done, and when that was heard.
fn heard(child: &mut Child) -> std::thread::JoinHandle<Vec<(String, Instant)>> {
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        let mut done = vec![];
        for line in out.lines().map_while(Result::ok) {
            // The test harness writes its own words before the first one.
            if let Some((_, marker)) = line.split_once("done:") {
                done.push((marker.to_owned(), Instant::now()));
            }
        }
        done
    })
}

/// The prompts of all rows, after the database proved to be whole.
fn recorded(path: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut history = History::open(path).await.unwrap();
        history.check().await.unwrap();
        let entries = history.list(&Filter::default()).await.unwrap();
        history.close().await;
        entries
            .into_iter()
            .filter_map(|entry| entry.prompt)
            .collect()
    })
}

#[test]
fn eight_processes_write_four_thousand_rows() {
    const PROCESSES: usize = 8;
    const QUESTIONS: usize = 500;
    let stage = Stage::new();
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| worker(&stage, QUESTIONS)).collect();
    let heard: Vec<_> = children.iter_mut().map(heard).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let done: HashSet<String> = heard
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .map(|(marker, _)| marker)
        .collect();
    assert_eq!(done.len(), PROCESSES * QUESTIONS);
    let rows = recorded(&stage.folder.path().join("history.db"));
    assert_eq!(rows.len(), PROCESSES * QUESTIONS);
    assert_eq!(rows.into_iter().collect::<HashSet<_>>(), done);
}

/// What was heard of more than 100 ms before the kill is in the file, fifty times over.
#[test]
fn a_killed_process_loses_at_most_the_last_moment() {
    const KILLS: u64 = 50;
    const BOUND: Duration = Duration::from_millis(100);
    let stage = Stage::new();
    let path = stage.folder.path().join("history.db");
    let mut settled = HashSet::new();
    let mut all = 0;
    for round in 0..KILLS {
        let mut child = worker(&stage, 0);
        let heard = heard(&mut child);
        // Anywhere from before the first row to well into the work.
        let pause = 150 + round * 7919 % 450;
        let stalls = Stalls::watch();
        std::thread::sleep(Duration::from_millis(pause));
        let killed = Instant::now();
        child.kill().unwrap();
        let stall = stalls.longest();
        child.wait().unwrap();
        let done = heard.join().unwrap();
        all += done.len();
        let early = done
            .into_iter()
            .filter(|(_, at)| *at + BOUND + stall < killed);
        settled.extend(early.map(|(marker, _)| marker));
        if round % 10 == 9 {
            let rows: HashSet<String> = recorded(&path).into_iter().collect();
            let lost: Vec<_> = settled.difference(&rows).collect();
            assert!(lost.is_empty(), "round {round}: {lost:?}");
        }
    }
    assert!(
        settled.len() > 500,
        "too little work to tell: {} of {all}",
        settled.len()
    );
}
