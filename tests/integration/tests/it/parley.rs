//! A server of Parley, the invented vendor of the template and of the examples in other languages.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::raw_server::http;

/// What it wants in `x-parley-key` or `x-parley-kez`.
pub(crate) const KEY: &str = "guest-pass-7d41f0c9";

/// Answers until the test ends.
pub(crate) struct Parley {
    pub(crate) base_url: String,
}

impl Parley {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Parley { base_url }
    }
}

fn serve(mut stream: TcpStream) {
    let mut request = vec![];
    let mut buffer = [0; 65_536];
    loop {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return,
        }
        if let Some(answer) = answer(&String::from_utf8_lossy(&request)) {
            let _ = stream.write_all(&answer);
            return;
        }
    }
}

/// The answer, once the request is there.
fn answer(request: &str) -> Option<Vec<u8>> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then(|| value.trim()))
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    if body.len() < length {
        return None;
    }
    let problem = |status: u16, code: &str, text: &str| {
        let body = json!({ "problem": { "code": code, "text": text } });
        Some(http(status, "application/json", "", &body.to_string()))
    };
    // Its former name of the header does as well; it says which one came.
    let names = ["x-parley-key", "x-parley-kez"];
    let name = names.iter().find(|name| header(name).is_some());
    let key = name.and_then(|name| header(name)).unwrap_or_default();
    if key != KEY {
        // As some vendors do, it repeats what it was sent.
        return problem(401, "stranger", &format!("Who is {key}?"));
    }
    let Ok(asked) = serde_json::from_str::<Value>(body) else {
        return problem(400, "babble", "That is no JSON.");
    };
    if asked["model"] != "parley-2" {
        return problem(404, "nobody", "There is no such guest.");
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    let turns = asked["turns"].as_array()?;
    let last = turns.last()?["say"].as_str()?;
    let say = format!(
        "{path} heard {last:?} as {}, key {key} in {}",
        asked["voice"],
        name.unwrap()
    );
    let tokens = json!({ "heard": last.len(), "said": 3 });
    let model = json!({ "id": "t-1", "model": "parley-2" });
    if asked["live"] == true {
        let middle = say.char_indices().nth(say.chars().count() / 2).unwrap().0;
        let (one, two) = say.split_at(middle);
        let lines = [
            model,
            json!({ "say": one }),
            json!({ "say": two }),
            json!({ "ended": "done", "tokens": tokens }),
        ];
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        return Some(http(200, "application/x-ndjson", "", &lines));
    }
    let body =
        json!({ "id": "t-1", "model": "parley-2", "say": say, "ended": "done", "tokens": tokens });
    Some(http(200, "application/json", "", &body.to_string()))
}
