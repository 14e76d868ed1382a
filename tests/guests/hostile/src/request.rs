//! Requests that try to reach what they must not: other hosts, other headers, other secrets.

use multillm_plugin_sdk::{BodyPart, Error, Framing, Header, Mode, Request, Target};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::attack::Attack;
use crate::memory;

/// Survives the exchange if the host reuses the instance.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// The request as the attack wants it.
pub(crate) fn twist(
    mut request: Request,
    attack: &Attack,
    target: &Target,
    mode: Mode,
) -> Result<Request, Error> {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let count = attack.count as usize;
    let say = |text: &str| vec![BodyPart::Text(body(target, text, mode))];
    match attack.name.as_str() {
        "memory-dump" => request.body = say(&memory::dump()),
        "count-calls" => request.body = say(&format!("call {calls} of this instance")),
        "path" => request.path = attack.list.clone(),
        "query" => request.query = vec![pair(attack)],
        "header" => request
            .headers
            .push(Header::plain(attack.argument(0), attack.argument(1))),
        "secret-header" => request.headers.push(Header::secret(
            attack.argument(0),
            attack.argument(1),
            attack.argument(2),
            false,
        )),
        "many-headers" => {
            let header = |at| Header::plain(&format!("x-header-{at}"), "x");
            request.headers.extend((0..count).map(header));
        }
        "secret-in-text" => {
            let text = attack.argument(0);
            request.path.push(text.to_owned());
            request.query = vec![(text.to_owned(), text.to_owned())];
            request.headers.push(Header::plain("x-note", text));
            request.body = say(text);
        }
        "giant-output" => request.body = say(&"x".repeat(count << 20)),
        "giant-parts" => request.body = vec![BodyPart::Text(String::new()); count],
        "unknown-blob" => request.body.push(BodyPart::BlobBase64(99)),
        "blob-bomb" => request.body = vec![BodyPart::BlobBase64(0); count],
        "wrong-framing" => {
            request.framing = match mode {
                Mode::Whole => Framing::Ndjson,
                Mode::Stream => Framing::Whole,
            };
        }
        _ => {}
    }
    Ok(request)
}

fn pair(attack: &Attack) -> (String, String) {
    (attack.argument(0).to_owned(), attack.argument(1).to_owned())
}

/// A question of the guest's own in the vendor's form.
fn body(target: &Target, text: &str, mode: Mode) -> String {
    serde_json::json!({
        "model": target.model,
        "messages": [{ "role": "user", "content": text }],
        "stream": matches!(mode, Mode::Stream),
    })
    .to_string()
}
