//! `multillm-precompile TARGET FOLDER FILE…`: makes the machine code of components that a program
//! brings along, for any processor of the target, and packs the components themselves: the first by itself, and the
//! others against it, for they resemble each other. What is there already stays as it is; what belongs to no component
//! that was named is removed.
//!
//! `NAME-DIGEST.wasm.zst` is a component and `NAME-DIGEST.cwasm.zst` its code, packed by themselves;
//! `NAME-DIGEST-OTHER.…` against those of the component whose digest is OTHER. `NAME-DIGEST.json` is what a host has to know
//! of the component beside its code.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use multillm::plugin::{about, digest as digest_of, pack, precompile};

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<(), String> {
    let [target, folder, files @ ..] = arguments.as_slice() else {
        return Err("usage: multillm-precompile TARGET FOLDER FILE…".to_owned());
    };
    let target = target.to_string_lossy();
    let folder = Path::new(folder);
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let (mut wanted, mut first) = (BTreeSet::new(), None::<(String, [Vec<u8>; 2])>);
    for file in files.iter().map(Path::new) {
        let component = fs::read(file).map_err(|error| failed(file, error))?;
        let digest = digest_of(&component);
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let code = precompile(&component, &target)?;
        let place = folder.join(format!("{name}-{digest}.json"));
        write_if_changed(&place, about(&component)?.as_bytes(), file)
            .map_err(|error| failed(&place, error))?;
        wanted.insert(place);
        let (against, like) = match &first {
            None => (String::new(), [vec![], vec![]]),
            Some((digest, both)) => (format!("-{digest}"), both.clone()),
        };
        let both = [component, code];
        for ((bytes, like), ending) in both.iter().zip(&like).zip(["wasm.zst", "cwasm.zst"]) {
            let packed = pack(bytes, like).map_err(|error| error.to_string())?;
            let place = folder.join(format!("{name}-{digest}{against}.{ending}"));
            write_if_changed(&place, &packed, file).map_err(|error| failed(&place, error))?;
            wanted.insert(place);
        }
        first.get_or_insert((digest, both));
    }
    for old in others(folder, &wanted).map_err(|error| failed(folder, error))? {
        fs::remove_file(&old).map_err(|error| failed(&old, error))?;
    }
    Ok(())
}

/// A file that stays as it is makes nobody build anything again. It is never older than what it was made from: that
/// is how the build knows that it is still of it.
fn write_if_changed(path: &Path, bytes: &[u8], from: &Path) -> std::io::Result<()> {
    let written = |path: &Path| fs::metadata(path)?.modified();
    match fs::read(path) {
        Ok(present) if present == bytes && written(path)? >= written(from)? => Ok(()),
        _ => fs::write(path, bytes),
    }
}

fn others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<std::io::Result<_>>()?;
    paths.retain(|path| !wanted.contains(path));
    Ok(paths)
}

#[allow(clippy::print_stderr, reason = "it talks to whoever builds")]
fn say(what: &str) {
    eprintln!("{what}");
}
