//! The vendor's token counts and what they are in unified terms.
//!
//! `usageMetadata` comes with every event of a stream and is cumulative, but a
//! later one may lack what an earlier one had: it is merged field by field.

use multillm_plugin_sdk::Usage;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::sum;

/// `usageMetadata`, as far as it counts.
#[derive(Default)]
pub(crate) struct Counts {
    prompt: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    tool_use_prompt: Option<u64>,
    cached_content: Option<u64>,
    total: Option<u64>,
}

impl Counts {
    /// Takes over the counts that are there.
    pub(crate) fn update(&mut self, metadata: &Json<'_>) {
        let fields = [
            ("promptTokenCount", &mut self.prompt),
            ("candidatesTokenCount", &mut self.candidates),
            ("thoughtsTokenCount", &mut self.thoughts),
            ("toolUsePromptTokenCount", &mut self.tool_use_prompt),
            ("cachedContentTokenCount", &mut self.cached_content),
            ("totalTokenCount", &mut self.total),
        ];
        for (name, count) in fields {
            *count = metadata.get(name).and_then(Json::count).or(*count);
        }
    }

    /// The unified counts.
    ///
    /// What server-side tools fed to the model is input; thoughts are output that
    /// `candidatesTokenCount` does not contain. That field is left out when it
    /// is zero, so it is zero where there are counts at all.
    pub(crate) fn unified(&self) -> Usage {
        let counted = self.prompt.or(self.total).map(|_| 0);
        Usage {
            prompt_tokens: sum(&[self.prompt, self.tool_use_prompt]),
            completion_tokens: sum(&[self.candidates, self.thoughts, counted]),
            total_tokens: self.total,
            cached_tokens: self.cached_content,
            cache_write_tokens: None,
            reasoning_tokens: self.thoughts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(metadata: &[&str]) -> Usage {
        let mut counts = Counts::default();
        for json in metadata {
            counts.update(&Json::parse(json).unwrap());
        }
        counts.unified()
    }

    #[test]
    fn thoughts_are_output_and_tool_prompts_are_input() {
        let usage = usage(&[
            r#"{"promptTokenCount":10,"toolUsePromptTokenCount":5,"candidatesTokenCount":3,
                "thoughtsTokenCount":20,"cachedContentTokenCount":4,"totalTokenCount":38}"#,
        ]);
        assert_eq!(usage.prompt_tokens, Some(15));
        assert_eq!(usage.completion_tokens, Some(23));
        assert_eq!(usage.reasoning_tokens, Some(20));
        assert_eq!(usage.cached_tokens, Some(4));
        assert_eq!(usage.total_tokens, Some(38));
    }

    #[test]
    fn a_missing_candidates_count_is_zero_only_among_other_counts() {
        let prompt_only = usage(&[r#"{"promptTokenCount":8,"totalTokenCount":8}"#]);
        assert_eq!(prompt_only.completion_tokens, Some(0));
        assert!(usage(&[r#"{"trafficType":"ON_DEMAND"}"#]).is_unknown());
        assert!(usage(&[r#"{"promptTokenCount":null}"#, "7"]).is_unknown());
    }

    #[test]
    fn later_counts_replace_earlier_ones_where_present() {
        let usage = usage(&[
            r#"{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}"#,
            r#"{"promptTokenCount":9.0,"totalTokenCount":30}"#,
        ]);
        assert_eq!(usage.prompt_tokens, Some(9));
        assert_eq!(usage.completion_tokens, Some(2));
        assert_eq!(usage.total_tokens, Some(30));
    }
}
