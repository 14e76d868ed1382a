//! The adapter as plain Rust.

use std::hint::black_box;
use std::time::Instant;

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::testing::{ask, says};
use multillm_plugin_sdk::{Decoder as _, Frame, Mode, Provider, Response, Role, Target};

use crate::BATCHES;
use crate::measure::{Clock, Costs};
use crate::sample::{Sample, question};

pub(crate) fn costs<P: Provider>(sample: &Sample) -> Costs {
    let target = Target {
        model: sample.target.model.clone(),
        settings: sample.target.settings.clone(),
        wire: sample.target.wire.clone(),
    };
    let mut request = ask(vec![
        says(Role::System, "Be brief."),
        says(Role::User, &question()),
    ]);
    request.sampling.max_tokens = Some(2000);
    let response = Response {
        status: sample.status,
        headers: sample.headers.clone(),
        body: sample.body.clone(),
    };
    let frames: Vec<_> = sample
        .frames
        .iter()
        .map(|frame| Frame {
            event: frame.event.clone(),
            data: frame.data.clone(),
        })
        .collect();

    let mut encode = Clock::start();
    while encode.goes_on() {
        let begun = Instant::now();
        let encoded = P::encode(black_box(&target), black_box(&request), Mode::Whole);
        encode.sample(begun, 1);
        black_box(encoded.is_ok());
    }
    let mut decode = Clock::start();
    while decode.goes_on() {
        let begun = Instant::now();
        let decoded = P::decode(black_box(&target), black_box(&response));
        decode.sample(begun, 1);
        black_box(decoded.is_ok());
    }
    let event = BATCHES
        .iter()
        .map(|size| {
            let mut clock = Clock::start();
            while clock.goes_on() {
                let mut decoder = P::Decoder::new(&target);
                let begun = Instant::now();
                for batch in frames.chunks(*size) {
                    let mut events = Events::new();
                    for frame in batch {
                        black_box(decoder.frame(black_box(frame), &mut events).is_ok());
                    }
                    black_box(events.into_inner());
                }
                clock.sample(begun, frames.len());
            }
            clock.median()
        })
        .collect();
    Costs {
        instantiate: 0.0,
        encode: encode.median(),
        decode: decode.median(),
        end: 0.0,
        event,
    }
}
