//! The control endpoint, for tests in another process: `POST /control/fault`, `POST /control/reset`,
//! `GET /control/log`, `GET /control/requests`. Its requests are not logged.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::hub::Hub;
use crate::log::Exchange;
use crate::reply::Reply;
use crate::vendor::Vendor;

use super::http1::Request;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    vendor: Vendor,
    /// As in a text, e.g. `cut k=3`.
    fault: String,
    #[serde(default = "once")]
    times: u64,
}

const fn once() -> u64 {
    1
}

pub(super) fn answer(request: &Request, hub: &Hub) -> Reply {
    let segments = request.segments();
    let action = segments.get(1).map(String::as_str).unwrap_or_default();
    match (request.method.as_str(), action) {
        ("POST", "fault") => match serde_json::from_slice::<FaultOrder>(&request.body) {
            Ok(order) => {
                hub.queue(order.vendor, &order.fault, order.times);
                Reply::json(200, &json!({ "queued": order.times }))
            }
            Err(error) => Reply::simulator_error(&format!("bad fault order: {error}")),
        },
        ("POST", "reset") => {
            hub.reset();
            Reply::json(200, &json!({ "reset": true }))
        }
        ("GET", "log") => {
            let lines: Vec<Value> = hub.log.entries().iter().map(Exchange::to_json).collect();
            Reply::json(200, &Value::Array(lines))
        }
        ("GET", "requests") => Reply::json(200, &json!({ "requests": hub.log.count() })),
        _ => Reply::simulator_error(
            "unknown control action, known are POST fault, POST reset, GET log, GET requests",
        ),
    }
}
