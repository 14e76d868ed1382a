//! The npm package: the program as its one command, for the system and processor that it says.

use anyhow::{Result, bail};
use serde_json::json;

use super::archive::Tree;
use super::release::Release;

/// File name and bytes.
///
/// # Errors
///
/// Nobody has said yet what Node calls the target.
pub(super) fn package(release: &Release) -> Result<(String, Vec<u8>)> {
    let (system, processor) = platform(&release.target)?;
    let name = &release.name;
    let manifest = json!({
        "name": name,
        "version": release.version,
        "description": release.description,
        "license": release.licence,
        "bin": { name: format!("bin/{name}") },
        "os": [system],
        "cpu": [processor],
        "preferUnplugged": true,
    });
    let mut tree = Tree::default();
    tree.file("package.json", format!("{manifest:#}\n"));
    tree.file("README.md", release.readme.as_str());
    tree.file("THIRD-PARTY-NOTICES.txt", release.notices.as_str());
    for (licence, text) in &release.licences {
        tree.file(licence.as_str(), text.as_str());
    }
    tree.program(format!("bin/{name}"), release.program.clone());
    let file = format!("{name}-{}-npm-{system}-{processor}.tgz", release.version);
    Ok((file, tree.tar_gz("package/", release.time)?))
}

/// System and processor as Node names them.
fn platform(target: &str) -> Result<(&'static str, &'static str)> {
    let processor = match target.split('-').next() {
        Some("x86_64") => "x64",
        Some("aarch64") => "arm64",
        _ => bail!("no name of Node's is known for the processor of {target}"),
    };
    let system = match target {
        _ if target.contains("-linux-") => "linux",
        _ if target.contains("-apple-darwin") => "darwin",
        _ if target.contains("-windows-") => "win32",
        _ => bail!("no name of Node's is known for the system of {target}"),
    };
    Ok((system, processor))
}
