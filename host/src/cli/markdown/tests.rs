use super::Markdown;

/// The drawing with its forms in brackets.
fn drawn(pieces: &[&str]) -> String {
    let mut markdown = Markdown::new(40);
    let mut out: String = pieces.iter().map(|piece| markdown.push(piece)).collect();
    out += &markdown.finish();
    for (form, name) in [
        ("\x1b[0m", "[/]"),
        ("\x1b[1m", "[b]"),
        ("\x1b[22m", "[/b]"),
        ("\x1b[3m", "[i]"),
        ("\x1b[23m", "[/i]"),
        ("\x1b[36m", "[c]"),
        ("\x1b[39m", "[/c]"),
        ("\x1b[2m", "[dim]"),
        ("\x1b[1;4m", "[h1]"),
    ] {
        out = out.replace(form, name);
    }
    out
}

const DOCUMENT: &str = "# Title *x*\n\nPlain **bold** and *it*, `a*b*c`, 2*3*4, snake_case_x.\n\
- item **一二**\n  * nested\n1. one\n> quoted\n---\n```rust\nfn a() {\n    `x` **y**\n}\n```\n\
| 名 | b |\n|----|---|\n| 你好 | `1` |\n\n**never closed\nend";

#[test]
fn forms_are_drawn() {
    insta::assert_snapshot!(drawn(&[DOCUMENT]), @r"
    [h1]Title [i]x[/i][h1][/]

    Plain [b]bold[/b] and [i]it[/i], [c]a*b*c[/c], 2*3*4, snake_case_x.
    • item [b]一二[/b]
      • nested
    1. one
    [dim]│[/] quoted
    [dim]────────────────────────────────────────[/]
    [dim]── rust[/]
    [c]fn a() {[/]
    [c]    `x` **y**[/]
    [c]}[/]
    [dim]──[/]
    ┌──────┬───┐
    │ 名   ┆ b │
    ╞══════╪═══╡
    │ 你好 ┆ 1 │
    └──────┴───┘

    **never closed
    end
    ");
}

#[test]
fn any_cut_gives_the_same_drawing() {
    let whole = drawn(&[DOCUMENT]);
    for size in [1, 2, 3, 7] {
        let characters: Vec<char> = DOCUMENT.chars().collect();
        let pieces: Vec<String> = characters
            .chunks(size)
            .map(|piece| piece.iter().collect())
            .collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(drawn(&pieces), whole, "in pieces of {size}");
    }
}

#[test]
fn text_appears_at_once() {
    let mut markdown = Markdown::new(40);
    assert_eq!(markdown.push("Hel"), "Hel");
    assert_eq!(markdown.push("lo *wor"), "lo ");
    assert_eq!(markdown.push("ld*!"), "\x1b[3mworld\x1b[23m!");
}

#[test]
fn an_answer_cannot_steer_the_terminal() {
    assert_eq!(
        drawn(&["a\x1b]0;t\x07b\r\n", "`\x1b[2J`\u{9b}2J"]),
        "a]0;tb\n[c][2J[/c]2J\n"
    );
}

#[test]
fn an_open_code_block_ends_with_the_answer() {
    assert_eq!(drawn(&["```\nx"]), "[dim]── [/]\n[c]x[/]\n");
    assert_eq!(
        drawn(&["````\n```\n````\n"]),
        "[dim]── [/]\n[c]```[/]\n[dim]──[/]\n"
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
        ("x ", "*a "),
        ("x ", "**b"),
        ("x ", "`c ``"),
        ("```\n", " "),
        ("```\n", "`"),
    ] {
        let mut markdown = Markdown::new(80);
        let mut drawn = markdown.push(start).len();
        for _ in 0..5_000 {
            drawn += markdown.push(piece).len();
            // All that is looked at again with the next piece.
            assert!(markdown.held.len() < 2_100, "{start:?} and {piece:?}");
        }
        drawn += markdown.finish().len();
        assert!(drawn >= 5_000, "{start:?} and {piece:?}");
    }
}

#[test]
fn a_row_without_an_end_is_drawn_at_its_end() {
    let mut markdown = Markdown::new(80);
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
    let mut markdown = Markdown::new(80);
    let shown = markdown.push(&format!("**{long}")) + &markdown.push("**");
    let shown = shown + &markdown.finish();
    assert_eq!(shown, format!("**{long}**\n"));
}
