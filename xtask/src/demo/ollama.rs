//! Finds out whether an Ollama runs on this machine, and what it has.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Where Ollama listens by default.
pub(super) const ADDRESS: &str = "127.0.0.1:11434";

/// It is on this machine: it answers at once or not at all.
const PATIENCE: Duration = Duration::from_millis(500);

/// The first model that can chat, if an Ollama answers and has one.
pub(super) fn first_model() -> Option<String> {
    let address: SocketAddr = ADDRESS.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET /api/tags HTTP/1.0\r\nhost: {ADDRESS}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    let (_head, body) = reply.split_once("\r\n\r\n")?;
    chat_model(body)
}

/// The first model of Ollama's list that is not made for embeddings.
fn chat_model(list: &str) -> Option<String> {
    let list: Value = serde_json::from_str(list).ok()?;
    let models = list.get("models")?.as_array()?;
    models
        .iter()
        .filter_map(|model| model.get("name")?.as_str())
        .find(|name| !name.contains("embed"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_for_embeddings_is_passed_over() {
        let list = r#"{"models":[{"name":"nomic-embed-text:latest"},{"name":"llama3.2:1b"}]}"#;
        assert_eq!(chat_model(list).as_deref(), Some("llama3.2:1b"));
        assert_eq!(chat_model(r#"{"models":[]}"#), None);
        assert_eq!(chat_model("<html>"), None);
    }
}
