//! Tools that the vendor runs: [`asked`] for by a unified name, and what became of them ([`made`]).

mod asked;
mod made;

pub(crate) use asked::{Asked, betas_of, own_tools_run_code};
pub(crate) use made::Calls;

/// The unified name of a tool; the vendor's own where it has none.
fn unified(name: &str) -> &str {
    match name {
        "web_search" => "web-search",
        "web_fetch" => "web-fetch",
        "code_execution" | "bash_code_execution" | "text_editor_code_execution" => "code-execution",
        other => other,
    }
}
