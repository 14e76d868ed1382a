//! The hostile guest: whatever it tries fails that one exchange, by name, and harms nobody else.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use multillm::chat::{ChatMessage, ChatRequest, MediaPart};
use multillm::{ErrorKind, MultiLlmService};
use multillm_simulator::Options;
use serde_json::{Value, json};

use crate::answers::ask;
use crate::stage::{PICTURE, Stage};

/// An attack, the question that lets it happen, and what the caller must be told.
struct Attack {
    settings: Value,
    question: &'static str,
    streamed: bool,
    kind: ErrorKind,
    says: &'static str,
}

fn attack(settings: Value, question: &'static str, streamed: bool, says: &'static str) -> Attack {
    Attack {
        settings,
        question,
        streamed,
        kind: ErrorKind::Plugin,
        says,
    }
}

/// Where a guest can run away, and how to get it there: function, question, streamed.
const PLACES: [(&str, &str, bool); 6] = [
    ("encode", "Hello", false),
    ("decode", "Hello", false),
    ("decode-error", "[[fault:500]]", false),
    ("decoder", "Hello", true),
    ("push", "Hello", true),
    ("finish", "[[fault:no-done]]", true),
];

fn attacks() -> Vec<Attack> {
    let runaways = [
        ("loop", "computed for more than 200 ms"),
        ("recursion", "crashed"),
        ("memory-bomb", "memory"),
        ("trap", "crashed"),
        // What a panic said, and where.
        ("panic", "tests/guests/hostile/src/attack.rs:"),
    ];
    let mut attacks = vec![
        attack(
            json!({ "attack": "giant-output", "count": 8 }),
            "Hello",
            false,
            "returned too much",
        ),
        attack(
            json!({ "attack": "giant-parts", "count": 1_000_000 }),
            "Hello",
            false,
            "returned too much",
        ),
        attack(
            json!({ "attack": "many-events", "count": 1_000_000 }),
            "Hello",
            true,
            "\"hostile\"",
        ),
        attack(
            json!({ "attack": "many-events", "count": 101_000 }),
            "Hello",
            true,
            "returned too much",
        ),
        attack(
            json!({ "attack": "unknown-blob" }),
            "Hello",
            false,
            "blob 99",
        ),
        attack(
            json!({ "attack": "many-headers", "count": 1000 }),
            "Hello",
            false,
            "more than 64 headers",
        ),
        Attack {
            kind: ErrorKind::Truncated,
            ..attack(
                json!({ "attack": "never-finish" }),
                "Hello",
                true,
                "end marker",
            )
        },
    ];
    for (what, says) in runaways {
        for (place, question, streamed) in PLACES {
            attacks.push(attack(
                json!({ "attack": format!("{what}@{place}") }),
                question,
                streamed,
                says,
            ));
        }
    }
    attacks
}

/// A service with one model for each of these settings, `attack-0` and so on. Few instances: one
/// that was lost would be missed.
pub(crate) fn besieged(settings: impl IntoIterator<Item = Value>) -> (Stage, MultiLlmService) {
    let stage = besieged_with(Options::default(), settings);
    let service = stage.service();
    (stage, service)
}

/// The same before there is a service.
pub(crate) fn besieged_with(options: Options, settings: impl IntoIterator<Item = Value>) -> Stage {
    let mut stage = Stage::with(options);
    stage.config["limits"] =
        json!({ "plugin_cpu_ms": 200, "plugin_output_mb": 4, "max_concurrency": 8 });
    for (number, settings) in settings.into_iter().enumerate() {
        stage.admit_hostile(&format!("attack-{number}"), settings);
    }
    stage
}

async fn answer(
    service: &MultiLlmService,
    request: ChatRequest,
    model: &str,
    streamed: bool,
) -> multillm::Result<multillm::ChatResponse> {
    match streamed {
        true => service.stream(request, model).await?.collect().await,
        false => service.chat(request, model).await,
    }
}

async fn healthy(service: &MultiLlmService) -> Duration {
    let begun = Instant::now();
    let answer = service.chat(ask("Hello"), "openai").await.unwrap();
    assert!(answer.content().contains("You said: Hello"));
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attack_fails_alone_and_by_name() {
    let attacks = attacks();
    let (_stage, service) = besieged(attacks.iter().map(|attack| attack.settings.clone()));
    healthy(&service).await;
    let mut wrong = vec![];
    for (number, attack) in attacks.iter().enumerate() {
        let model = format!("attack-{number}");
        match answer(&service, ask(attack.question), &model, attack.streamed).await {
            Err(error) if error.kind == attack.kind && error.message.contains(attack.says) => {}
            other => wrong.push(format!("{}: {other:?}", attack.settings)),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // More at once than there are instances: none was lost.
    join_all((0..16).map(|_| healthy(&service))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_requests_go_on_meanwhile() {
    let (_stage, service) = besieged(
        [
            "loop@encode",
            "memory-bomb@push",
            "recursion@decode",
            "trap@encode",
        ]
        .map(|name| json!({ "attack": name })),
    );
    healthy(&service).await;
    let calm: Vec<Duration> = join_all((0..100).map(|_| healthy(&service))).await;
    let attackers: Vec<_> = (0..4)
        .map(|number| {
            let service = service.clone();
            tokio::spawn(async move {
                let model = format!("attack-{number}");
                let mut failures = 0;
                for _ in 0..5 {
                    let failed = answer(&service, ask("Hello"), &model, number == 1).await;
                    failures += usize::from(failed.is_err());
                }
                failures
            })
        })
        .collect();
    let besieged = join_all((0..100).map(|_| healthy(&service))).await;
    for attacker in attackers {
        assert_eq!(attacker.await.unwrap(), 5);
    }
    let longest = |times: &[Duration]| *times.iter().max().unwrap();
    let allowed = longest(&calm) * 4 + Duration::from_secs(2);
    assert!(
        longest(&besieged) < allowed,
        "{:?}, calm {:?}",
        longest(&besieged),
        longest(&calm)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_knows_nothing_of_the_one_before() {
    let (stage, service) = besieged([json!({ "attack": "count-calls" })]);
    for _ in 0..5 {
        let answer = service.chat(ask("Hello"), "attack-0").await.unwrap();
        assert!(
            answer.content().contains("call 1 of this instance"),
            "{}",
            answer.content()
        );
    }
    assert_eq!(stage.simulator.requests(), 5);
}

/// A stream is seen to be one, whatever the plugin said of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_framing_harms_nobody() {
    let (_stage, service) = besieged([json!({ "attack": "wrong-framing" })]);
    let answer = answer(&service, ask("Hello"), "attack-0", true)
        .await
        .unwrap();
    assert!(answer.content().contains("You said: Hello"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lies_about_numbers_break_nothing() {
    let (stage, service) = besieged([
        json!({ "attack": "huge-usage" }),
        json!({ "attack": "retry-forever" }),
        json!({ "attack": "done-at-once" }),
        json!({ "attack": "blob-bomb", "count": 1_000_000 }),
    ]);
    let answer = service.chat(ask("Hello"), "attack-0").await.unwrap();
    // No vendor counts as far as that: it is unknown.
    assert_eq!(answer.usage.prompt_tokens, None);
    serde_json::to_string(&answer).unwrap();
    let begun = Instant::now();
    let error = service
        .chat(ask("[[fault:500]]"), "attack-1")
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{error:?}");
    let empty = service
        .stream(ask("Hello"), "attack-2")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(empty.content(), "");
    let before = stage.simulator.requests();
    let picture = MediaPart::bytes(&PICTURE[..]).unwrap();
    let request = ChatRequest::new([ChatMessage::user("Hello").with_media(picture)]);
    let error = service.chat(request, "attack-3").await.unwrap_err();
    let kinds = [ErrorKind::PayloadTooLarge, ErrorKind::Plugin];
    assert!(kinds.contains(&error.kind), "{error:?}");
    assert_eq!(stage.simulator.requests(), before);
    service.close().await;
}
