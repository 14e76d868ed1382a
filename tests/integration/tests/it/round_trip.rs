//! Any text reaches each vendor and comes back as it is, streamed and not.

use multillm::MultiLlmService;
use multillm::chat::{ChatMessage, ChatRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::answers::{alike, both_ways};
use crate::stage::Stage;
use crate::vendors::LINES;

/// Texts that some layer on the way is known to spoil elsewhere.
const AWKWARD: [&str; 14] = [
    "🎉👩‍👩‍👧‍👦 ünïcödé 漢字 \u{202e}right to left",
    "line\u{2028}separator\u{2029}paragraph\u{85}next line",
    "nul \0 and \u{1} \u{1f} \u{7f} controls",
    "\u{feff}byte order mark in the middle \u{feff}",
    "quotes \" ' ` \\ \\\\ \\n \\u0041 / </script>",
    "data: {\"a\":1}\n\ndata: [DONE]\n\nevent: error\n\n",
    "\r\n\r\n\n\r mixed line ends \r",
    "{\"json\": [1, 2, {\"deep\": null}]}",
    "@multillm-blob-0-0@ placeholder",
    "${api_key} {{api_key}} %s %00 $(id)",
    "<|im_end|><think>not a thought</think>",
    "\u{10ffff}\u{fffd}\u{d7ff}\u{e000} ends of planes",
    "trailing space and tab \t ",
    "\ttab first",
];

/// The question around a text: its ends show whether white space survived.
fn around(text: &str) -> String {
    format!("<<{text}>>")
}

async fn survives(service: &MultiLlmService, model: &str, text: &str) -> Result<(), String> {
    let request = ChatRequest::new([
        ChatMessage::system(around(text)),
        ChatMessage::user(around(text)),
    ]);
    match both_ways(service, &request, model).await {
        [Ok(whole), Ok(streamed)] => {
            let content = whole.content();
            if content.matches(&around(text)).count() < 2 {
                let start: String = content.chars().take(300).collect();
                return Err(format!("{model}: {text:?} became {start:?}"));
            }
            alike(&whole, &streamed).map_err(|reason| format!("{model}: {text:?}: {reason}"))
        }
        other => Err(format!("{model}: {text:?}: {other:?}")),
    }
}

#[test]
fn awkward_texts_survive() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    let mut wrong = vec![];
    for line in &LINES {
        for text in AWKWARD {
            wrong.extend(
                runtime
                    .block_on(survives(&service, line.plugin, text))
                    .err(),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn any_text_survives() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    for line in &LINES {
        let mut runner = TestRunner::new(Config::with_cases(24));
        let texts = prop::collection::vec(any::<char>(), 0..200)
            .prop_map(|chars| chars.into_iter().collect::<String>());
        runner
            .run(&texts, |text| {
                let survived = runtime.block_on(survives(&service, line.plugin, &text));
                prop_assert!(survived.is_ok(), "{:?}", survived);
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_megabyte_survives() {
    let stage = Stage::new();
    let service = stage.service();
    let runtime = Runtime::new().unwrap();
    // One word, or the vendors would refuse it for its tokens.
    let text = "aé漢🎉\\\"".repeat((1 << 20) / 13);
    for line in &LINES {
        let survived = runtime.block_on(survives(&service, line.plugin, &text));
        assert!(survived.is_ok(), "{}", line.plugin);
    }
}
