//! What kind of line a line of Markdown is.

/// A kind of line. `text` is where the line's text begins, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Text,
    Heading {
        level: usize,
        text: usize,
    },
    Item {
        indent: usize,
        mark: String,
        text: usize,
    },
    Quote {
        text: usize,
    },
    Rule,
    Fence {
        marks: String,
        language: String,
    },
    /// Of a table.
    Row,
}

impl Block {
    /// The kind of a line that begins so, once it is certain. `whole`: nothing more comes.
    pub(super) fn of(line: &str, whole: bool) -> Option<Self> {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let Some(first) = body.chars().next() else {
            return whole.then_some(Block::Text);
        };
        let run = body.chars().take_while(|c| *c == first).count();
        // Marks are of one byte each.
        let after = body.get(run * first.len_utf8()..).unwrap_or_default();
        let open = after.is_empty() && !whole;
        match first {
            '#' if run <= 6 => match after.chars().next() {
                Some(' ') => Some(Block::Heading {
                    level: run,
                    text: indent + run + 1,
                }),
                None if open => None,
                _ => Some(Block::Text),
            },
            '`' | '~' if run >= 3 || open => {
                let language = after.trim();
                let is_fence = run >= 3 && !(first == '`' && language.contains('`'));
                match (is_fence, whole) {
                    (false, _) if !open => Some(Block::Text),
                    (_, false) => None,
                    (_, true) => Some(Block::Fence {
                        marks: first.to_string().repeat(run),
                        language: language.to_owned(),
                    }),
                }
            }
            '|' => whole.then_some(Block::Row),
            '>' => match after.chars().next() {
                _ if run > 1 => Some(Block::Quote { text: indent + 1 }),
                Some(' ') => Some(Block::Quote { text: indent + 2 }),
                Some(_) => Some(Block::Quote { text: indent + 1 }),
                None if open => None,
                None => Some(Block::Quote { text: indent + 1 }),
            },
            '-' | '*' | '_' if run >= 3 || open => match (after.trim().is_empty(), whole) {
                (true, false) => None,
                (true, true) => Some(Block::Rule),
                (false, _) => Some(Block::Text),
            },
            '-' | '*' | '+' if run == 1 => match after.chars().next() {
                Some(' ') => Some(Block::Item {
                    indent,
                    mark: "•".to_owned(),
                    text: indent + 2,
                }),
                None if open => None,
                _ => Some(Block::Text),
            },
            '0'..='9' => numbered(body, indent, whole),
            _ => Some(Block::Text),
        }
    }
}

fn numbered(body: &str, indent: usize, whole: bool) -> Option<Block> {
    let digits = body.chars().take_while(char::is_ascii_digit).count();
    let after = body.get(digits..).unwrap_or_default();
    let mut rest = after.chars();
    match (rest.next(), rest.next()) {
        _ if digits > 9 => Some(Block::Text),
        (None, _) | (Some('.' | ')'), None) if !whole => None,
        (Some(dot @ ('.' | ')')), Some(' ')) => Some(Block::Item {
            indent,
            mark: format!("{}{dot}", body.get(..digits).unwrap_or_default()),
            text: indent + digits + 2,
        }),
        _ => Some(Block::Text),
    }
}

/// The cells of a row of a table.
pub(super) fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row
        .strip_suffix('|')
        .filter(|rest| !rest.ends_with('\\'))
        .unwrap_or(row);
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in row.chars() {
        match (c, cells.last_mut()) {
            ('|', _) if !escaped => cells.push(String::new()),
            (_, Some(cell)) => {
                if escaped && c == '|' {
                    cell.pop();
                }
                cell.push(c);
            }
            (_, None) => {}
        }
        escaped = c == '\\' && !escaped;
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
