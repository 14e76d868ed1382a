//! Another configuration while requests run.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use multillm::config::{Config, Env};
use multillm::error::ErrorKind;
use multillm::{ChatMessage, MultiLlmService};
use serde_json::json;

use crate::stage::{Stage, plugin_dir};

/// The component with a custom section of no meaning behind it: another file that does the same.
fn another(component: &[u8], mark: u8) -> Vec<u8> {
    [component, &[0, 2, 1, mark]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_reloads_under_load_lose_and_double_nothing() {
    let mut stage = Stage::new();
    let own = stage.folder.path().join("own.wasm");
    let component = fs::read(plugin_dir().join("openai.wasm")).unwrap();
    fs::write(&own, &component).unwrap();
    stage.config["plugins"] = json!({ "openai": { "path": own } });
    let service = stage.service();
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let (service, stop, asked) = (service.clone(), stop.clone(), asked.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = asked.fetch_add(1, Ordering::Relaxed);
                    let text = format!("question {worker} {number}");
                    let answer = service
                        .chat_completion(&[ChatMessage::user(&text)], "openai")
                        .await;
                    assert!(answer.unwrap().content().contains(&text));
                }
            })
        })
        .collect();
    for number in 0..200_u32 {
        match number {
            50 => {
                stage.config["models"]["openai"]["provider"] = "nobody".into();
                stage.config_file();
                let error = service.reload().await.unwrap_err();
                assert_eq!(error.kind, ErrorKind::Configuration);
                assert!(error.message.contains("nobody"), "{error}");
                stage.config["models"]["openai"]["provider"] = "openai".into();
            }
            90 => {
                fs::write(&own, b"\0asm, but not really").unwrap();
                let error = service.reload().await.unwrap_err();
                assert!(error.message.contains("own.wasm"), "{error}");
                fs::write(&own, &component).unwrap();
            }
            130 => {
                fs::write(&own, another(&component, b'a')).unwrap();
                let done = service.reload().await.unwrap();
                assert_eq!(done.plugins, ["openai"]);
            }
            _ => {
                stage.config["models"]["openai"]["max_tokens"] = (100 + number).into();
                stage.config["models"]["extra"] = json!({
                    "provider": "openai", "model_name": "gpt-4o-mini", "enabled": number % 2 == 0,
                });
                stage.config_file();
                service.reload().await.unwrap();
                let extra = service.config().model("extra").unwrap().enabled;
                assert_eq!(extra, number % 2 == 0);
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    service.close().await;
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked > 100, "there was no load: {asked}");
    assert_eq!(stage.simulator.requests(), asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_noticed_and_a_bad_one_refused() {
    let mut stage = Stage::new();
    let service = stage.service();
    let (sender, mut news) = tokio::sync::mpsc::unbounded_channel();
    let watch = service
        .watch(move |outcome| drop(sender.send(outcome)))
        .unwrap();
    let mut next = async || {
        let told = tokio::time::timeout(Duration::from_secs(10), news.recv()).await;
        told.expect("nothing was noticed").unwrap()
    };
    stage.config["models"]["fresh"] = json!({ "provider": "openai", "model_name": "gpt-4o-mini" });
    stage.config_file();
    assert_eq!(next().await.unwrap().added, ["fresh"]);
    service
        .chat_completion(&[ChatMessage::user("hi")], "fresh")
        .await
        .unwrap();

    let path = stage.config_file();
    fs::write(&path, "{ not json").unwrap();
    assert!(next().await.is_err());
    service
        .chat_completion(&[ChatMessage::user("hi")], "fresh")
        .await
        .unwrap();

    // As editors do: another file takes the place of the old one.
    stage.config["models"]
        .as_object_mut()
        .unwrap()
        .remove("fresh");
    let beside = stage.file("beside.json", stage.config.to_string());
    fs::rename(beside, &path).unwrap();
    assert_eq!(next().await.unwrap().removed, ["fresh"]);
    drop(watch);
    service.close().await;
}

/// Whether a service on this file comes to know the model `fresh` after the change.
#[cfg(unix)]
async fn notices(stage: &Stage, path: std::path::PathBuf, change: impl AsyncFnOnce()) -> bool {
    let env = Env::fixed(stage.folder.path(), stage.variables.clone());
    let service = MultiLlmService::new(Config::load(&path, &env).unwrap(), env);
    let watch = service.watch(|_| {}).unwrap();
    change().await;
    let mut known = false;
    for _ in 0..100 {
        known = service.knows("fresh").is_ok();
        if known {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(watch);
    service.close().await;
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg(unix)]
async fn a_change_is_noticed_however_the_file_comes_to_be_another() {
    use std::os::unix::fs::symlink;

    let mut stage = Stage::new();
    let old = stage.config.to_string();
    stage.config["models"]["fresh"] = json!({ "provider": "openai", "model_name": "gpt-4o-mini" });
    let new = stage.config.to_string();
    let root = stage.folder.path().to_owned();
    let place = |name: &str| root.join(name);
    let make = |folder: &str, text: &str| {
        fs::create_dir_all(root.join(folder)).unwrap();
        fs::write(root.join(folder).join("c.json"), text).unwrap();
    };

    // The folder is a link that is switched.
    make("v1", &old);
    make("v2", &new);
    symlink("v1", place("now")).unwrap();
    let switched = notices(&stage, place("now/c.json"), async || {
        symlink("v2", place("next")).unwrap();
        fs::rename(place("next"), place("now")).unwrap();
    });
    assert!(switched.await, "a switched folder");

    // The file is a link into a folder that is a link which is switched, as Kubernetes mounts.
    make("map/..1", &old);
    make("map/..2", &new);
    symlink("..1", place("map/..data")).unwrap();
    symlink("..data/c.json", place("map/c.json")).unwrap();
    let mapped = notices(&stage, place("map/c.json"), async || {
        symlink("..2", place("map/..next")).unwrap();
        fs::rename(place("map/..next"), place("map/..data")).unwrap();
        fs::remove_dir_all(place("map/..1")).unwrap();
    });
    assert!(mapped.await, "a mounted configuration");

    // The folder is removed and made anew, and not at once.
    make("made", &old);
    let made = notices(&stage, place("made/c.json"), async || {
        fs::remove_dir_all(place("made")).unwrap();
        tokio::time::sleep(Duration::from_millis(800)).await;
        make("made", &new);
    });
    assert!(made.await, "a folder made anew");

    // The file is a link, and what it leads to is written in place.
    make("real", &old);
    symlink(place("real/c.json"), place("link.json")).unwrap();
    let linked = notices(&stage, place("link.json"), async || make("real", &new));
    assert!(linked.await, "a file behind a link");

    // As editors do: the old one becomes a backup.
    make("edit", &old);
    let edited = notices(&stage, place("edit/c.json"), async || {
        fs::rename(place("edit/c.json"), place("edit/c.json~")).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        make("edit", &new);
    });
    assert!(edited.await, "a backup");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_away_for_a_moment_is_no_news() {
    let stage = Stage::new();
    let service = stage.service();
    let (sender, mut news) = tokio::sync::mpsc::unbounded_channel();
    let _watch = service
        .watch(move |outcome| drop(sender.send(outcome)))
        .unwrap();
    let path = stage.config_file();
    let text = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    fs::write(&path, &text).unwrap();
    let told = tokio::time::timeout(Duration::from_secs(10), news.recv()).await;
    assert!(
        told.unwrap().unwrap().is_ok(),
        "the way back is what is told"
    );

    fs::remove_file(&path).unwrap();
    let told = tokio::time::timeout(Duration::from_secs(20), news.recv()).await;
    assert!(told.unwrap().unwrap().is_err(), "gone for good is told");
    service.close().await;
}
