//! Lists the steps of the history's schema, so that a file more in `migrations` is all that it takes to add one.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let folder =
        Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("migrations");
    say("rerun-if-changed=migrations");
    let entries = fs::read_dir(&folder)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
    paths.sort();
    let mut list = String::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        // Found from where the crate stands when it is compiled: a checkout may have moved since.
        list.push_str(&format!(
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/migrations/{file}\"))),\n"
        ));
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("migrations.rs"), format!("&[\n{list}]\n"))
}

/// Tells cargo something.
#[allow(clippy::print_stdout, reason = "cargo reads it there")]
fn say(what: &str) {
    println!("cargo:{what}");
}
