//! `cargo xtask replay --gateway DIR`: what was recorded, sent through `multillm serve`, byte for byte.
//!
//! The recorded request goes to the gateway at the path of its wire, with the model's name exchanged for that of a
//! configured model that leads to the recording. What the server gets has to be the recorded body, and what
//! the caller gets the recorded answer: whole, byte by byte, cut at random; and where the server breaks off, the caller
//! has to see it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::case::Case;
use super::cuts::Chunking;
use super::server::{Exchange, Server, read_headers, read_line};
use crate::process;

/// Holds the dummy key.
const KEY_VARIABLE: &str = "MULTILLM_REPLAY_KEY";
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is needed to run.
pub(super) struct Run<'a> {
    pub(super) binary: &'a Path,
    pub(super) components: &'a Path,
    pub(super) target: &'a Path,
    pub(super) seed: u64,
}

/// How a recording is served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Whole,
    Bytes,
    Random,
    Cut,
}

impl Way {
    const ALL: [Way; 4] = [Way::Whole, Way::Bytes, Way::Random, Way::Cut];

    fn name(self) -> &'static str {
        match self {
            Way::Whole => "whole",
            Way::Bytes => "bytes",
            Way::Random => "random",
            Way::Cut => "cut off",
        }
    }

    fn exchange(self, case: &Case, seed: u64) -> Exchange {
        match self {
            Way::Whole => Exchange::new(case, Chunking::Whole, seed),
            Way::Bytes => Exchange::new(case, Chunking::Bytes, seed),
            Way::Random => Exchange::new(case, Chunking::Random, seed),
            Way::Cut => Exchange::new(case, Chunking::Bytes, seed).cut(),
        }
    }
}

impl Run<'_> {
    /// Runs all recordings that have a path at the gateway.
    pub(super) fn exec(&self, cases: &[Case], jobs: Option<usize>) -> Result<()> {
        let (known, others): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|case| path(case, "m").is_some());
        let runs: Vec<(&Case, Way)> = known
            .iter()
            .flat_map(|case| Way::ALL.map(|way| (*case, way)))
            // Where a refusal breaks off, what came of it is handed on whole.
            .filter(|(case, way)| *way != Way::Cut || case.status < 400 && !case.body.is_empty())
            .collect();
        let exchanges = runs.iter().map(|(case, way)| way.exchange(case, self.seed));
        let server = Server::start(exchanges.collect())?;
        let gateway = Gateway::start(self, &runs, &server)?;
        let judged = runs.par_iter().with_max_len(1).enumerate();
        let judged = judged.map(|(number, (case, way))| {
            let found = gateway.differences(case, *way, number, &server);
            let found = found.unwrap_or_else(|error| vec![format!("{error:#}")]);
            (case.name.as_str(), *way, found)
        });
        let judged: Vec<_> = process::pool(jobs)?.install(|| judged.collect());
        let mut tally: BTreeMap<Way, (usize, usize)> = BTreeMap::new();
        for (name, way, found) in &judged {
            let (same, all) = tally.entry(*way).or_default();
            *all += 1;
            *same += usize::from(found.is_empty());
            for difference in found {
                println!("{name} ({}): {difference}", way.name());
            }
        }
        println!(
            "{} recordings, {} of APIs that the gateway does not have or that name no model anywhere",
            known.len(),
            others.len()
        );
        let recorded = known.iter().filter(|case| !case.request.is_empty()).count();
        println!("{recorded} with the recorded request, the others with one made for it");
        for (way, (same, all)) in &tally {
            println!("{:>8}: {same} of {all} the same on both sides", way.name());
        }
        match tally.values().all(|(same, all)| same == all) {
            true => Ok(()),
            false => bail!("bytes were not kept"),
        }
    }
}

/// The gateway's path for a recording whose model is called so there.
fn path(case: &Case, model: &str) -> Option<String> {
    let url = case.url.split('?').next().unwrap_or_default();
    let ends = |end: &str| url.ends_with(end);
    let nameless = !case.request.is_empty() && recorded_model(case).is_empty();
    Some(match case.plugin() {
        "openai" | "azure" | "huggingface" if nameless && ends("/responses") => return None,
        "openai" | "azure" | "huggingface" if nameless && ends("/chat/completions") => {
            format!("/openai/deployments/{model}/chat/completions")
        }
        "openai" | "azure" | "huggingface" if ends("/responses") => "/v1/responses".to_owned(),
        "openai" | "azure" | "huggingface" if ends("/chat/completions") => {
            "/v1/chat/completions".to_owned()
        }
        "claude" if ends("/messages") => "/v1/messages".to_owned(),
        "cohere" if ends("/v2/chat") => "/v2/chat".to_owned(),
        "ollama" if ends("/api/chat") => "/api/chat".to_owned(),
        "gemini" if ends(":generateContent") => format!("/v1beta/models/{model}:generateContent"),
        "gemini" if ends(":streamGenerateContent") && case.url.contains("alt=sse") => {
            format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
        }
        _ => return None,
    })
}

/// The caller's body: the recorded one with another model's name, or one made for it.
fn body(case: &Case, model: &str) -> String {
    if case.request.is_empty() {
        let stream = case.stream;
        return match case.plugin() {
            "gemini" => json!({ "contents": [{ "role": "user", "parts": [{ "text": "x" }] }] }),
            _ => json!({ "model": model, "stream": stream, "max_tokens": 9, "input": "x",
                         "messages": [{ "role": "user", "content": "x" }] }),
        }
        .to_string();
    }
    renamed(&case.request, &recorded_model(case), model)
}

/// The model that the recorded body names; empty where it names none.
fn recorded_model(case: &Case) -> String {
    let body: Value = serde_json::from_str(&case.request).unwrap_or_default();
    let named = body.get("model").and_then(Value::as_str);
    named.unwrap_or_default().to_owned()
}

/// A body whose outermost `model` is another one, and nothing else changed.
fn renamed(body: &str, from: &str, to: &str) -> String {
    let quoted = format!("\"{from}\"");
    let mut at = 0;
    while let Some(found) = body.get(at..).and_then(|rest| rest.find("\"model\"")) {
        let behind = at + found + "\"model\"".len();
        let rest = body.get(behind..).unwrap_or_default();
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        if let Some(after) = value.and_then(|value| value.strip_prefix(quoted.as_str())) {
            let place = body.len() - after.len() - quoted.len();
            let (before, _) = body.split_at(place);
            return format!("{before}\"{to}\"{after}");
        }
        at = behind;
    }
    body.to_owned()
}

/// The gateway, ended when it is dropped.
struct Gateway {
    child: Child,
    address: String,
    _scratch: tempfile::TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    fn start(run: &Run<'_>, runs: &[(&Case, Way)], server: &Server) -> Result<Self> {
        let home = run.target.join("replay");
        fs::create_dir_all(&home)?;
        let scratch = tempfile::TempDir::new_in(&home)?;
        let config = scratch.path().join("config.json");
        fs::write(
            &config,
            configuration(run.components, runs, server).to_string(),
        )?;
        let mut command = process::in_clean_environment(run.binary);
        let mut child = command
            .current_dir(scratch.path())
            .env("HOME", scratch.path())
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env(KEY_VARIABLE, "no-secret-at-all")
            .arg("--config")
            .arg(&config)
            .args(["serve", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .context("the gateway does not start")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let told: Value =
            serde_json::from_str(&line).context("the gateway does not say where it is")?;
        let address = told
            .get("listening")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Ok(Gateway {
            address: address.replace("http://", ""),
            child,
            _scratch: scratch,
        })
    }

    /// What is not the same on either side.
    fn differences(
        &self,
        case: &Case,
        way: Way,
        number: usize,
        server: &Server,
    ) -> Result<Vec<String>> {
        let model = format!("case-{number}");
        let sent = body(case, &model);
        let path = path(case, &model).unwrap_or_default();
        let reply = self.ask(&path, &sent)?;
        let mut found = Vec::new();
        let asked = server.asked(number);
        match asked.as_slice() {
            [asked] => {
                let upstream = String::from_utf8_lossy(&asked.body);
                let as_sent = renamed(&sent, &model, case.model_name());
                let is_same = upstream == as_sent || upstream == sent && case.vendor == "azure";
                if !is_same {
                    found.push(format!(
                        "sent on: {upstream:.300} instead of {as_sent:.300}"
                    ));
                }
            }
            _ => found.push(format!("the server was asked {} times", asked.len())),
        }
        if way == Way::Cut {
            let is_seen = !reply.whole && case.body.starts_with(&reply.body) || reply.status >= 500;
            if !is_seen {
                found.push(format!(
                    "no cut is seen: HTTP {}, {} bytes",
                    reply.status,
                    reply.body.len()
                ));
            }
            return Ok(found);
        }
        // An answer without the vendor's end marker is a cut, however its server ended it.
        let is_cut = case.expect.error.is_some() && case.status < 400;
        if reply.status != case.status {
            found.push(format!("HTTP {} instead of {}", reply.status, case.status));
        }
        if reply.body != case.body {
            let shown = String::from_utf8_lossy(&reply.body);
            found.push(format!(
                "{} bytes instead of {}: {shown:.200}",
                reply.body.len(),
                case.body.len()
            ));
        }
        if !reply.whole && !is_cut {
            found.push("the answer was cut".to_owned());
        }
        Ok(found)
    }

    fn ask(&self, path: &str, body: &str) -> Result<Reply> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             anthropic-version: 2023-06-01\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let line = read_line(&mut reader)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let framing = read_headers(&mut reader, |_, _| {})?;
        let mut body = Vec::new();
        let whole = framing.read(&mut reader, &mut body).is_ok();
        Ok(Reply {
            status: status.context("no status")?,
            body,
            whole,
        })
    }
}

struct Reply {
    status: u16,
    body: Vec<u8>,
    whole: bool,
}

fn configuration(components: &Path, runs: &[(&Case, Way)], server: &Server) -> Value {
    let (mut providers, mut models) = (Map::new(), Map::new());
    for (number, (case, _)) in runs.iter().enumerate() {
        let provider = format!("p{number}");
        providers.insert(
            provider.clone(),
            json!({
                "plugin": case.plugin(),
                "base_url": server.base_url(number),
                "api_key_env": KEY_VARIABLE,
                "settings": case.settings(),
            }),
        );
        models.insert(
            format!("case-{number}"),
            json!({
                "provider": provider, "model_name": case.model_name(), "lane": "relay",
            }),
        );
    }
    json!({
        "plugin_dir": components,
        "providers": providers,
        "models": models,
        "retry": { "max_attempts": 1 },
        "breaker": { "enabled": false },
        "history": { "enabled": false },
        "gateway": { "listen": "127.0.0.1:0" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_name_changes() {
        let body = r#"{"messages":[{"content":"\"model\""}], "model" : "m", "x":{"model":"n"}}"#;
        let expected = body.replace(r#": "m""#, r#": "case-1""#);
        assert_eq!(renamed(body, "m", "case-1"), expected);
        assert_eq!(renamed("{}", "m", "n"), "{}");
    }
}
