//! A loopback server that speaks seven vendors' wires as strictly as the vendors do.
//!
//! It checks requests the way each vendor checks them, answers deterministically, streams in small
//! pieces, and fails in every way a vendor or a network can, on demand. No request leaves the machine.
//!
//! ```no_run
//! use multillm_simulator::{Options, Simulator, Vendor};
//!
//! # async fn example() -> std::io::Result<()> {
//! let simulator = Simulator::start(Options::default()).await?;
//! let base_url = simulator.base_url(Vendor::OpenAi); // http://127.0.0.1:PORT/openai/v1
//! let key = Vendor::OpenAi.key();                    // sk-sim-openai
//! simulator.fail_next(Vendor::OpenAi, "429-retry-after ms=50", 2);
//! // … talk to it …
//! assert_eq!(simulator.log().len() as u64, simulator.requests());
//! # Ok(())
//! # }
//! ```
//!
//! As a program: `multillm-simulator --port 4000 --log exchanges.jsonl` prints one line of JSON with the
//! base URLs when it is ready.
//!
//! # Where vendors are
//!
//! | vendor | base URL behind the address | key |
//! |---|---|---|
//! | OpenAI | `/openai/v1` | `sk-sim-openai` |
//! | Azure OpenAI | `/azure` (the endpoint) | `sk-sim-azure` |
//! | Hugging Face router | `/huggingface/v1` | `sk-sim-huggingface` |
//! | Anthropic | `/anthropic` | `sk-sim-anthropic` |
//! | Gemini | `/gemini` | `sk-sim-gemini` |
//! | Cohere | `/cohere` | `sk-sim-cohere` |
//! | Ollama | `/ollama`, and nothing at all, as at its usual address | none (or `sk-sim-ollama` with `ollama_needs_key`) |
//!
//! # Answers
//!
//! An answer depends on the request alone; streamed or not, its text, usage and reason are the same. The
//! default text is `[model] You said: …`, with `(system: …)`, `(images: image/png 1x1)` and `(turns: N)`
//! behind it; after tool results it quotes them instead. A token is one word with the white space before
//! it; an image counts 85 prompt tokens, a declared tool 20. Words in the last user message steer:
//!
//! | words | effect |
//! |---|---|
//! | the name of an offered tool | that tool is called, with arguments built from its schema |
//! | `city=Paris` | the value of the argument or property `city` |
//! | `two calls` | two calls in one answer, if the request allows it |
//! | `say why` | text beside the calls |
//! | `write N words` | exactly N words |
//! | `please refuse`, `I refuse` | the vendor's way of refusing |
//! | `filter output` | the vendor's way of taking output away |
//! | `empty reply` | the vendor's empty success |
//! | `cached=N`, `cache_write=N` | N more prompt tokens, read from or written to a cache |
//! | `reasoning=N` | N reasoning tokens, if the model reasons |
//! | `search the web`, `run code` | the vendor's own tool is used, if it is offered; a search is cited |
//! | `draw a picture` | a picture of one pixel, if the answer may hold one |
//!
//! # Faults
//!
//! `[[fault:NAME arg=value]]` in the last user message, [`Simulator::fail_next`], [`Options::faults`], or
//! `POST /control/fault {"vendor":"openai","fault":"cut k=3","times":2}`. With `times=N` a fault in a text
//! hits only the first N requests with that body. Each comes in the vendor's own form; what a vendor cannot
//! do is answered with a 400 that begins with `simulator:`.
//!
//! | name | what happens |
//! |---|---|
//! | `400` `401` `402` `403` `404` `408` `409` `413` `422` `429` `500` `503` `504` `529` | the vendor's error (`status-` may stand before) |
//! | `429-retry-after` with `ms=`, `seconds=` or `date=` (seconds ahead) | a rate limit with a hint |
//! | `429-quota`, `429-too-large`, `429-no-retry`, `429-zero-hint`, `500-no-retry` | errors that look alike but mean something else |
//! | `502-html`, `503-text`, `503-loading seconds=` | a proxy's page, a proxy's line, a loading model |
//! | `context-length`, `content-filter`, `echo-key` | as named; the last repeats the key it was sent |
//! | `non-json`, `empty-body` (`status=`) | a page, or nothing, under 200 |
//! | `malformed-json`, `wrong-shape shape=` (`k=`) | broken JSON, or `object array string number null` |
//! | `first-event-error`, `mid-stream-error k=`, `done-after-error k=` | an error inside a 200 stream |
//! | `cut k=`, `cut-at=BYTE`, `drop k=`, `reset k=` | a proper but early end; a close; a TCP reset |
//! | `stall k=`, `stall-keepalive k=` | silence, or only keep-alives, until the client leaves (120 s) |
//! | `slow-start ms=`, `slow-body ms=`, `drip`, `chunk=BYTES` | timing and piece size |
//! | `huge-event mib=`, `giant-body mib=` | one huge piece; a huge answer in many |
//! | `no-done`, `keepalive-comments`, `wrong-content-type type=`, `gzip`, `redirect status= to=`, `close-before-headers` | as named |
//!
//! # Layout
//!
//! `server` reads and writes HTTP; `wire` holds a file per vendor, which turns a request into a `question`,
//! has `answer` answer it, and writes the `reply`; `fault` changes replies; `hub` is what connections share.

#![forbid(unsafe_code)]

mod answer;
mod fault;
mod hub;
mod image;
mod log;
mod options;
mod question;
mod reply;
mod schema;
mod seal;
mod server;
mod shape;
mod text;
mod token;
mod vendor;
mod wire;

pub use log::{Exchange, Outcome};
pub use options::{FaultSchedule, Options};
pub use server::Simulator;
pub use vendor::Vendor;
