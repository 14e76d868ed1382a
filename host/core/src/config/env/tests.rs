use secrecy::ExposeSecret as _;

use super::*;

#[test]
fn the_environment_wins_over_dotenv_even_when_empty() {
    let env = Env::fixed("", [("A", "real"), ("EMPTY", "")])
        .with_dotenv("A=file\nB=again\nB=\"two words\"\r\nexport C=3\nEMPTY=file\n# note\n");
    assert_eq!(env.var("A").as_deref(), Some("real"));
    assert_eq!(env.var("B").as_deref(), Some("two words"));
    assert_eq!(env.var("C").as_deref(), Some("3"));
    assert_eq!(env.var("EMPTY"), None);
    assert_eq!(env.var("D"), None);
    assert!(env.warnings().is_empty());
}

#[test]
fn a_bad_line_is_named_without_its_text() {
    let env = Env::fixed("", [("A", "1")]).with_dotenv("B=2\nsk-secret here\nC=3\n");
    let warnings: Vec<String> = env.warnings().iter().map(Problem::to_string).collect();
    assert_eq!(
        warnings,
        [".env:2:1: is not of the form NAME=value: correct it or put # before it"]
    );
    assert_eq!(env.var("C").as_deref(), Some("3"));
}

#[test]
fn debug_shows_no_value() {
    let env = Env::fixed("", [("KEY", "sk-1")]).with_dotenv("OTHER=sk-2");
    let shown = format!("{env:?}");
    assert!(shown.contains("KEY") && shown.contains("OTHER"));
    assert!(!shown.contains("sk-"), "{shown}");
}

#[test]
fn the_process_is_read_when_asked() {
    let env = Env::process();
    assert_eq!(env.var("PATH"), std::env::var("PATH").ok());
    assert_eq!(env.var("no such=name"), None);
}

#[test]
fn paths_know_home_and_base() {
    let env = Env::fixed("", [("A", "1")]).with_dirs(Some("/home/u".into()), None);
    let base = Path::new("/etc/m");
    assert_eq!(env.path(base, "~/k"), Path::new("/home/u/k"));
    assert_eq!(env.path(base, "k"), Path::new("/etc/m/k"));
    assert_eq!(env.path(base, "/k"), Path::new("/k"));
}

/// A working directory and a user's directories, with the files that are read of themselves.
fn place(found: &str, own: &str) -> (tempfile::TempDir, Env) {
    let dir = tempfile::tempdir().unwrap();
    let (here, config) = (dir.path().join("here"), dir.path().join("config"));
    for (dir, text) in [(&here, found), (&config, own)] {
        std::fs::create_dir(dir).unwrap();
        std::fs::write(dir.join(".env"), text).unwrap();
    }
    let env = Env::fixed(here, [("SET", "1")])
        .with_dirs(None, Some(config))
        .with_trust_in(&dir.path().join("data"));
    (dir, env)
}

const FOUND: &str = "OPENAI_API_KEY=sk-found\nTEAM_KEY=sk-team\nOPENAI_BASE_URL=http://evil\n\
                     MULTILLM_CONFIG=x.json\nHTTPS_PROXY=http://evil\nSET=2\n";

#[test]
fn a_found_file_gives_keys_and_an_own_one_everything() {
    let own =
        "OPENAI_API_KEY=sk-own\nTEAM_KEY=sk-mine\nCOHERE_API_KEY=co\nOLLAMA_HOST=gpu\nACME=1\n";
    let (_dir, env) = place(FOUND, own);
    let env = env.with_usual_files();
    let value = |name: &str| env.var(name);
    assert_eq!(value("OPENAI_API_KEY").as_deref(), Some("sk-found"));
    assert_eq!(value("COHERE_API_KEY").as_deref(), Some("co"));
    assert_eq!(value("OLLAMA_HOST").as_deref(), Some("gpu"));
    assert_eq!(value("ACME").as_deref(), Some("1"));
    assert_eq!(value("TEAM_KEY").as_deref(), Some("sk-mine"));
    let team = env.key(&["TEAM_KEY".to_owned()], true).unwrap().unwrap();
    assert_eq!(team.value.expose_secret(), "sk-team");
    assert_eq!(value("OPENAI_BASE_URL"), None);
    assert_eq!(value("MULTILLM_CONFIG"), None);
    assert_eq!(env.own_var("SET").as_deref(), Some("1"));
    assert_eq!(env.own_var("OPENAI_API_KEY"), None);
    let ignored: Vec<&str> = env.files().flat_map(EnvFile::ignored).collect();
    assert_eq!(ignored, ["HTTPS_PROXY", "MULTILLM_CONFIG"]);
}

#[test]
fn an_address_counts_with_consent_for_exactly_these_bytes() {
    let (dir, start) = place(FOUND, "");
    let env = start.clone().with_usual_files();
    let asked = env.untrusted().unwrap();
    assert_eq!(asked.requests.len(), 1);
    assert_eq!(
        asked.requests.first().unwrap().to_string(),
        ".env: OPENAI_BASE_URL: send requests and their key to \"http://evil\""
    );
    env.trust().allow(&asked.path, &asked.sha256).unwrap();
    let env = start.clone().with_usual_files();
    assert_eq!(env.untrusted(), None);
    assert_eq!(env.var("OPENAI_BASE_URL").as_deref(), Some("http://evil"));
    assert_eq!(env.var("MULTILLM_CONFIG"), None);
    let changed = FOUND.replace("http://evil", "http://more-evil");
    std::fs::write(dir.path().join("here/.env"), changed).unwrap();
    let env = start.with_usual_files();
    assert!(env.untrusted().is_some());
    assert_eq!(env.var("OPENAI_BASE_URL"), None);
}

#[test]
fn a_named_file_counts_before_the_others() {
    let (dir, env) = place(FOUND, "");
    let named = dir.path().join("named.env");
    std::fs::write(
        &named,
        "OPENAI_BASE_URL=http://mine\nOPENAI_API_KEY=sk-named\nnonsense\n",
    )
    .unwrap();
    let env = env.with_usual_files().with_env_file(&named).unwrap();
    assert_eq!(env.var("OPENAI_BASE_URL").as_deref(), Some("http://mine"));
    assert_eq!(env.var("OPENAI_API_KEY").as_deref(), Some("sk-named"));
    assert_eq!(env.warnings().len(), 1);
    let missing = env.with_env_file(Path::new("nowhere.env")).unwrap_err();
    assert!(
        missing.to_string().contains("nowhere.env: no such file"),
        "{missing}"
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let (dir, start) = place("", "");
    let told =
        |env: Env| -> Vec<String> { env.warnings().iter().map(Problem::to_string).collect() };
    let file = dir.path().join("here/.env");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(told(start.clone().with_usual_files()), Vec::<String>::new());
    std::fs::create_dir(&file).unwrap();
    assert_eq!(
        told(start.clone().with_usual_files()),
        [".env: cannot be read: it is a directory"]
    );
    std::fs::remove_dir(&file).unwrap();
    let large = std::fs::File::create(&file).unwrap();
    large.set_len(64 << 20).unwrap();
    assert_eq!(
        told(start.with_usual_files()),
        [".env: cannot be read: it is far too large for variables"]
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_holds_nobody() {
    let (dir, start) = place("", "");
    let file = dir.path().join("here/.env");
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&file)
        .status()
        .unwrap();
    assert!(made.success());
    let env = start.with_usual_files();
    assert_eq!(env.warnings().len(), 1, "{:?}", env.warnings());
}
