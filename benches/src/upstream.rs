//! A vendor that answers at once: the same whole answer, or the same stream of 20 events, on OpenAI's wire and on
//! Anthropic's. Asked for the model `slow`, it sends the first event and waits until the caller leaves.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Listens, and answers everybody.
///
/// # Errors
///
/// It cannot listen.
pub fn run() -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
            println!("{}", listener.local_addr()?);
            loop {
                let (connection, _) = listener.accept().await?;
                tokio::spawn(answer(connection));
            }
        })
}

/// What is said on one wire.
struct Wire {
    whole: Vec<u8>,
    streamed: Vec<u8>,
    first: Vec<u8>,
}

async fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let [openai, anthropic] = [openai(), anthropic()];
    let mut held = Vec::with_capacity(8 << 10);
    while let Some((head, body)) = request(&mut connection, &mut held).await? {
        let wire = match head
            .lines()
            .next()
            .is_some_and(|line| line.contains("/messages"))
        {
            true => &anthropic,
            false => &openai,
        };
        // What decides stands at the beginning or the end, whatever was said between.
        let ends = [
            &body[..body.len().min(512)],
            &body[body.len().saturating_sub(512)..],
        ];
        let has = |word: &[u8]| {
            let mut ends = ends.iter();
            ends.any(|end| end.windows(word.len()).any(|part| part == word))
        };
        if has(b"\"slow\"") {
            connection.write_all(&wire.first).await?;
            // Until the caller leaves.
            let _ = connection.read(&mut [0; 64]).await;
            return Ok(());
        }
        let answer = match has(b"\"stream\":true") {
            true => &wire.streamed,
            false => &wire.whole,
        };
        connection.write_all(answer).await?;
    }
    Ok(())
}

/// The next request's head and body; nothing when the caller has left.
async fn request(
    connection: &mut TcpStream,
    held: &mut Vec<u8>,
) -> std::io::Result<Option<(String, Vec<u8>)>> {
    loop {
        if let Some(end) = held.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0_usize);
            let all = end + 4 + length;
            if held.len() >= all {
                let body = held[end + 4..all].to_vec();
                held.drain(..all);
                return Ok(Some((head, body)));
            }
            held.reserve(all - held.len());
        }
        if connection.read_buf(held).await? == 0 {
            return Ok(None);
        }
    }
}

const WORDS: &str = "waves and ships and ";

fn json(body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// A stream of these events, with its end if it has one.
fn stream(events: &[String], end: &str) -> Vec<u8> {
    let chunks: String = events.iter().map(|event| chunk(event)).collect();
    [STREAM_HEAD, &chunks, end].concat().into_bytes()
}

const END: &str = "0\r\n\r\n";

fn openai() -> Wire {
    let words = "waves and ships and wind on the sea ".repeat(24);
    let whole = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{words}","refusal":null}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":20,"completion_tokens":200,"total_tokens":220}}}}"#
    );
    let event = format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{WORDS}\"}},\"finish_reason\":null}}]}}\n\n"
    );
    let mut events = vec![event; 18];
    let first = stream(&events[..1], "");
    events.push(
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":200,\"total_tokens\":220}}\n\n".to_owned(),
    );
    events.push("data: [DONE]\n\n".to_owned());
    Wire {
        whole: json(&whole),
        streamed: stream(&events, END),
        first,
    }
}

fn anthropic() -> Wire {
    let words = "waves and ships and wind on the sea ".repeat(24);
    let whole = format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"{words}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":20,"output_tokens":200}}}}"#
    );
    let event =
        |name: &str, rest: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\",{rest}}}\n\n");
    let piece = event(
        "content_block_delta",
        &format!(r#""index":0,"delta":{{"type":"text_delta","text":"{WORDS}"}}"#),
    );
    let mut events = vec![
        event(
            "message_start",
            r#""message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}"#,
        ),
        event(
            "content_block_start",
            r#""index":0,"content_block":{"type":"text","text":""}"#,
        ),
    ];
    events.extend(vec![piece; 15]);
    let first = stream(&events[..3], "");
    events.push(event("content_block_stop", r#""index":0"#));
    events.push(event(
        "message_delta",
        r#""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":200}"#,
    ));
    events.push("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned());
    Wire {
        whole: json(&whole),
        streamed: stream(&events, END),
        first,
    }
}
