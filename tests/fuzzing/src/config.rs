//! The target `config`: any text as a configuration, without files and without an environment.

use std::path::Path;

use multillm::config::{Config, Env, Problem};

pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // A folder that is not there: whether a file stands where a configuration says is not asked of
    // the machine that this runs on.
    let dir = Path::new("/nonexistent");
    let env = Env::fixed(dir, [("MULTILLM_FUZZING", "1")]);
    match Config::from_json_str(&text, dir, &env) {
        Ok(config) => well_placed(&config.warnings, &text),
        Err(error) => {
            let problems = error.problems();
            assert!(!problems.is_empty(), "no fault and no configuration");
            assert!(!error.to_string().trim().is_empty());
            well_placed(problems, &text);
            let order = problems.is_sorted_by_key(|problem| problem.position);
            assert!(order, "not in the order of the text: {problems:?}");
        }
    }
}

/// Each says what is wrong, and stands in the text or right behind one of its lines.
fn well_placed(problems: &[Problem], text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems {
        assert!(!problem.message.trim().is_empty(), "{problem:?}");
        let Some(position) = problem.position else {
            continue;
        };
        let line = lines.get(position.line.wrapping_sub(1));
        let columns = line.map_or(0, |line| line.chars().count() + 1);
        assert!(
            (1..=columns).contains(&position.column),
            "no such place: {problem:?}"
        );
    }
}
