//! The vendor's token counts and what they are in unified terms.
//!
//! `usageMetadata` comes with every event of a stream and is cumulative, but a
//! later one may lack what an earlier one had, or have zero in its place: it is merged field
//! by field.

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
            let known = count.filter(|count| *count > 0);
            let later = metadata.get(name).and_then(Json::count);
            *count = later.filter(|later| *later > 0).or(known).or(later);
        }
    }

    /// The unified counts.
    ///
    /// What server-side tools fed to the model is input; thoughts are output that
    /// `candidatesTokenCount` does not contain. That field is left out when it
    /// is zero, so it is zero where there are counts at all. No prompt has no tokens: a server
    /// that counts none did not count, and neither did one that finds no token in what it `said`.
    /// Output that the total holds and no field names is output.
    pub(crate) fn unified(&self, said: bool) -> Usage {
        let prompt = sum(&[self.prompt, self.tool_use_prompt]).filter(|prompt| *prompt > 0);
        let total = self.total.filter(|total| *total > 0);
        let counted = prompt.or(total).map(|_| 0);
        let named = sum(&[self.candidates, self.thoughts, counted]);
        let rest = prompt.and_then(|prompt| total?.checked_sub(prompt));
        Usage {
            prompt_tokens: prompt,
            completion_tokens: named
                .max(rest)
                .filter(|named| *named > 0 || (counted.is_some() && !said)),
            total_tokens: total,
            cached_tokens: self.cached_content.filter(|_| counted.is_some()),
            reasoning_tokens: self.thoughts.filter(|_| counted.is_some()),
            ..Usage::UNKNOWN
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
        counts.unified(false)
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
    fn zeros_for_everything_are_no_counts() {
        let zeros = r#"{"promptTokenCount":0,"candidatesTokenCount":0,"thoughtsTokenCount":0,
            "cachedContentTokenCount":0,"totalTokenCount":0}"#;
        assert!(usage(&[zeros]).is_unknown());
        let output =
            usage(&[r#"{"promptTokenCount":0,"candidatesTokenCount":12,"totalTokenCount":0}"#]);
        assert_eq!(
            (output.prompt_tokens, output.completion_tokens),
            (None, Some(12))
        );
    }

    #[test]
    fn text_without_a_token_was_not_counted() {
        let mut counts = Counts::default();
        counts.update(&Json::parse(r#"{"promptTokenCount":8,"totalTokenCount":8}"#).unwrap());
        assert_eq!(counts.unified(true).completion_tokens, None);
        assert_eq!(counts.unified(true).prompt_tokens, Some(8));
    }

    #[test]
    fn a_later_zero_takes_nothing_back() {
        let usage = usage(&[
            r#"{"promptTokenCount":900,"cachedContentTokenCount":300,"candidatesTokenCount":2,"totalTokenCount":902}"#,
            r#"{"promptTokenCount":0,"cachedContentTokenCount":0,"candidatesTokenCount":40,"totalTokenCount":0}"#,
        ]);
        assert_eq!(usage.prompt_tokens, Some(900));
        assert_eq!(usage.cached_tokens, Some(300));
        assert_eq!(usage.completion_tokens, Some(40));
    }

    #[test]
    fn a_total_that_holds_more_is_believed() {
        let usage =
            usage(&[r#"{"promptTokenCount":10,"candidatesTokenCount":9,"totalTokenCount":113}"#]);
        assert_eq!(usage.completion_tokens, Some(103));
        assert_eq!(usage.total_tokens, Some(113));
    }

    #[test]
    fn later_counts_replace_earlier_ones_where_present() {
        let usage = usage(&[
            r#"{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}"#,
            r#"{"promptTokenCount":9.0,"totalTokenCount":11}"#,
        ]);
        assert_eq!(usage.prompt_tokens, Some(9));
        assert_eq!(usage.completion_tokens, Some(2));
        assert_eq!(usage.total_tokens, Some(11));
    }
}
