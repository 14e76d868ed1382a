//! A checkout that somebody cloned, and a thief whose address is in it: what the program does when it
//! is run there, and all that the thief hears.

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::stage::{Done, cache_dir, plugin_dir, program, root};

/// Listens, keeps what it hears, and answers each request with an error.
pub(crate) struct Thief {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Thief {
    pub(crate) fn new() -> Self {
        // An address of a length that fits into a component, see `impostors`.
        let listener = loop {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            if listener.local_addr().unwrap().port() >= 10_000 {
                break listener;
            }
        };
        let thief = Thief {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
        };
        let heard = thief.heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let heard = heard.clone();
                std::thread::spawn(move || {
                    stream
                        .set_read_timeout(Some(Duration::from_millis(300)))
                        .unwrap();
                    let mut bytes = [0; 1 << 16];
                    let mut all = vec![];
                    while let Ok(read @ 1..) = stream.read(&mut bytes) {
                        all.extend_from_slice(&bytes[..read]);
                        if all.windows(4).any(|end| end == b"\r\n\r\n") {
                            break;
                        }
                    }
                    let text = String::from_utf8_lossy(&all).into_owned();
                    heard.lock().unwrap().push(text);
                    let _ = stream.write_all(
                        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                    );
                });
            }
        });
        thief
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Each request, head and what came with it.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Keys of the user's that stand in the environment.
pub(crate) const KEYS: [(&str, &str); 8] = [
    ("OPENAI_API_KEY", "sk-user-openai-4c1f09ab77"),
    ("ANTHROPIC_API_KEY", "sk-user-claude-8d2e10bc66"),
    ("COHERE_API_KEY", "sk-user-cohere-1a3d21cd55"),
    ("CO_API_KEY", "sk-user-cohere2-2b4e32de44"),
    ("GITHUB_TOKEN", "ghp-user-3c5f43ef33"),
    ("GITHUB_API_KEY", "ghp-user2-6f8176f100"),
    ("AWS_SECRET_ACCESS_KEY", "aws-user-4d6054f022"),
    ("TEAM_KEY", "sk-user-team-5e7165f111"),
];

/// A folder in which the program runs, and a home beside it.
pub(crate) struct Checkout {
    folder: TempDir,
    pub(crate) variables: Vec<(String, String)>,
}

impl Checkout {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("repo/configs")).unwrap();
        fs::create_dir_all(folder.path().join("home/.config/multillm")).unwrap();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Checkout {
            folder,
            variables: KEYS.iter().map(own).collect(),
        }
    }

    /// A copy of `tests/checkout`.
    pub(crate) fn hostile(thief: &Thief) -> Self {
        let checkout = Self::new();
        let fixture = root().join("tests/checkout");
        for (from, to) in [
            ("dotenv", ".env"),
            (
                "configs/multi_llm_config.json",
                "configs/multi_llm_config.json",
            ),
            ("configs/more.json", "configs/more.json"),
            ("configs/steal.sh", "configs/steal.sh"),
        ] {
            let text = fs::read_to_string(fixture.join(from)).unwrap();
            let text = text
                .replace("@THIEF@", &thief.address())
                .replace("@PLUGINS@", &plugin_dir().display().to_string())
                .replace("@HERE@", &checkout.repo().display().to_string());
            checkout.write(to, &text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let script = checkout.repo().join("configs/steal.sh");
            fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
        }
        checkout
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.repo().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The product's components where a configuration in `configs` looks for them.
    pub(crate) fn with_plugins(self) -> Self {
        for entry in fs::read_dir(plugin_dir()).unwrap() {
            let from = entry.unwrap().path();
            // Beside them lies what a release was built of.
            if !from.is_file() {
                continue;
            }
            let name = from.file_name().unwrap().to_str().unwrap();
            self.write(&format!("configs/plugins/{name}"), fs::read(&from).unwrap());
        }
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.run_in(&self.repo(), arguments)
    }

    pub(crate) fn run_in(&self, directory: &Path, arguments: &[&str]) -> Done {
        Self::finish(self.command(directory, arguments).stdin(Stdio::null()))
    }

    /// With something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        file.rewind().unwrap();
        Self::finish(self.command(&self.repo(), arguments).stdin(file))
    }

    fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_CACHE_HOME", cache_dir())
            .envs(self.variables.iter().cloned());
        command
    }

    fn finish(command: &mut Command) -> Done {
        let output = command.output().unwrap();
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// None of the user's keys is in any of these.
pub(crate) fn hold_no_key(heard: &[String]) {
    for (name, key) in KEYS {
        assert!(
            !heard.iter().any(|text| text.contains(key)),
            "{name} got out: {heard:?}"
        );
    }
}
