//! The vendor's token counts and what they are in unified terms.
//!
//! `usageMetadata` comes with every event of a stream and is cumulative, but a
//! later one may lack what an earlier one had: it is merged field by field.

use multillm_plugin_sdk::Usage;
use multillm_plugin_sdk::outcome::{lenient_count, sum};
use serde::Deserialize;

/// `usageMetadata`, as far as it counts.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counts {
    #[serde(deserialize_with = "lenient_count")]
    prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient_count")]
    candidates_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient_count")]
    thoughts_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient_count")]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient_count")]
    cached_content_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient_count")]
    total_token_count: Option<u64>,
}

impl Counts {
    /// Takes over what `later` has.
    pub(crate) fn update(&mut self, later: Counts) {
        let fields = [
            (&mut self.prompt_token_count, later.prompt_token_count),
            (
                &mut self.candidates_token_count,
                later.candidates_token_count,
            ),
            (&mut self.thoughts_token_count, later.thoughts_token_count),
            (
                &mut self.tool_use_prompt_token_count,
                later.tool_use_prompt_token_count,
            ),
            (
                &mut self.cached_content_token_count,
                later.cached_content_token_count,
            ),
            (&mut self.total_token_count, later.total_token_count),
        ];
        for (field, value) in fields {
            *field = value.or(*field);
        }
    }

    /// The unified counts.
    ///
    /// What server-side tools fed to the model is input; thoughts are output that
    /// `candidatesTokenCount` does not contain. That field is left out when it
    /// is zero, so it is zero where there are counts at all.
    pub(crate) fn unified(&self) -> Usage {
        let counted = self
            .prompt_token_count
            .or(self.total_token_count)
            .map(|_| 0);
        Usage {
            prompt_tokens: sum(&[self.prompt_token_count, self.tool_use_prompt_token_count]),
            completion_tokens: sum(&[
                self.candidates_token_count,
                self.thoughts_token_count,
                counted,
            ]),
            total_tokens: self.total_token_count,
            cached_tokens: self.cached_content_token_count,
            cache_write_tokens: None,
            reasoning_tokens: self.thoughts_token_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(json: &str) -> Counts {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn thoughts_are_output_and_tool_prompts_are_input() {
        let usage = counts(
            r#"{"promptTokenCount":10,"toolUsePromptTokenCount":5,"candidatesTokenCount":3,
                "thoughtsTokenCount":20,"cachedContentTokenCount":4,"totalTokenCount":38}"#,
        )
        .unified();
        assert_eq!(usage.prompt_tokens, Some(15));
        assert_eq!(usage.completion_tokens, Some(23));
        assert_eq!(usage.reasoning_tokens, Some(20));
        assert_eq!(usage.cached_tokens, Some(4));
        assert_eq!(usage.total_tokens, Some(38));
    }

    #[test]
    fn a_missing_candidates_count_is_zero_only_among_other_counts() {
        assert_eq!(
            counts(r#"{"promptTokenCount":8,"totalTokenCount":8}"#)
                .unified()
                .completion_tokens,
            Some(0)
        );
        assert!(
            counts(r#"{"trafficType":"ON_DEMAND"}"#)
                .unified()
                .is_unknown()
        );
        assert!(
            counts(r#"{"promptTokenCount":null}"#)
                .unified()
                .is_unknown()
        );
    }

    #[test]
    fn later_counts_replace_earlier_ones_where_present() {
        let mut all =
            counts(r#"{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}"#);
        all.update(counts(r#"{"promptTokenCount":9.0,"totalTokenCount":30}"#));
        let usage = all.unified();
        assert_eq!(usage.prompt_tokens, Some(9));
        assert_eq!(usage.completion_tokens, Some(2));
        assert_eq!(usage.total_tokens, Some(30));
    }
}
