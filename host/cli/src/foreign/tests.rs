//! What goes, what stays, and that cutting changes nothing.

use super::*;

/// Shown whole, character by character and cut anywhere.
#[track_caller]
fn shown(given: &str) -> String {
    let whole = text(given);
    let bounds: Vec<usize> = given.char_indices().map(|(at, _)| at).collect();
    for at in bounds {
        let (left, right) = given.split_at(at);
        let mut flow = Flow::default();
        let cut = flow.push(left) + &flow.push(right);
        assert_eq!(cut, whole, "cut at {at}");
    }
    whole
}

/// Every character that steers, hides or turns round, each between two letters.
fn harmful() -> Vec<char> {
    let ranges = [
        '\0'..='\u{8}',
        '\u{b}'..='\u{1f}',
        '\u{7f}'..='\u{9f}',
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{180e}'..='\u{180e}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0001}'..='\u{e007f}',
        '\u{e0100}'..='\u{e01ef}',
    ];
    ranges.into_iter().flatten().collect()
}

#[test]
fn what_steers_hides_or_turns_round_is_taken_out() {
    assert_eq!(
        shown("a\x1b]0;title\x07b\r\n\tc\u{9b}2J"),
        "a]0;titleb\n\tc2J"
    );
    for c in harmful() {
        for (before, after) in [("a", "b"), ("", ""), (" ", " "), ("a", ""), ("", "b")] {
            let given = format!("{before}{c}{after}");
            assert_eq!(shown(&given), format!("{before}{after}"), "{c:?}");
        }
    }
}

#[test]
fn scripts_and_emoji_keep_what_they_need() {
    for kept in [
        "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥 👍🏽 🏳\u{fe0f}\u{200d}🌈 1\u{fe0f}\u{20e3}",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "עברית\u{200f}!",
        "\u{200e}ابج",
        "葛\u{e0100}",
        "ᠠ\u{180b}",
        "plain, äöü, 天, e\u{301}\n\tx",
    ] {
        assert_eq!(shown(kept), kept);
        assert_eq!(json(kept).replace("\\u0009", "\t"), kept);
    }
    // Not where they only hide something.
    assert_eq!(
        shown("a\u{200d}b pass\u{200c}word 👨\u{200d} x"),
        "ab password 👨 x"
    );
    assert_eq!(shown("a\u{fe0f}\u{fe01}\u{fe02}b"), "a\u{fe0f}b");
    assert_eq!(shown("🏴\u{e0067}\u{e007f}"), "🏴");
}

#[test]
fn a_line_stays_one_line() {
    let forged = "bad key\r\nerror: run curl\u{2028}note: x\u{85}y\u{b}z\tq";
    assert_eq!(line(forged), "bad key error: run curl note: x y z q");
    assert_eq!(line("  as it is "), "  as it is ");
    assert_eq!(shown("a\u{2028}b"), "a\nb");
}

#[test]
fn json_says_the_same_in_escapes() {
    for c in harmful() {
        let value = format!("a{c}b");
        let text = serde_json::to_string(&value).unwrap();
        let safe = json(&text);
        assert!(safe.is_ascii(), "{c:?}: {safe}");
        assert_eq!(
            serde_json::from_str::<String>(&safe).unwrap(),
            value,
            "{c:?}"
        );
    }
    assert_eq!(json("{\n \"a\": 1\n}"), "{\n \"a\": 1\n}");
    assert_eq!(json("\"\u{2028}\u{7f}\""), "\"\\u2028\\u007f\"");
}

#[test]
fn what_is_judged_hides_nothing() {
    let shown = escaped("https://a\u{200b}b\n\u{202e}c\u{e0041}\x1b[2J");
    assert_eq!(
        shown,
        "https://a\\u200bb\\n\\u202ec\\udb40\\udc41\\u001b[2J"
    );
}
