//! The parts as processes: starting them, their CPU and memory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A running part, ended with this value.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _folder: Option<tempfile::TempDir>,
}

/// The same program, on one core alone where that can be said: whatever else is measured with it is then on others.
#[must_use]
pub fn on_core(core: Option<usize>, program: &Path) -> Command {
    match core {
        None => Command::new(program),
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(program);
            command
        }
    }
}

impl Served {
    /// Starts this program as a part; it prints its address.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        Self::start_on(None, arguments)
    }

    /// The same, on this core alone.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start_on(core: Option<usize>, arguments: &[&str]) -> Result<Self> {
        Self::part(on_core(core, &std::env::current_exe()?), arguments)
    }

    /// Starts another build of this program as a part.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start_of(program: &Path, arguments: &[&str]) -> Result<Self> {
        Self::part(Command::new(program), arguments)
    }

    fn part(mut command: Command, arguments: &[&str]) -> Result<Self> {
        command.arg("serve").args(arguments);
        Self::of(command, |line| {
            line.parse()
                .with_context(|| format!("{arguments:?} did not start: {line:?}"))
        })
    }

    /// Starts a program that prints where it listens in its first line, as `read` finds it there.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where it listens.
    pub fn of(mut command: Command, read: impl FnOnce(&str) -> Result<SocketAddr>) -> Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = match read(line.trim()) {
            Ok(address) => address,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        Ok(Served {
            child,
            address,
            _folder: None,
        })
    }

    /// Starts nginx as a relay with one worker; nothing where it is not installed.
    ///
    /// # Errors
    ///
    /// It starts and does not listen.
    pub fn nginx(core: Option<usize>, upstream: SocketAddr) -> Result<Option<Self>> {
        if Command::new("nginx")
            .arg("-v")
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            return Ok(None);
        }
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = tempfile::tempdir()?;
        let configuration = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
            events {{ worker_connections 4096; }}
            http {{
              access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
              fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
              keepalive_requests 1000000;
              upstream vendor {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}
              server {{
                listen {address};
                client_max_body_size 8m; client_body_buffer_size 1m;
                location / {{
                  proxy_pass http://vendor; proxy_http_version 1.1;
                  proxy_set_header connection \"\"; proxy_buffering off;
                }}
              }}
            }}",
            folder = folder.path().display(),
        );
        let file = folder.path().join("nginx.conf");
        std::fs::File::create(&file)?.write_all(configuration.as_bytes())?;
        let started = on_core(core, Path::new("nginx"))
            .args(["-c", &file.display().to_string(), "-p"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            return Ok(None);
        };
        let served = Served {
            child,
            address,
            _folder: Some(folder),
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(5) {
                bail!("nginx does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(served))
    }

    /// CPU time so far, of all threads.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which may hold anything: state is the first, utime the 12th, stime the 13th.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|word| word.parse::<u64>().ok())
            .sum();
        // Linux counts a hundred a second, whatever the kernel's own clock is.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory in kilobytes. A page that it has in several places, as the first memory of a component, counts once
    /// (`Pss`).
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kilobytes.context("no resident memory")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
