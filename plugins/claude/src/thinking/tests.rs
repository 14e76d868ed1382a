//! Budgets, efforts and limits.

use multillm_plugin_sdk::ErrorKind;
use multillm_plugin_sdk::json::Json;

use super::{Circumstances, Plan, Thinking, plan};
use crate::fixtures::{ask, target};
use crate::model::Model;
use crate::settings::{Display, Settings};

fn planned(
    model: &str,
    settings: &str,
    effort: Option<&str>,
    limit: Option<u32>,
    facts: Circumstances<'_>,
) -> Result<Plan<'static>, multillm_plugin_sdk::Error> {
    let request = Box::leak(Box::new(ask("hi")));
    request.reasoning_effort = effort.map(str::to_owned);
    request.sampling.max_tokens = limit;
    let settings = Settings::of(&target(model, settings)).unwrap();
    plan(Model::of(model), &settings, request, facts)
}

fn usual(model: &str, effort: &str, limit: Option<u32>) -> Plan<'static> {
    planned(model, "{}", Some(effort), limit, Circumstances::default()).unwrap()
}

fn budget_of(plan: &Plan<'_>) -> u32 {
    match plan.thinking {
        Some(Thinking::Enabled { budget_tokens }) => budget_tokens,
        _ => panic!("no budget in {plan:?}"),
    }
}

#[test]
fn nothing_asked_is_nothing_sent() {
    for (model, max_tokens) in [("claude-3-haiku-20240307", 4096), ("claude-opus-4-7", 8192)] {
        let plan = planned(model, "{}", None, None, Circumstances::default()).unwrap();
        assert_eq!(
            (plan.thinking, plan.effort, plan.thinks),
            (None, None, false)
        );
        assert_eq!(plan.max_tokens, max_tokens);
    }
}

#[test]
fn a_budget_is_always_below_the_limit() {
    let efforts = ["minimal", "low", "medium", "high", "max"];
    for model in [
        "claude-3-7-sonnet-latest",
        "claude-opus-4-1",
        "claude-haiku-4-5",
        "glm-4",
    ] {
        for effort in efforts {
            for limit in [None, Some(1025), Some(1500), Some(4096), Some(200_000)] {
                let plan = usual(model, effort, limit);
                let budget = budget_of(&plan);
                assert!(budget >= 1024 && budget < plan.max_tokens, "{plan:?}");
                assert_eq!(plan.max_tokens, limit.unwrap_or(plan.max_tokens));
                assert!(limit.is_some() || plan.max_tokens <= Model::of(model).output_limit());
            }
        }
    }
    assert_eq!(budget_of(&usual("claude-sonnet-4-5", "medium", None)), 8192);
}

#[test]
fn a_limit_without_room_for_thoughts_is_an_error() {
    let error = planned(
        "claude-sonnet-4-5",
        "{}",
        Some("low"),
        Some(1024),
        Circumstances::default(),
    )
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[test]
fn a_budget_may_be_set_and_limits_are_kept() {
    let settings = r#"{"thinking_budget":4000}"#;
    let none = Circumstances::default();
    let plan = planned("claude-sonnet-4-5", settings, None, None, none).unwrap();
    assert_eq!((budget_of(&plan), plan.max_tokens), (4000, 12_192));
    let huge = r#"{"thinking_budget":90000}"#;
    let plan = planned("claude-sonnet-4-5", huge, None, None, none).unwrap();
    assert!(plan.max_tokens > budget_of(&plan), "{plan:?}");
    let off = planned("claude-sonnet-4-5", settings, Some("none"), None, none);
    assert_eq!(off.unwrap().thinking, None);
}

#[test]
fn newer_models_get_an_effort() {
    let plan = usual("claude-opus-4-6", "high", None);
    let display = Display::Summarized;
    assert_eq!(plan.thinking, Some(Thinking::Adaptive { display }));
    assert_eq!((plan.effort, plan.max_tokens), (Some("high"), 24_576));
    assert_eq!(usual("claude-opus-4-7", "max", Some(50)).max_tokens, 50);
    assert_eq!(usual("claude-opus-5", "minimal", None).effort, Some("low"));
}

#[test]
fn thinking_stops_where_it_can() {
    let stopped = |model| usual(model, "none", None).thinking;
    assert_eq!(stopped("claude-opus-4-8"), Some(Thinking::Disabled));
    assert_eq!(stopped("claude-mythos-preview"), None);
    assert_eq!(stopped("claude-sonnet-4-5"), None);
    assert_eq!(stopped("claude-3-opus-20240229"), None);
}

#[test]
fn models_that_cannot_think_say_so() {
    let error = planned(
        "claude-3-5-sonnet-20241022",
        "{}",
        Some("low"),
        None,
        Circumstances::default(),
    )
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn a_forced_tool_excludes_thoughts() {
    let facts = Circumstances {
        forced_tool: true,
        ..Circumstances::default()
    };
    let high = Some("high");
    let error = planned("claude-sonnet-4-5", "{}", high, None, facts).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    let plan = planned("claude-opus-4-6", "{}", high, None, facts).unwrap();
    assert_eq!((plan.thinking, plan.effort), (None, Some("high")));
}

#[test]
fn a_tool_loop_begun_without_thoughts_goes_on_without() {
    let facts = Circumstances {
        thoughtless_loop: true,
        ..Circumstances::default()
    };
    let high = Some("high");
    let plan = planned("claude-sonnet-4-5", "{}", high, None, facts).unwrap();
    assert_eq!((plan.thinking, plan.thinks), (None, false));
    let plan = planned("claude-opus-4-6", "{}", high, None, facts).unwrap();
    assert!(plan.thinks);
}

#[test]
fn thinking_of_the_callers_own_is_respected() {
    let own = Json::parse(r#"{"type":"enabled","budget_tokens":10000,"x":1}"#).unwrap();
    let facts = Circumstances {
        own: Some(&own),
        ..Circumstances::default()
    };
    let plan = planned("claude-sonnet-4-5", "{}", None, None, facts).unwrap();
    assert_eq!((plan.max_tokens, plan.thinks), (18_192, true));
    assert_eq!(plan.thinking, None);
}
