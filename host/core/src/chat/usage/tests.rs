use proptest::prelude::*;

use super::*;

fn usage(prompt: Option<u64>, completion: Option<u64>, total: Option<u64>) -> Usage {
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: total,
        ..Usage::default()
    }
}

fn settled(usage: Usage) -> (Option<u64>, Option<u64>, Option<u64>) {
    let settled = usage.settled(&[Part::text("an answer")]);
    (
        settled.prompt_tokens,
        settled.completion_tokens,
        settled.total(),
    )
}

#[test]
fn a_later_zero_takes_nothing_back() {
    let mut sum = Usage {
        cached_tokens: Some(200),
        ..usage(Some(1500), Some(1), None)
    };
    sum.update(&Usage {
        cached_tokens: Some(0),
        reasoning_tokens: Some(0),
        ..usage(Some(0), Some(20), None)
    });
    assert_eq!(
        sum,
        Usage {
            cached_tokens: Some(200),
            reasoning_tokens: Some(0),
            ..usage(Some(1500), Some(20), None)
        }
    );
}

#[test]
fn thoughts_beside_the_output_are_output() {
    let beside = Usage {
        reasoning_tokens: Some(70),
        ..usage(Some(20), Some(11), Some(101))
    };
    assert_eq!(settled(beside), (Some(20), Some(81), Some(101)));
    let without_total = Usage {
        total_tokens: None,
        ..beside
    };
    assert_eq!(settled(without_total), (Some(20), Some(81), Some(101)));
    // Nobody says what the rest of the total is: it was not asked for, so it was produced.
    assert_eq!(
        settled(usage(Some(20), Some(11), Some(101))),
        (Some(20), Some(81), Some(101))
    );
    let within = Usage {
        reasoning_tokens: Some(70),
        ..usage(Some(20), Some(81), Some(101))
    };
    assert_eq!(settled(within), (Some(20), Some(81), Some(101)));
}

#[test]
fn input_of_the_cache_beside_the_input_is_input() {
    let beside = Usage {
        cached_tokens: Some(900),
        ..usage(Some(100), Some(5), None)
    };
    assert_eq!(settled(beside), (Some(1000), Some(5), Some(1005)));
    let both = Usage {
        cache_write_tokens: Some(30),
        ..beside
    };
    assert_eq!(settled(both), (Some(1030), Some(5), Some(1035)));
    let told_by_the_total = Usage {
        cached_tokens: Some(40),
        ..usage(Some(100), Some(5), Some(145))
    };
    assert_eq!(settled(told_by_the_total), (Some(140), Some(5), Some(145)));
}

#[test]
fn a_total_below_its_parts_is_their_sum() {
    assert_eq!(
        settled(usage(Some(100), Some(5), Some(7))),
        (Some(100), Some(5), Some(105))
    );
}

#[test]
fn one_side_follows_from_the_total() {
    assert_eq!(
        settled(usage(Some(100), None, Some(130))),
        (Some(100), Some(30), Some(130))
    );
    assert_eq!(
        settled(usage(None, Some(30), Some(130))),
        (Some(100), Some(30), Some(130))
    );
}

#[test]
fn nothing_counted_beside_an_answer_is_unknown() {
    assert_eq!(
        settled(usage(Some(0), Some(0), Some(0))),
        (None, None, None)
    );
    assert_eq!(settled(usage(None, Some(0), None)), (None, None, None));
    // A vendor that counted one side may have counted the other.
    assert_eq!(
        settled(usage(Some(12), Some(0), Some(12))),
        (Some(12), Some(0), Some(12))
    );
    assert_eq!(
        settled(usage(Some(12), Some(0), Some(19))),
        (Some(12), Some(7), Some(19))
    );
    // Nothing came: it may well have taken nothing.
    let empty = usage(Some(12), Some(0), Some(12)).settled(&[Part::text("")]);
    assert_eq!(empty, usage(Some(12), Some(0), Some(12)));
}

#[test]
fn counts_beyond_all_windows_are_unknown() {
    assert_eq!(
        settled(usage(Some(u64::MAX), Some(u64::MAX), Some(u64::MAX))),
        (None, None, None)
    );
    assert_eq!(
        settled(usage(Some(12), Some(u64::MAX), None)),
        (Some(12), None, None)
    );
}

proptest! {
    /// Whatever a vendor says, a count that stays is none of the smaller ones, and all fit together.
    #[test]
    fn settled_counts_fit_together(
        prompt in proptest::option::of(0u64..5_000),
        completion in proptest::option::of(0u64..5_000),
        total in proptest::option::of(0u64..20_000),
        cached in proptest::option::of(0u64..5_000),
        written in proptest::option::of(0u64..5_000),
        thought in proptest::option::of(0u64..5_000),
    ) {
        let told = Usage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: total,
            cached_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: thought,
        };
        let settled = told.settled(&[Part::text("x")]);
        for (now, before) in [
            (settled.prompt_tokens, prompt),
            (settled.completion_tokens, completion),
        ] {
            if let (Some(now), Some(before)) = (now, before) {
                prop_assert!(now >= before, "{told:?} became {settled:?}");
            }
        }
        if let (Some(prompt), Some(completion)) = (settled.prompt_tokens, settled.completion_tokens) {
            prop_assert_eq!(settled.total(), Some(prompt + completion), "{:?}", told);
            prop_assert!(settled.total() >= total, "{told:?} became {settled:?}");
            prop_assert!(thought.unwrap_or(0) <= completion, "{told:?} became {settled:?}");
        }
    }
}
