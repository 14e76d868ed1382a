//! The most memory that a process had resident, as the system counts it.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Between two looks. The peak only grows, so the last look before the end is nearly the peak.
const PAUSE: Duration = Duration::from_micros(300);

/// Runs a command and returns its peak in bytes, or nothing where the system does not tell.
///
/// # Errors
///
/// The command does not start, or fails.
pub(super) fn peak(command: &mut Command) -> Result<Option<usize>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the program")?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let status = loop {
        let now = fs::read_to_string(&status_file).ok();
        peak = now.and_then(|status| high_water_mark(&status)).max(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(PAUSE);
    };
    ensure!(status.success(), "the measured program ended with {status}");
    Ok(peak)
}

/// `VmHWM:    12345 kB` in bytes.
fn high_water_mark(status: &str) -> Option<usize> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  99999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water_mark(status), Some(2 * 1024 * 1024));
        assert_eq!(high_water_mark("Name:\tx\n"), None);
    }
}
