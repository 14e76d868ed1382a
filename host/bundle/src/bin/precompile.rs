//! `multillm-precompile TARGET FOLDER FILE…`: makes the machine code of components that a program
//! brings along, for any processor of the target, and packs the components themselves. What is there already stays as it is;
//! what belongs to no component that was named is removed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sha2::{Digest as _, Sha256};

/// How much time is spent on size: the code is compressed once and unpacked at each start.
const LEVEL: i32 = 19;

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
    let mut wanted = BTreeSet::new();
    for file in files.iter().map(Path::new) {
        let component = fs::read(file).map_err(|error| failed(file, error))?;
        let digest = hex::encode(Sha256::digest(&component));
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let code = multillm::plugin::precompile(&component, &target)?;
        for (bytes, ending) in [(&code, "cwasm.zst"), (&component, "wasm.zst")] {
            let packed = zstd::bulk::compress(bytes, LEVEL).map_err(|error| error.to_string())?;
            let place = folder.join(format!("{name}-{digest}.{ending}"));
            write_if_changed(&place, &packed).map_err(|error| failed(&place, error))?;
            wanted.insert(place);
        }
    }
    for old in others(folder, &wanted).map_err(|error| failed(folder, error))? {
        fs::remove_file(&old).map_err(|error| failed(&old, error))?;
    }
    Ok(())
}

/// A file that stays as it is makes nobody build anything again.
fn write_if_changed(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::read(path) {
        Ok(present) if present == bytes => Ok(()),
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
