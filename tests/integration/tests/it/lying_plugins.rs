//! Components of the right type that do not keep the contract once they run: written by hand,
//! as no compiler would let a plugin do this.

use multillm::plugin::{PluginError, wire};

use crate::bad_plugins::Bench;
use crate::component::{Description, Guest};

const DESCRIBE: &str = "multillm:provider/metadata@0.1.0#describe";

#[tokio::test]
async fn a_description_that_lies_is_refused() {
    let bench = Bench::new();
    let lies = [
        (
            "no name",
            Description {
                name: vec![],
                ..Description::default()
            },
        ),
        (
            "a path",
            Description {
                name: b"../../etc".to_vec(),
                ..Description::default()
            },
        ),
        (
            "two lines",
            Description {
                title: b"OpenAI\nkey: none".to_vec(),
                ..Description::default()
            },
        ),
        (
            "a terminal",
            Description {
                title: b"\x1b]0;x\x07".to_vec(),
                ..Description::default()
            },
        ),
        (
            "a novel",
            Description {
                title: vec![b'x'; 5000],
                ..Description::default()
            },
        ),
        (
            "too many secrets",
            Description {
                secrets: 9,
                ..Description::default()
            },
        ),
        (
            "nameless secrets",
            Description {
                secrets: 1,
                ..Description::default()
            },
        ),
    ];
    for (what, description) in lies {
        let error = bench
            .load(&Guest::describing(&description).build())
            .await
            .unwrap_err();
        assert!(
            matches!(error, PluginError::BadDescription { .. }),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn a_description_that_is_none_is_contained() {
    let bench = Bench::new();
    let free = bench.engine.free_instances();
    let of = |description| Guest::describing(&description);
    let own = Description::default;
    let guests = [
        (
            "invalid UTF-8",
            of(Description {
                name: b"\xff\xfe".to_vec(),
                ..own()
            }),
        ),
        (
            "an undefined case",
            of(Description {
                capability: 200,
                ..own()
            }),
        ),
        (
            "a text outside memory",
            of(Description {
                name_at: Some(u32::MAX - 2),
                ..own()
            }),
        ),
        (
            "a billion secrets",
            of(Description {
                secrets: 1 << 30,
                ..own()
            }),
        ),
        ("a trap", Guest::new()),
        (
            "a result outside memory",
            Guest::new().body(DESCRIBE, "i32.const -8"),
        ),
        (
            "a result out of line",
            Guest::new().body(DESCRIBE, "i32.const 1025"),
        ),
        ("a trap at the start", of(own()).start("unreachable")),
        ("endless recursion", of(own()).start("call $start")),
    ];
    for (what, guest) in guests {
        let error = bench.load(&guest.build()).await.unwrap_err();
        assert!(matches!(error, PluginError::Trap { .. }), "{what}: {error}");
        assert!(error.to_string().contains("\"guest\""), "{what}: {error}");
    }
    let loops = [
        (
            "in describe",
            Guest::new().body(DESCRIBE, "(loop (br 0)) unreachable"),
        ),
        ("at the start", of(own()).start("(loop (br 0))")),
    ];
    for (what, guest) in loops {
        let begun = std::time::Instant::now();
        let error = bench.load(&guest.build()).await.unwrap_err();
        assert!(matches!(error, PluginError::Cpu { .. }), "{what}: {error}");
        assert!(
            begun.elapsed().as_secs() < 20,
            "{what}: {:?}",
            begun.elapsed()
        );
    }
    let large = of(own()).pages(2000).build();
    let error = bench.load(&large).await.unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
    assert_eq!(
        bench.engine.free_instances(),
        free,
        "every instance was given back"
    );
    bench.load(&of(own()).build()).await.unwrap();
}

/// A decoder whose every batch returns what lies at this place.
fn decoding(events: Vec<u8>) -> Guest {
    let list_at = 2048_u32;
    let mut pair = list_at.to_le_bytes().to_vec();
    pair.extend(1_u32.to_le_bytes());
    Guest::describing(&Description::default())
        .import(
            "[export]multillm:provider/chat@0.1.0",
            "[resource-new]decoder",
            "(param i32) (result i32)",
        )
        .body(
            "multillm:provider/chat@0.1.0#[constructor]decoder",
            "(call $import0 (i32.const 7))",
        )
        .body(
            "multillm:provider/chat@0.1.0#[method]decoder.push",
            "i32.const 512",
        )
        .body(
            "multillm:provider/chat@0.1.0#[method]decoder.finish",
            "i32.const 512",
        )
        .data(512, pair)
        .data(list_at, events)
}

async fn pushed(bench: &Bench, events: Vec<u8>) -> Result<Vec<wire::Event>, PluginError> {
    let plugin = bench.load(&decoding(events).build()).await.unwrap();
    let target = wire::Target {
        model: "m".into(),
        settings: "{}".into(),
        wire: String::new(),
    };
    let mut decoder = plugin
        .session()
        .await
        .unwrap()
        .into_decoder(&target)
        .await
        .unwrap();
    let frame = wire::Frame {
        event: None,
        data: "x".into(),
    };
    decoder.push(vec![frame]).await
}

#[tokio::test]
async fn events_that_are_none_are_contained() {
    let bench = Bench::new();
    // The case `done` is the 12th; a text is the second, with its place and length behind it.
    let mut done = vec![0; 256];
    done[0] = 11;
    assert_eq!(pushed(&bench, done).await.unwrap(), [wire::Event::Done]);
    let mut undefined = vec![0; 256];
    undefined[0] = 99;
    let mut outside = vec![0xff; 256];
    outside[0] = 1;
    let mut no_text = vec![0; 256];
    no_text[0] = 1;
    no_text[8..12].copy_from_slice(&2200_u32.to_le_bytes());
    no_text[12..16].copy_from_slice(&3_u32.to_le_bytes());
    no_text[152..155].copy_from_slice(b"\xff\xfe\xfd");
    for (what, events) in [
        ("undefined", undefined),
        ("outside", outside),
        ("no text", no_text),
    ] {
        let error = pushed(&bench, events).await.unwrap_err();
        assert!(
            matches!(
                error,
                PluginError::Trap {
                    call: "decoder.push",
                    ..
                }
            ),
            "{what}: {error}"
        );
    }
}
