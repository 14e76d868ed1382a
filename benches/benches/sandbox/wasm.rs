//! The adapter as a component, through the host's own sessions: conversion of all types included.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use multillm::plugin::{Plugin, wire};

use crate::BATCHES;
use crate::measure::{Clock, Costs};
use crate::sample::Sample;

pub(crate) async fn costs(plugin: &Plugin, sample: &Sample) -> Result<Costs> {
    let mut instantiate = Clock::start();
    while instantiate.goes_on() {
        let begun = Instant::now();
        let session = plugin.session().await?;
        instantiate.sample(begun, 1);
        drop(black_box(session));
    }
    let mut session = plugin.session().await?;
    let mut encode = Clock::start();
    while encode.goes_on() {
        let begun = Instant::now();
        let encoded = session
            .encode(&sample.target, &sample.request, false)
            .await?;
        encode.sample(begun, 1);
        black_box(encoded?);
    }
    let mut decode = Clock::start();
    while decode.goes_on() {
        let response = wire::Response {
            status: sample.status,
            headers: sample.headers.clone(),
            body: sample.body.clone(),
        };
        let begun = Instant::now();
        let decoded = session.decode(&sample.target, response).await?;
        decode.sample(begun, 1);
        black_box(decoded?);
    }
    let mut end = Clock::start();
    while end.goes_on() {
        let mut session = plugin.session().await?;
        let encoded = session
            .encode(&sample.target, &sample.request, false)
            .await?;
        black_box(encoded?);
        let response = wire::Response {
            status: sample.status,
            headers: sample.headers.clone(),
            body: sample.body.clone(),
        };
        black_box(session.decode(&sample.target, response).await??);
        let begun = Instant::now();
        drop(session);
        end.sample(begun, 1);
    }
    let frames: Vec<_> = sample
        .frames
        .iter()
        .map(|frame| wire::Frame {
            event: frame.event.clone(),
            data: frame.data.clone(),
        })
        .collect();
    let mut event = vec![];
    for size in BATCHES {
        let mut clock = Clock::start();
        while clock.goes_on() {
            let mut decoder = plugin.session().await?.into_decoder(&sample.target).await?;
            let batches: Vec<_> = frames.chunks(size).map(<[_]>::to_vec).collect();
            let begun = Instant::now();
            for batch in batches {
                black_box(decoder.push(batch).await?);
            }
            clock.sample(begun, frames.len());
        }
        event.push(clock.median());
    }
    Ok(Costs {
        instantiate: instantiate.median(),
        encode: encode.median(),
        decode: decode.median(),
        end: end.median(),
        event,
    })
}
