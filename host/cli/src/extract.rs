//! Code blocks of an answer.

/// The code blocks of a Markdown text, in order, without their fences. One that is not closed goes to
/// the end.
pub(super) fn blocks(text: &str) -> Vec<String> {
    let mut found = vec![];
    let mut open: Option<Fence<'_>> = None;
    for line in text.lines() {
        match &mut open {
            None => open = Fence::opened_by(line),
            Some(fence) if fence.is_closed_by(line) => {
                found.extend(open.take().map(|fence| fence.code));
            }
            Some(fence) => fence.add(line),
        }
    }
    found.extend(open.map(|fence| fence.code));
    found
}

/// A block that is open.
struct Fence<'a> {
    mark: &'a str,
    count: usize,
    /// Blanks before the fence, which the lines in it have too.
    indent: usize,
    code: String,
}

impl<'a> Fence<'a> {
    fn opened_by(line: &'a str) -> Option<Self> {
        let body = line.trim_start();
        let mark = ["`", "~"].into_iter().find(|mark| body.starts_with(mark))?;
        let count = body.len() - body.trim_start_matches(mark).len();
        let info = body.get(count..).unwrap_or_default();
        // Three marks and more on one line are code within a line.
        let is_fence = count >= 3 && !(mark == "`" && info.contains('`'));
        is_fence.then(|| Fence {
            mark,
            count,
            indent: line.len() - body.len(),
            code: String::new(),
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        let rest = line.trim_start_matches(self.mark);
        rest.is_empty() && line.len() >= self.count
    }

    fn add(&mut self, line: &str) {
        let blanks = line.bytes().take_while(|byte| *byte == b' ').count();
        self.code += line.get(blanks.min(self.indent)..).unwrap_or(line);
        self.code.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn blocks_are_what_stands_between_fences() {
        let text = "Try:\n\n```rust\nfn a() {}\n\n    b\n```\nor\n~~~~\n~~~\n```\n~~~~\n- in a list\n  ```sh\n  ls\n    -l\n  ```\nend";
        assert_eq!(
            blocks(text),
            ["fn a() {}\n\n    b\n", "~~~\n```\n", "ls\n  -l\n"]
        );
    }

    #[test]
    fn what_is_no_block_is_none() {
        assert!(blocks("no ```code``` here, ``` nor here").is_empty());
        assert!(blocks("```x``` y").is_empty());
        assert_eq!(blocks("```\r\na\r\n```\r\n"), ["a\n"]);
        assert_eq!(blocks("```py\ncut"), ["cut\n"]);
        assert_eq!(blocks("````\n```\n````"), ["```\n"]);
    }
}
