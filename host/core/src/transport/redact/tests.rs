//! Secrets in every form, whole and in pieces, and texts that must stay as they are.

use super::*;

const KEY: &str = "sk-proj-AbCdEf0123456789XyZ";

fn redactor(secret: &str) -> Redactor {
    Redactor::new([&SecretString::from(secret)])
}

/// The text without the secret, which comes out alike however the text is cut.
#[track_caller]
fn clean(text: &str, secret: &str) -> String {
    let redactor = redactor(secret);
    let whole = redactor.clean(text).into_owned();
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for at in &bounds {
        let (left, right) = text.split_at(*at);
        assert_eq!(in_pieces(&redactor, [left, right]), whole, "cut at {at}");
    }
    let single = text
        .char_indices()
        .map(|(at, c)| &text[at..at + c.len_utf8()]);
    assert_eq!(
        in_pieces(&redactor, single),
        whole,
        "character by character"
    );
    whole
}

fn in_pieces<'t>(redactor: &Redactor, pieces: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = Pieces::default();
    let mut out = String::new();
    for piece in pieces {
        out += &text.push(redactor, piece.to_owned());
    }
    out + &text.finish(redactor)
}

#[test]
fn a_secret_is_taken_out_wherever_it_stands() {
    assert_eq!(
        clean(&format!("bad key {KEY}."), KEY),
        "bad key [redacted]."
    );
    assert_eq!(clean(&format!("{KEY}{KEY}"), KEY), "[redacted][redacted]");
    assert_eq!(
        clean(&format!("x{KEY}y"), &format!(" {KEY}\n")),
        "x[redacted]y"
    );
    let nothing = redactor(KEY);
    assert!(matches!(nothing.clean("nothing"), Cow::Borrowed("nothing")));
    assert!(Redactor::new([]).is_idle() && !nothing.is_idle());
}

#[test]
fn escaped_and_encoded_forms_are_found() {
    let secret = "ab+cd/ef\"gh\\ij kl7";
    for form in [
        "ab%2Bcd%2Fef%22gh%5Cij%20kl7",
        "ab%2bcd%2fef%22gh%5cij%20kl7",
        "ab%2Bcd%2Fef%22gh%5Cij+kl7",
        r#"ab+cd/ef\"gh\\ij kl7"#,
        r#"ab+cd\/ef\"gh\\ij kl7"#,
        r#"\u0061b+c\u0064/ef\u0022gh\u005cij kl7"#,
        r#"AB+CD/EF\"GH\\IJ KL7"#,
    ] {
        assert_eq!(
            clean(&format!("<{form}>"), secret),
            "<[redacted]>",
            "{form}"
        );
    }
    for form in [
        KEY.to_uppercase(),
        KEY.to_lowercase(),
        KEY.replacen('s', "\\u0073", 1),
        KEY.replacen('s', "\\\\u0073", 1),
        KEY.replacen('k', "\\\\u006b", 1),
        KEY.replacen('k', "\\\\\\\\u006b", 1),
        KEY.replacen('s', "%73", 1),
        KEY.chars()
            .map(|c| format!("\\u{:04X}", u32::from(c)))
            .collect(),
        KEY.bytes().map(|byte| format!("%{byte:02x}")).collect(),
    ] {
        let clean = clean(&format!("<{form}>"), KEY);
        assert!(clean.ends_with("[redacted]>"), "{form}: {clean}");
    }
}

#[test]
fn base64_is_found_at_each_of_its_three_places() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let key = "k?>~9Zq8W7e6R5t4";
    for before in ["", "x", "xy", "user:"] {
        let text = format!("{before}{key} and more");
        for coded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let clean = clean(&coded, key);
            assert!(clean.contains("[redacted]"), "{coded}: {clean}");
            assert!(clean.len() < coded.len() - 8, "{coded}: {clean}");
        }
    }
}

#[test]
fn cut_secrets_are_taken_out_and_masked_ones_kept() {
    assert_eq!(clean("key sk-proj-AbCdEf01234", KEY), "key [redacted]");
    assert_eq!(clean("key sk-proj-AbCdEf01...", KEY), "key [redacted]...");
    assert_eq!(clean("key sk-proj-****9XyZ", KEY), "key sk-proj-****9XyZ");
    assert_eq!(clean("key sk-proj-AbCdE***", KEY), "key sk-proj-AbCdE***");
    assert_eq!(clean("key sk-proj-AbCdE..", KEY), "key sk-proj-AbCdE..");
    assert_eq!(clean("key sk-proj-AbCdE.", KEY), "key [redacted].");
    assert_eq!(
        clean("keys begin with sk-proj-", KEY),
        "keys begin with sk-proj-"
    );
    assert_eq!(
        clean("short Qz7w-9Xk is cut", "Qz7w-9Xk4Tj2"),
        "short [redacted] is cut"
    );
    assert_eq!(
        clean("short Qz7w-*****", "Qz7w-9Xk4Tj2"),
        "short Qz7w-*****"
    );
}

#[test]
fn words_are_left_alone() {
    for word in ["test", "content", "stop", "null", "content_block_delta"] {
        let text = format!("{{\"{word}\":\"{word}\"}} {word}");
        assert_eq!(clean(&text, word), text);
        assert!(redactor(word).is_idle());
    }
}

/// What looks like the beginning of a secret everywhere must not take long.
#[test]
fn unfriendly_texts_take_no_longer() {
    let redactor = redactor(KEY);
    let begun = std::time::Instant::now();
    for text in ["\\", "%", "s", "sk-proj-AbC", "\\u0073", "%73"] {
        let text = text.repeat((1 << 16) / text.len());
        assert_eq!(redactor.clean(&text), text);
        let mut pieces = Pieces::default();
        for piece in text.as_bytes().chunks(7) {
            pieces.push(&redactor, String::from_utf8(piece.to_vec()).unwrap());
            assert!(pieces.held_len() < 6 * KEY.len() + 16);
        }
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn several_secrets_and_overlaps() {
    let secrets = ["q7Vk9wh12z", "h12z45X8mT"].map(SecretString::from);
    let redactor = Redactor::new(&secrets);
    assert_eq!(redactor.clean("-q7Vk9wh12z45X8mT-"), "-[redacted]-");
    for at in 0..18 {
        let (left, right) = "-q7Vk9wh12z45X8mT-".split_at(at);
        assert_eq!(in_pieces(&redactor, [left, right]), "-[redacted]-", "{at}");
    }
    let key = "schl\u{fc}ssel-lang-9Qx7";
    assert_eq!(
        clean(&format!("\u{e9}{key}\u{e9}\\u00e9"), key),
        "\u{e9}[redacted]\u{e9}\\u00e9"
    );
}

#[test]
fn names_and_types_of_json_are_never_touched() {
    let text = format!(
        "{{\"type\":\"{KEY}\",\"{KEY}\":1,\"a\":\"x{KEY}\",\"b\":[\"\\u0073{}\", \"\\\"\"]}}",
        &KEY[1..]
    );
    let expected = format!(
        "{{\"type\":\"{KEY}\",\"{KEY}\":1,\"a\":\"x[redacted]\",\"b\":[\"[redacted]\", \"\\\"\"]}}"
    );
    assert_eq!(redactor(KEY).clean_json(&text), expected);
    let text = format!("key {KEY}");
    assert_eq!(redactor(KEY).clean_json(&text), "key [redacted]");
    // What is cut off here may go on in the next event.
    let begun = format!("{{\"a\":\"{}\"}}", &KEY[..20]);
    assert_eq!(redactor(KEY).clean_json(&begun), begun);
    assert_eq!(
        redactor(KEY).clean_json(&format!("{{\"a\":\"{KEY}")),
        "{\"a\":\"[redacted]"
    );
}

#[test]
fn what_is_held_back_is_only_a_beginning_of_a_secret() {
    let redactor = redactor(KEY);
    let mut text = Pieces::default();
    assert_eq!(text.push(&redactor, "all is".into()), "all i");
    assert_eq!(text.push(&redactor, " well".into()), "s well");
    assert_eq!(text.push(&redactor, "es sk-".into()), "es ");
    assert_eq!(text.push(&redactor, "y".into()), "sk-y");
    assert_eq!(text.finish(&redactor), "");
}

#[test]
fn a_secret_around_something_else_loses_its_rest() {
    let redactor = redactor(KEY);
    for at in 1..KEY.len() {
        let (left, right) = KEY.split_at(at);
        let mut text = Pieces::default();
        let mut shown = text.push(&redactor, left.into());
        shown += &text.pause(&redactor);
        assert_eq!(text.pause(&redactor), "");
        shown += &text.push(&redactor, right.into());
        shown += &text.finish(&redactor);
        assert!(
            shown.len() < "[redacted][redacted]".len() + 12,
            "{at}: {shown}"
        );
        assert!(shown.ends_with("[redacted]"), "{at}: {shown}");
        assert!(!shown.contains("0123456789"), "{at}: {shown}");
    }
}
