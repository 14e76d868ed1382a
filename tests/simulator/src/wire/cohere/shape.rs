//! The request body of v2 chat, as a table, and what Cohere says about a body of another shape.

use crate::shape::{Field, Flaw, FlawKind, Shape, field, required};

use super::Trouble;

const TEXT: Shape = Shape::Text;

static TEXT_PART: &[Field] = &[required("text", TEXT)];
static TEXT_ONLY: Shape = Shape::Tagged("type", &[("text", TEXT_PART)]);
static USER_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_PART),
        (
            "image_url",
            &[required(
                "image_url",
                Shape::Object(&[
                    required("url", TEXT),
                    field("detail", Shape::OneOf(&["auto", "low", "high"])),
                ]),
            )],
        ),
    ],
);
static ASSISTANT_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_PART),
        ("thinking", &[required("thinking", TEXT)]),
    ],
);
static TOOL_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_PART),
        (
            "document",
            &[required(
                "document",
                Shape::Object(&[
                    required("data", Shape::Either(&[Shape::Open, Shape::Text])),
                    field("id", TEXT),
                ]),
            )],
        ),
    ],
);

static TOOL_CALL: Shape = Shape::Object(&[
    required("id", TEXT),
    required("type", Shape::OneOf(&["function"])),
    required(
        "function",
        Shape::Object(&[required("name", TEXT), required("arguments", TEXT)]),
    ),
]);

static MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        (
            "system",
            &[required(
                "content",
                Shape::Either(&[Shape::Text, Shape::List(&TEXT_ONLY)]),
            )],
        ),
        (
            "user",
            &[required(
                "content",
                Shape::Either(&[Shape::Text, Shape::List(&USER_PART)]),
            )],
        ),
        (
            "assistant",
            &[
                field(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&ASSISTANT_PART)]),
                ),
                field("tool_plan", TEXT),
                field("tool_calls", Shape::List(&TOOL_CALL)),
                field("citations", Shape::List(&Shape::Open)),
            ],
        ),
        (
            "tool",
            &[
                required(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&TOOL_PART)]),
                ),
                required("tool_call_id", TEXT),
            ],
        ),
    ],
);

static TOOL: Shape = Shape::Object(&[
    required("type", Shape::OneOf(&["function"])),
    required(
        "function",
        Shape::Object(&[
            required("name", TEXT),
            field("description", TEXT),
            field("parameters", Shape::Open),
        ]),
    ),
]);

/// The body of a chat request. <https://docs.cohere.com/reference/chat>
pub(super) static BODY: Shape = Shape::Object(&[
    required("model", TEXT),
    required("messages", Shape::List(&MESSAGE)),
    field("citation_options", Shape::Object(&[field("mode", TEXT)])),
    field("documents", Shape::List(&Shape::Any)),
    field("frequency_penalty", Shape::Number(0.0, 1.0)),
    field("k", Shape::Whole(0, 500)),
    field("logprobs", Shape::Flag),
    field("max_tokens", Shape::Whole(1, i64::MAX)),
    field("p", Shape::Number(0.01, 0.99)),
    field("presence_penalty", Shape::Number(0.0, 1.0)),
    field("priority", Shape::Whole(0, 999)),
    field(
        "response_format",
        Shape::Tagged(
            "type",
            &[
                ("text", &[]),
                (
                    "json_object",
                    &[
                        field("json_schema", Shape::Open),
                        field("schema", Shape::Open),
                    ],
                ),
            ],
        ),
    ),
    field(
        "safety_mode",
        Shape::OneOf(&["CONTEXTUAL", "STRICT", "OFF"]),
    ),
    field("seed", Shape::Whole(0, i64::MAX)),
    field("stop_sequences", Shape::List(&Shape::Text)),
    field("stream", Shape::Flag),
    field("strict_tools", Shape::Flag),
    field("temperature", Shape::Number(0.0, 1.0)),
    field(
        "thinking",
        Shape::Object(&[
            required("type", Shape::OneOf(&["enabled", "disabled"])),
            field("token_budget", Shape::Whole(1, i64::MAX)),
        ]),
    ),
    field("tool_choice", Shape::OneOf(&["REQUIRED", "NONE"])),
    field("tools", Shape::List(&TOOL)),
]);

/// The error for a body of the wrong shape.
pub(super) fn refuse(flaw: &Flaw) -> Trouble {
    let path = flaw.bracketed();
    match &flaw.kind {
        FlawKind::Unknown => Trouble::new(
            422,
            format!("unknown field: parameter '{path}' is not a valid field"),
        ),
        FlawKind::Missing => Trouble::invalid(format!("{path} is required")),
        FlawKind::Type { expected, found } => {
            Trouble::invalid(format!("{path} must be {expected}, not {found}"))
        }
        FlawKind::Range { min, max, value } => Trouble::invalid(format!(
            "{path} must be between {min} and {max} inclusive, received: {value}"
        )),
        FlawKind::Choice { allowed, found } => Trouble::invalid(format!(
            "{path} must be one of {}, not '{found}'",
            allowed.join(", ")
        )),
    }
}
