//! Whether one more exchange fits into a budget. A policy without I/O.
//!
//! What an exchange will cost is not known before it is answered. So an exchange holds what it may
//! cost until it is, and what is held counts as if it were spent. An estimate may be wrong: it
//! is never below the dearest exchange of the model in the last days, and as long as there was none,
//! the first one holds everything that is left.

use rust_decimal::Decimal;

/// What an exchange may cost in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// What is asked costs this, whatever is answered.
    pub input: Decimal,
    /// With an answer as long as it may be; where there is no bound to it, as long as is usual.
    pub whole: Decimal,
    /// The length of the answer is bounded by the request.
    pub bounded: bool,
}

/// A budget and what is known of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Balance {
    pub(super) budget: Decimal,
    /// By exchanges that are answered.
    pub(super) spent: Decimal,
    /// By exchanges under way.
    pub(super) held: Decimal,
    /// How many are under way.
    pub(super) open: u64,
    /// The dearest exchange of the model lately.
    pub(super) dearest: Option<Decimal>,
}

/// What is to be done with an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It may begin. Counts as `expected` if nobody ever learns what it cost, and holds `held` until
    /// then.
    Begin { expected: Decimal, held: Decimal },
    /// It may fit when others are done.
    Wait,
    /// It does not fit.
    Refuse { needs: Decimal },
}

pub(super) fn decide(balance: &Balance, estimate: &Estimate) -> Decision {
    let Balance {
        budget,
        spent,
        held,
        open,
        dearest,
    } = *balance;
    let known = dearest.unwrap_or_default();
    let expected = estimate.whole.max(known);
    let left = budget.saturating_sub(spent).saturating_sub(held);
    if expected <= left && (dearest.is_some() || open == 0) {
        let held = match dearest {
            Some(_) => expected,
            None => left,
        };
        return Decision::Begin { expected, held };
    }
    let fits_alone = |needs: Decimal| spent.saturating_add(needs) <= budget;
    if fits_alone(expected) && open > 0 {
        return Decision::Wait;
    }
    // An answer of the usual length is more than the whole budget. It may be shorter, so one at a
    // time is let through.
    let least = estimate.input.max(known);
    if !estimate.bounded && expected > budget && fits_alone(least) {
        return match open {
            0 => Decision::Begin {
                expected: left,
                held: left,
            },
            _ => Decision::Wait,
        };
    }
    Decision::Refuse { needs: expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cents(cents: i64) -> Decimal {
        Decimal::new(cents, 2)
    }

    fn balance(spent: i64, held: i64, open: u64, dearest: Option<i64>) -> Balance {
        Balance {
            budget: cents(100),
            spent: cents(spent),
            held: cents(held),
            open,
            dearest: dearest.map(cents),
        }
    }

    fn of(whole: i64) -> Estimate {
        Estimate {
            input: cents(1),
            whole: cents(whole),
            bounded: false,
        }
    }

    #[test]
    fn the_first_exchange_holds_all_and_the_others_wait_for_what_it_teaches() {
        assert_eq!(
            decide(&balance(20, 0, 0, None), &of(5)),
            Decision::Begin {
                expected: cents(5),
                held: cents(80)
            }
        );
        assert_eq!(decide(&balance(20, 80, 1, None), &of(5)), Decision::Wait);
        assert_eq!(decide(&balance(20, 10, 1, None), &of(5)), Decision::Wait);
    }

    #[test]
    fn estimates_are_never_below_what_was_seen() {
        assert_eq!(
            decide(&balance(20, 0, 0, Some(30)), &of(5)),
            Decision::Begin {
                expected: cents(30),
                held: cents(30)
            }
        );
        assert_eq!(
            decide(&balance(20, 60, 2, Some(30)), &of(5)),
            Decision::Wait
        );
        assert_eq!(
            decide(&balance(80, 0, 0, Some(30)), &of(5)),
            Decision::Refuse { needs: cents(30) }
        );
        assert_eq!(
            decide(&balance(100, 0, 0, Some(30)), &of(5)),
            Decision::Refuse { needs: cents(30) }
        );
    }

    #[test]
    fn what_never_fits_is_refused_unless_only_the_length_of_the_answer_is_a_guess() {
        let bounded = Estimate {
            bounded: true,
            ..of(150)
        };
        assert_eq!(
            decide(&balance(0, 0, 0, None), &bounded),
            Decision::Refuse { needs: cents(150) }
        );
        assert_eq!(
            decide(&balance(40, 0, 0, Some(10)), &of(150)),
            Decision::Begin {
                expected: cents(60),
                held: cents(60)
            }
        );
        assert_eq!(
            decide(&balance(40, 60, 1, Some(10)), &of(150)),
            Decision::Wait
        );
        assert!(matches!(
            decide(&balance(95, 0, 0, Some(10)), &of(150)),
            Decision::Refuse { .. }
        ));
    }

    /// However exchanges come and end, those that cost no more than was held never exceed a budget.
    #[test]
    fn what_was_held_is_never_more_than_the_budget() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut state = balance(0, 0, 0, None);
            let mut open: Vec<Decimal> = vec![];
            for _ in 0..60 {
                let whole = random.i64(1..40);
                if let Decision::Begin { held, .. } = decide(&state, &of(whole)) {
                    state.held += held;
                    state.open += 1;
                    open.push(held);
                }
                if !open.is_empty() && random.bool() {
                    let held = open.swap_remove(random.usize(0..open.len()));
                    let cost = held * Decimal::new(random.i64(0..=100), 2);
                    state.held -= held;
                    state.open -= 1;
                    state.spent += cost;
                    state.dearest = Some(state.dearest.unwrap_or_default().max(cost));
                }
                assert!(state.spent + state.held <= state.budget, "{state:?}");
            }
        }
    }
}
