//! Faults that change a reply which would have been good: its events, its body or its delivery.

use std::time::Duration;

use bytes::Bytes;

use crate::reply::{Body, Ending, Event, EventKind, Point, Reply};
use crate::server::http1::Request;
use crate::vendor::Vendor;

use super::{Failure, Fault, Faults};

/// The forms in which one vendor reports failures and frames its stream.
pub(crate) trait Forms {
    fn vendor(&self) -> Vendor;

    /// The vendor's answer for a failure; none where the vendor has no such failure.
    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply>;

    /// The events that report an error inside a stream which began well, up to its end.
    fn stream_error(&self) -> Vec<Event>;

    /// One event around a JSON text (which a fault may have broken).
    fn frame(&self, json: &str) -> Bytes;

    /// What keeps an idle stream alive and means nothing; none where the framing has no such thing.
    fn keepalive(&self) -> Option<Bytes>;
}

/// Changes a good reply as the faults ask. `Err` tells what was asked wrongly.
pub(crate) fn apply(
    faults: &Faults,
    mut reply: Reply,
    forms: &dyn Forms,
    request: &Request,
) -> Result<Reply, String> {
    for fault in &faults.0 {
        if Failure::of(fault).is_some() {
            continue;
        }
        let known = to_content(fault, &mut reply, forms)?
            || to_delivery(fault, &mut reply, forms, request)?;
        if !known {
            return Err(format!("unknown fault {:?}", fault.name));
        }
    }
    Ok(reply)
}

/// Faults in what is said.
fn to_content(fault: &Fault, reply: &mut Reply, forms: &dyn Forms) -> Result<bool, String> {
    match fault.name.as_str() {
        "huge-event" | "giant-body" => {}
        "first-event-error" => *events(fault, reply)? = forms.stream_error(),
        "mid-stream-error" => {
            let events = events(fault, reply)?;
            keep(events, fault.size("k", 3));
            events.extend(forms.stream_error());
        }
        "done-after-error" => {
            let events = events(fault, reply)?;
            let done: Vec<Event> = events
                .iter()
                .filter(|event| event.kind == EventKind::Done)
                .cloned()
                .collect();
            keep(events, fault.size("k", 3));
            events.extend(forms.stream_error());
            if done.is_empty() {
                return Err(format!(
                    "unknown fault \"done-after-error\" for {}: it has no marker",
                    forms.vendor().name()
                ));
            }
            if !events.iter().any(|event| event.kind == EventKind::Done) {
                events.extend(done);
            }
        }
        "no-done" => {
            let events = events(fault, reply)?;
            let before = events.len();
            events.retain(|event| event.kind != EventKind::Done);
            if events.len() == before {
                return Err(format!(
                    "unknown fault \"no-done\" for {}: it has no marker",
                    forms.vendor().name()
                ));
            }
        }
        "keepalive-comments" => {
            let filler = keepalive(fault, forms)?;
            let events = events(fault, reply)?;
            let spaced = events
                .drain(..)
                .flat_map(|event| [Event::part(filler.clone()), event])
                .collect();
            *events = spaced;
        }
        "malformed-json" => spoil(fault, reply, forms, "{\"id\": \"x\", \"broken\": [1, "),
        "wrong-shape" => {
            let text = match fault.text("shape").unwrap_or("object") {
                "array" => "[]",
                "string" => "\"unexpected\"",
                "number" => "7",
                "null" => "null",
                "object" => "{}",
                other => return Err(format!("wrong-shape knows no shape {other:?}")),
            };
            spoil(fault, reply, forms, text);
        }
        "non-json" => {
            let page = "<!DOCTYPE html><html><body>Please sign in to this network</body></html>";
            *reply = Reply::new(status(fault, 200), "text/html; charset=utf-8", page);
        }
        "empty-body" => *reply = Reply::new(status(fault, 200), "application/json", Bytes::new()),
        "wrong-content-type" => {
            reply.set_header("content-type", fault.text("type").unwrap_or("text/plain"))
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Faults in how it is sent.
fn to_delivery(
    fault: &Fault,
    reply: &mut Reply,
    forms: &dyn Forms,
    request: &Request,
) -> Result<bool, String> {
    let millis = |default: u64| Duration::from_millis(fault.number("ms", default));
    let point = point(fault, reply);
    let delivery = &mut reply.delivery;
    match fault.name.as_str() {
        "cut" => delivery.ending = Ending::Cut(point),
        "cut-at" => delivery.ending = Ending::Cut(Point::Bytes(fault.size("byte", 0))),
        "drop" => delivery.ending = Ending::Drop(point),
        "reset" => delivery.ending = Ending::Reset(point),
        "stall" => delivery.ending = Ending::Stall(point, None),
        "stall-keepalive" => {
            let filler = keepalive(fault, forms)?;
            events(fault, reply)?;
            reply.delivery.ending = Ending::Stall(point, Some(filler));
        }
        "slow-start" => delivery.before_head = millis(1000),
        "slow-body" => delivery.gap = millis(50),
        "drip" => delivery.piece = Some(1),
        "chunk" => delivery.piece = Some(fault.size("size", 7)),
        "gzip" => {
            if !request
                .header("accept-encoding")
                .is_some_and(|accepted| accepted.contains("gzip"))
            {
                return Err("gzip needs a request with accept-encoding: gzip".to_owned());
            }
            delivery.gzip = true;
        }
        "close-before-headers" => delivery.ending = Ending::CloseBeforeHead,
        "redirect" => {
            let port = request
                .header("host")
                .and_then(|host| host.rsplit_once(':'))
                .map_or("80", |(_, port)| port);
            let target = match fault.text("to") {
                Some(origin) => format!("{origin}{}", request.path),
                None => format!("http://localhost:{port}/redirect-target{}", request.path),
            };
            let status = u16::try_from(fault.number("status", 302)).unwrap_or(302);
            *reply = Reply::new(status, "text/plain", "Found").header("location", target);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// After `k` events, yet always before the one that tells the end: a cut must lose something.
fn point(fault: &Fault, reply: &Reply) -> Point {
    let asked = fault.size("k", 3);
    let Body::Events(events) = &reply.body else {
        return Point::Events(asked.min(7));
    };
    let end = events
        .iter()
        .position(|event| event.kind != EventKind::Part);
    Point::Events(asked.min(end.unwrap_or(events.len())))
}

fn keep(events: &mut Vec<Event>, count: usize) {
    let end = events
        .iter()
        .position(|event| event.kind != EventKind::Part);
    events.truncate(count.min(end.unwrap_or(events.len())));
}

/// Puts a wrong JSON text in place of the body, or after `k` events of a stream.
fn spoil(fault: &Fault, reply: &mut Reply, forms: &dyn Forms, json: &str) {
    match &mut reply.body {
        Body::Whole(body) => *body = Bytes::copy_from_slice(json.as_bytes()),
        Body::Events(events) => {
            let at = fault
                .exact_number("k")
                .map_or(0, |k| usize::try_from(k).unwrap_or(0))
                .min(events.len());
            events.insert(at, Event::part(forms.frame(json)));
        }
    }
}

fn status(fault: &Fault, default: u16) -> u16 {
    fault
        .text("status")
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn keepalive(fault: &Fault, forms: &dyn Forms) -> Result<Bytes, String> {
    let none = || {
        format!(
            "unknown fault {:?} for {}: its stream has no keep-alive",
            fault.name,
            forms.vendor().name()
        )
    };
    forms.keepalive().ok_or_else(none)
}

fn events<'r>(fault: &Fault, reply: &'r mut Reply) -> Result<&'r mut Vec<Event>, String> {
    match &mut reply.body {
        Body::Events(events) => Ok(events),
        Body::Whole(_) => Err(format!("fault {:?} needs a streamed request", fault.name)),
    }
}
