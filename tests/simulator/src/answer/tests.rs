use super::*;
use crate::question::Turn;
use serde_json::json;

fn asking(text: &str) -> Question {
    let turn = Turn {
        text: text.to_owned(),
        ..Turn::default()
    };
    let tool = Tool {
        name: "look".to_owned(),
        parameters: json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}),
    };
    Question {
        model: "m".to_owned(),
        turns: vec![turn],
        tools: vec![tool],
        parallel: true,
        ..Question::default()
    }
}

fn said(question: &Question) -> Answer {
    answer(question, &Faults::default())
}

#[test]
fn quotes_the_user_system_and_turns() {
    let mut question = asking("hello there");
    question.system.push("Be brief.".to_owned());
    let answer = said(&question);
    assert_eq!(
        answer.text,
        "[m] You said: hello there (system: Be brief.) (turns: 1)"
    );
    assert_eq!(answer.usage.prompt, 4 + 20);
    assert_eq!(answer.usage.completion, token::count(&answer.text));
}

#[test]
fn a_named_tool_is_called_and_twice_if_asked() {
    let one = said(&asking("use look x=7"));
    assert_eq!(one.calls.len(), 1);
    assert_eq!(one.calls[0].arguments, r#"{"x":7}"#);
    assert_eq!(one.finish, Finish::ToolCalls);
    let two = said(&asking("two calls of look"));
    assert_eq!(
        (
            two.calls[0].arguments.as_str(),
            two.calls[1].arguments.as_str()
        ),
        (r#"{"x":1}"#, r#"{"x":2}"#)
    );
    let mut single = asking("two calls of look");
    single.parallel = false;
    assert_eq!(said(&single).calls.len(), 1);
}

#[test]
fn limits_cut_reasoning_first_then_text() {
    let mut question = asking("write 50 words");
    question.max_tokens = Some(10);
    let answer = said(&question);
    assert_eq!(
        (answer.usage.completion, answer.finish.clone()),
        (10, Finish::Length)
    );
    question.reasoning = true;
    question.max_tokens = Some(3);
    let answer = said(&question);
    assert_eq!(answer.text, "");
    assert_eq!((answer.usage.completion, answer.usage.reasoning), (3, 3));
}

#[test]
fn the_earliest_stop_sequence_cuts() {
    let mut question = asking("write 9 words");
    question.stop = vec!["word7".to_owned(), "word3".to_owned()];
    let answer = said(&question);
    assert_eq!(answer.text, "word1 word2 ");
    assert_eq!(answer.finish, Finish::StopSequence("word3".to_owned()));
}

#[test]
fn counts_in_the_text_make_usage_exact() {
    let mut question = asking("hello cached=100 cache_write=10 reasoning=7");
    question.reasoning = true;
    let usage = said(&question).usage;
    assert_eq!(
        (usage.cached, usage.cache_write, usage.reasoning),
        (100, 10, 7)
    );
    assert_eq!(usage.fresh_prompt(), 4 + 20);
}

#[test]
fn a_schema_is_satisfied() {
    let mut question = asking("give city=Rome");
    question.tools.clear();
    question.format =
        Format::Schema(json!({"type": "object", "properties": {"city": {"type": "string"}}}));
    assert_eq!(said(&question).text, r#"{"city":"Rome"}"#);
}
