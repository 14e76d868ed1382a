use proptest::prelude::*;
use unicode_width::UnicodeWidthStr as _;

use super::{Links, Markdown};

/// The drawing of a document that comes in pieces.
fn raw(pieces: &[&str], width: u16, links: Links) -> String {
    let mut markdown = Markdown::new(width, links);
    let out: String = pieces.iter().map(|piece| markdown.push(piece)).collect();
    out + &markdown.finish()
}

/// The same with its forms in brackets.
fn drawn(pieces: &[&str]) -> String {
    bracketed(&raw(pieces, 40, Links::Written))
}

fn bracketed(drawn: &str) -> String {
    let mut out = drawn.to_owned();
    for (form, name) in [
        ("\x1b[1m", "[b]"),
        ("\x1b[22m", "[/b]"),
        ("\x1b[3m", "[i]"),
        ("\x1b[23m", "[/i]"),
        ("\x1b[4m", "[u]"),
        ("\x1b[24m", "[/u]"),
        ("\x1b[9m", "[s]"),
        ("\x1b[29m", "[/s]"),
        ("\x1b[36m", "[c]"),
        ("\x1b[39m", "[/c]"),
        ("\x1b[2m", "[dim]"),
        ("\x1b]8;;\x1b\\", "[/a]"),
        ("\x1b]8;id=", "[a "),
        ("\x1b\\", "]"),
    ] {
        out = out.replace(form, name);
    }
    out
}

/// The text of a drawing without its forms.
fn bare(drawn: &str) -> String {
    let mut out = String::new();
    let mut rest = drawn;
    while let Some(at) = rest.find('\x1b') {
        out += &rest[..at];
        let end = match rest[at + 1..].starts_with(']') {
            true => at + 1 + rest[at + 1..].find('\x1b').unwrap() + 2,
            false => at + rest[at..].find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1,
        };
        rest = &rest[end..];
    }
    out + rest
}

const DOCUMENT: &str = "# Title *x*\n\nPlain **bold** and *it*, `a*b*c`, 2*3*4, snake_case_x, ~~gone~~.\n\
- item **一二**\n  * nested item of more words than a line has\n1. one\n> quoted words, more of them than a line has\n---\n```rust\nfn a() {\n    `x` **y**\n}\n```\n\
| 名 | b |\n|----|---|\n| 你好 | `1` |\n\n[docs](https://a.org/x \"t\"), ![pic](p.png), https://b.org/c_d_e. <https://e.org/>!\n\
这是一段没有空格的文字，它比一行的宽度更长一些。\n**never closed\nend";

#[test]
fn forms_are_drawn() {
    insta::assert_snapshot!(drawn(&[DOCUMENT]));
    insta::assert_snapshot!(bracketed(&raw(&[DOCUMENT], 30, Links::Followed)));
}

#[test]
fn any_cut_gives_the_same_drawing() {
    let whole = raw(&[DOCUMENT], 30, Links::Followed);
    for size in [1, 2, 3, 7] {
        let characters: Vec<char> = DOCUMENT.chars().collect();
        let pieces: Vec<String> = characters
            .chunks(size)
            .map(|piece| piece.iter().collect())
            .collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(
            raw(&pieces, 30, Links::Followed),
            whole,
            "in pieces of {size}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_drawn_the_same_at_any_cut_and_fits(
        text in "([a-c *_`~\\[\\]()!<>#|\\-\\\\\n]|h|https://a|```|好|，|\u{1b}|\u{301}|🏳){0,80}",
        cuts in prop::collection::vec(0_usize..200, 0..4),
        width in 1_u16..60,
    ) {
        let whole = raw(&[&text], width, Links::Followed);
        let mut places: Vec<usize> = cuts.iter().map(|at| text.floor_char_boundary(*at)).collect();
        places.sort_unstable();
        let mut pieces = vec![];
        let mut from = 0;
        for place in places {
            pieces.push(&text[from..place]);
            from = place;
        }
        pieces.push(&text[from..]);
        prop_assert_eq!(raw(&pieces, width, Links::Followed), whole.clone());
        // Every letter is there, and nothing of the text steers.
        let letters = |text: &str| text.chars().filter(|c| matches!(c, 'a'..='c' | '好' | '，' | '🏳')).count();
        prop_assert!(letters(&bare(&whole)) >= letters(&text));
        prop_assert!(!bare(&whole).contains('\x1b'));
    }
}

#[test]
fn text_appears_when_a_word_is_whole() {
    let mut markdown = Markdown::new(40, Links::Written);
    assert_eq!(markdown.push("Hel"), "");
    assert_eq!(markdown.push("lo *wor"), "Hello");
    assert_eq!(markdown.push("ld*! "), " \x1b[3mworld\x1b[23m!");
    assert_eq!(markdown.push("你好"), " 你");
}

#[test]
fn lines_are_wrapped_between_words_with_their_margin() {
    let text = "- one two three four\n> five six seven eight\n\nnine ten eleven twelve";
    let lines = bare(&raw(&[text], 12, Links::Written));
    assert_eq!(
        lines,
        "• one two\n  three four\n│ five six\n│ seven\n│ eight\n\nnine ten\neleven\ntwelve\n"
    );
}

#[test]
fn no_line_of_text_is_wider_than_the_terminal() {
    for width in [12, 20, 33, 80] {
        let drawn = bare(&raw(&[DOCUMENT], width, Links::Followed));
        for line in drawn.lines().filter(|line| !line.contains(['`', '│'])) {
            assert!(line.width() <= width.into(), "{line:?} at {width}");
        }
    }
}

#[test]
fn a_window_that_changes_loses_nothing() {
    let mut markdown = Markdown::new(10, Links::Written);
    let mut drawn = String::new();
    let words: Vec<String> = (0..200).map(|n| format!("word{n} ")).collect();
    for (n, word) in words.iter().enumerate() {
        markdown.resize(u16::try_from(5 + n * 7 % 60).unwrap());
        drawn += &markdown.push(word);
    }
    drawn += &markdown.finish();
    let shown: Vec<&str> = drawn.split_whitespace().collect();
    assert_eq!(shown.concat(), words.concat().replace(' ', ""));
}

#[test]
fn a_link_over_two_lines_is_one() {
    let drawn = bracketed(&raw(&["[two words](https://a.org/)"], 6, Links::Followed));
    assert_eq!(
        drawn,
        "[u][a 1;https://a.org/]two[/a][/u]\n[u][a 1;https://a.org/]words[/a][/u]\n[dim](a.org[/b]\n[dim])[/b]\n"
    );
}

#[test]
fn an_answer_cannot_steer_the_terminal() {
    assert_eq!(
        drawn(&["a\x1b]0;t\x07b\r\n", "`\x1b[2J`\u{9b}2J"]),
        "a]0;tb\n[c][2J[/c]2J\n"
    );
    // Nor by where a link leads.
    for target in [
        "https://a.org/\x1b[2J",
        "https://a.org/\u{9b}2J",
        "javascript:x",
        "https://a.org\\x1b\\\\",
    ] {
        let text = format!("[x]({target})");
        let shown = raw(&[&text], 60, Links::Followed);
        assert!(
            !shown.contains("[2J") || !shown.contains("\x1b[2J"),
            "{shown:?}"
        );
        let forms = shown.matches('\x1b').count();
        let ours = shown.matches("\x1b]8;").count() * 2
            + shown.matches("\x1b[4m").count()
            + shown.matches("\x1b[24m").count()
            + shown.matches("\x1b[2m").count()
            + shown.matches("\x1b[22m").count();
        assert_eq!(forms, ours, "{shown:?}");
    }
}

#[test]
fn an_open_code_block_ends_with_the_answer() {
    assert_eq!(drawn(&["```\nx"]), "[dim]── [/b]\n[c]x[/c]\n");
    assert_eq!(
        drawn(&["````\n```\n````\n"]),
        "[dim]── [/b]\n[c]```[/c]\n[dim]──[/b]\n"
    );
    assert_eq!(drawn(&["- "]), "• \n");
    assert_eq!(drawn(&["``"]), "``\n");
}

#[test]
fn each_piece_is_looked_at_a_bounded_number_of_times() {
    for (start, piece) in [
        ("", " "),
        ("", "-"),
        ("", "1"),
        ("", "`"),
        ("", ">"),
        ("x ", "*a "),
        ("x ", "**b"),
        ("x ", "`c ``"),
        ("x ", "[d "),
        ("x ", "[d](e"),
        ("x ", "https://"),
        ("```\n", " "),
        ("```\n", "`"),
    ] {
        let mut markdown = Markdown::new(80, Links::Followed);
        let mut drawn = markdown.push(start).len();
        for _ in 0..5_000 {
            drawn += markdown.push(piece).len();
            // All that is looked at again with the next piece.
            assert!(markdown.held.len() < 2_100, "{start:?} and {piece:?}");
        }
        drawn += markdown.finish().len();
        assert!(
            drawn >= 5_000 || piece == " ",
            "{start:?} and {piece:?}: {drawn}"
        );
    }
}

#[test]
fn a_row_without_an_end_is_drawn_at_its_end() {
    let mut markdown = Markdown::new(80, Links::Written);
    let row = "| a ".repeat(2_000);
    let early: String = row
        .split_inclusive(' ')
        .map(|piece| markdown.push(piece))
        .collect();
    assert_eq!(early, "");
    assert_eq!(markdown.finish().matches("| a ").count(), 2_000);
}

#[test]
fn what_is_not_closed_soon_is_no_span() {
    let long = "word ".repeat(1_000);
    let mut markdown = Markdown::new(80, Links::Written);
    let shown = markdown.push(&format!("**{long}")) + &markdown.push("**");
    let shown = shown + &markdown.finish();
    assert_eq!(shown.replace('\n', " "), format!("**{long}** "));
}
