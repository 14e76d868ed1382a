//! What a vendor says of the price of an answer beyond the six counts of [`Usage`](crate::Usage).
//!
//! Contract 0.1.0 has no field for it. It travels as an opaque block of the kind [`KIND`], which the
//! host takes out of the answer: it is never shown as a part, kept in a conversation or sent back.

use crate::json::Json;
use crate::{Opaque, Part};

/// The kind of the opaque block that the host reads as a [`Billing`].
pub const KIND: &str = "multillm.billing";

/// Remarks on the price of an answer. In a stream they may come several times: a tier or cost
/// replaces the former one, reasons are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billing {
    /// The vendor's word for the service level that answered, such as `priority`; only where it
    /// is not the standard one.
    pub tier: Option<String>,
    /// The tokens that are paid, input and output, where the vendor bills others than it counts.
    pub paid: Option<(u64, u64)>,
    /// What the vendor says it took, in US dollars as decimal text (digits as the vendor wrote them).
    pub cost: Option<String>,
    /// What cannot be paid at the plain price of a token, for a person, such as
    /// `3 web searches`. The cost is unknown if there is any, unless the vendor gave it itself.
    pub unpriced: Vec<String>,
}

impl Billing {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Something that the plain price does not cover.
    pub fn unpriced(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.unpriced.contains(&what) {
            self.unpriced.push(what);
        }
    }

    /// The block for a stream's [`Events::opaque`](crate::events::Events::opaque); nothing where there is nothing to say.
    #[must_use]
    pub fn block(&self) -> Option<Opaque> {
        if self.is_plain() {
            return None;
        }
        let mut data = Json::object([
            ("tier", text(self.tier.as_deref())),
            ("cost", text(self.cost.as_deref())),
            (
                "unpriced",
                Json::List(
                    self.unpriced
                        .iter()
                        .map(|what| what.as_str().into())
                        .collect(),
                ),
            ),
        ]);
        if let Some((input, output)) = self.paid {
            let paid = Json::object([
                ("input_tokens", Json::Unsigned(input)),
                ("output_tokens", Json::Unsigned(output)),
            ]);
            data.merge(Json::object([("paid", paid)]));
        }
        Some(Opaque {
            kind: KIND.to_owned(),
            data: data.to_string(),
        })
    }

    /// The part for a whole answer.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.block().map(Part::Opaque)
    }
}

fn text(text: Option<&str>) -> Json<'_> {
    text.map_or(Json::Null, Json::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_billing_is_nothing_and_the_rest_is_an_object() {
        assert_eq!(Billing::default().block(), None);
        let mut billing = Billing {
            tier: Some("flex".into()),
            ..Billing::default()
        };
        billing.unpriced("2 web searches");
        billing.unpriced("2 web searches");
        let block = billing.block().unwrap();
        assert_eq!(block.kind, KIND);
        let data: serde_json::Value = serde_json::from_str(&block.data).unwrap();
        assert_eq!(
            data,
            serde_json::json!({"tier": "flex", "cost": null, "unpriced": ["2 web searches"]})
        );
        let paid = Billing {
            paid: Some((5, 2)),
            ..Billing::default()
        };
        let data: serde_json::Value = serde_json::from_str(&paid.block().unwrap().data).unwrap();
        assert_eq!(
            data["paid"],
            serde_json::json!({"input_tokens": 5, "output_tokens": 2})
        );
    }
}
