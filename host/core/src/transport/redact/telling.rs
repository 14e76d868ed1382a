//! Whether a secret can be told from words. No rule of redaction stands here.

/// Shorter secrets occur by chance.
const SHORTEST: usize = 8;
/// What a secret must weigh, in bits: four words, or eight random letters and digits.
const ENOUGH: f32 = 32.0;
/// How keys of well-known vendors and servers begin. No word begins so.
const PREFIXES: [&str; 14] = [
    "sk-", "sk_", "pk-", "gsk_", "hf_", "xai-", "pplx-", "r8_", "nvapi-", "aiza", "ghp_", "gho_",
    "fw_", "csk-",
];

/// Whether the secret can be told from words, so that taking it out of a text harms nothing else.
///
/// At least eight characters, and either the beginning of a vendor's keys or more than a few words,
/// short numbers and rows such as `1234` or `aaaa` have: `test`, `not-needed`, `content_block_delta` and
/// `12345678` are not, `sk-local-1`, 32 hexadecimal digits and four words are.
#[must_use]
pub fn is_telling(secret: &str) -> bool {
    let lower = secret.to_ascii_lowercase();
    let known = |prefix: &&str| lower.starts_with(*prefix) && lower.len() >= prefix.len() + 4;
    secret.chars().count() >= SHORTEST && (PREFIXES.iter().any(known) || weight(secret) >= ENOUGH)
}

/// Bits of a text, seen as words, numbers and marks.
fn weight(text: &str) -> f32 {
    let mut bits = 0.0;
    for run in runs(text) {
        let letters = run.chars().next().is_some_and(char::is_alphabetic);
        bits += match run.chars().count() {
            count if letters && (3..=20).contains(&count) => 10.0,
            _ => run_bits(run),
        };
    }
    bits
}

/// Bits of a run that is no word: what repeats or counts on says little.
fn run_bits(run: &str) -> f32 {
    let mut before: Option<char> = None;
    let mut bits = 0.0;
    for c in run.chars() {
        let row = before.is_some_and(|last| u32::from(last).abs_diff(u32::from(c)) <= 1);
        bits += match c {
            _ if row => 0.5,
            '0'..='9' => 3.3,
            c if c.is_alphabetic() => 4.7,
            _ => 0.0,
        };
        before = Some(c);
    }
    bits
}

/// Runs of letters (a capital after a small letter begins another), of digits, and of the rest.
fn runs(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphabetic() => 0,
        c if c.is_numeric() => 1,
        _ => 2,
    };
    let mut runs = vec![];
    let mut start = 0;
    let mut last: Option<char> = None;
    for (at, c) in text.char_indices() {
        let begins = last.is_some_and(|last| {
            class(last) != class(c) || (last.is_lowercase() && c.is_uppercase())
        });
        if begins {
            runs.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        last = Some(c);
    }
    runs.push(text.get(start..).unwrap_or_default());
    runs
}

#[cfg(test)]
mod tests {
    use super::is_telling;

    #[test]
    fn words_and_placeholders_are_no_secrets() {
        for word in [
            "",
            "test",
            "none",
            "null",
            "stop",
            "content",
            "EMPTY",
            "ollama",
            "lm-studio",
            "not-needed",
            "no-key-required",
            "password",
            "changeme",
            "Assistant",
            "assistant",
            "tool_calls",
            "finish_reason",
            "content_block_delta",
            "functionCall",
            "candidatesTokenCount",
            "12345678",
            "1234567890",
            "aaaaaaaaaaaaaaaa",
            "password123",
            "sk-1",
            "sk-1234",
        ] {
            assert!(!is_telling(word), "{word}");
        }
    }

    #[test]
    fn keys_are() {
        for key in [
            "sk-sim-openai",
            "sk-proj-AbCdEf0123456789XyZ",
            "sk-ant-api03-x_Y-z",
            "AIzaSyA1b2C3d4E5f6G7h8",
            "gsk_abcd1234",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "hJ3kQ9vX",
            "Zx81-Qm2w",
            "correct-horse-battery-staple",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        ] {
            assert!(is_telling(key), "{key}");
        }
    }
}
