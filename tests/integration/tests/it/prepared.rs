//! What is prepared once serves every exchange, and is prepared anew when a key is another one.

use multillm::{ChatMessage, ErrorKind, MultiLlmService};
use multillm_simulator::{Options, Vendor};
use serde_json::json;

use crate::stage::Stage;

const OTHER: &str = "sk-Ru5nW8kTqY3vLb7Z";

fn stage(source: impl FnOnce(&Stage) -> (&'static str, serde_json::Value)) -> Stage {
    let mut stage = Stage::with(Options {
        keys: vec![OTHER.into()],
        ..Options::default()
    });
    let (name, value) = source(&stage);
    let provider = stage.config["providers"]["openai"].as_object_mut().unwrap();
    provider.remove("api_key_env");
    provider.insert(name.into(), value);
    stage
}

async fn ask(service: &MultiLlmService) -> Result<(), ErrorKind> {
    let messages = [ChatMessage::user("Hello")];
    let asked = service.chat_completion(&messages, "openai").await;
    asked.map(drop).map_err(|error| error.kind)
}

/// The keys that were sent, in order.
fn keys(stage: &Stage) -> Vec<String> {
    let log = stage.simulator.log();
    let key = |exchange: &multillm_simulator::Exchange| {
        let sent = exchange.header("authorization").unwrap();
        sent.strip_prefix("Bearer ").unwrap().to_owned()
    };
    log.iter().map(key).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_that_a_program_prints_is_fetched_once_and_anew_when_it_was_refused() {
    let stage = stage(|stage| {
        let (key, runs) = (
            stage.file("key", "sk-refused-0123456789"),
            stage.file("runs", ""),
        );
        let script = format!("echo run >> {runs}; cat {key}");
        ("api_key_command", json!(["sh", "-c", script]))
    });
    let runs = || {
        let runs = std::fs::read_to_string(stage.folder.path().join("runs")).unwrap();
        runs.lines().count()
    };
    let service = stage.service();
    assert_eq!(ask(&service).await, Err(ErrorKind::Authentication));
    assert_eq!(runs(), 1);
    stage.file("key", OTHER);
    for _ in 0..3 {
        assert_eq!(ask(&service).await, Ok(()));
    }
    assert_eq!(runs(), 2);
    assert_eq!(keys(&stage)[1..], [OTHER, OTHER, OTHER]);
    service.close().await;
    // A key is nobody's business when the folder is looked through.
    stage.file("key", "");
}

#[tokio::test]
async fn a_key_that_changes_in_its_file_is_the_next_that_is_sent() {
    let own = Vendor::OpenAi.key();
    let stage = stage(|stage| ("api_key_file", stage.file("key", &own).into()));
    let service = stage.service();
    assert_eq!(ask(&service).await, Ok(()));
    stage.file("key", OTHER);
    assert_eq!(ask(&service).await, Ok(()));
    assert_eq!(keys(&stage), [own, OTHER.to_owned()]);
    service.close().await;
    stage.file("key", "");
}

#[tokio::test]
async fn a_reload_brings_settings_headers_and_addresses() {
    let mut stage = Stage::new();
    stage.config["providers"]["openai"]["headers"] = json!({ "x-team": "one" });
    let service = stage.service();
    assert_eq!(ask(&service).await, Ok(()));
    stage.config["providers"]["openai"]["headers"] = json!({ "x-team": "two" });
    stage.config["models"]["openai"]["settings"] = json!({ "organization": "org-x" });
    stage.config_file();
    service.reload().await.unwrap();
    assert_eq!(ask(&service).await, Ok(()));
    let log = stage.simulator.log();
    let team = |at: usize| log[at].header("x-team");
    assert_eq!((team(0), team(1)), (Some("one"), Some("two")));
    assert_eq!(log[0].header("openai-organization"), None);
    assert_eq!(log[1].header("openai-organization"), Some("org-x"));
    service.close().await;
}
