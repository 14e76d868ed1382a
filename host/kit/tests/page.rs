//! The page about the checks says what the rules say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::path::Path;

use multillm_kit::RULES;

#[test]
fn the_page_has_every_rule_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugin-check.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rules) = page.split_once("## Rules\n\n").unwrap();
    let mut wanted = String::new();
    for rule in RULES {
        writeln!(
            wanted,
            "### {}\n\nMust hold: {}.\nOtherwise {}.\nFix: {}.\n",
            rule.code, rule.holds, rule.cause, rule.fix
        )
        .unwrap();
    }
    assert_eq!(rules.trim_end(), wanted.trim_end());
}
