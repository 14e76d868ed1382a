//! What an author of a plugin needs beside the SDK: a core module becomes a component ([`pack()`]), and a
//! component is checked for what the host and its users rely on ([`check()`]).
//!
//! The command line offers both as `multillm plugin pack` and `multillm plugin check`; a test of one's own can call
//! them as well:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let report = multillm_kit::check(&multillm_kit::Subject::file("target/parley.wasm")).await?;
//! assert!(report.is_clean(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`pack()`]: from a core module to a component, stripped and inspected
//! - [`origin()`]: who made a component, as it says itself; [`stamp()`] makes it say so
//! - [`scaffold()`]: a new plugin's project, from what the program itself holds; [`Project`]: how one is built
//! - [`record()`]: answers of a real server, with keys removed; [`Replay`]: a server that answers with them
//! - [`check()`]: generic properties, by rules with stable codes ([`RULES`]); what only a vendor knows comes from
//!   recorded exchanges ([`Recording`])
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod check;
mod origin;
mod pack;
mod project;
mod replay;
mod scaffold;

pub use check::{
    Finding, Live, RULES, RecordError, Recording, Report, Request, Rule, Said, Subject, Verdict,
    check, check_loaded, odd, record, recordings_of,
};
pub use origin::{Origin, origin};
pub use pack::{PackError, Packed, pack, stamp};
pub use project::{PROJECT_FILE, Project, ProjectError};
pub use replay::Replay;
pub use scaffold::{Kind, Language, ScaffoldError, scaffold};
