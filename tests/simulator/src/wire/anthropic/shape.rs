//! The request body of messages, as a table, and what Anthropic says about a body of another shape.

use crate::shape::{Field, Flaw, FlawKind, Shape, field, required};

use super::{Trouble, servers};

const TEXT: Shape = Shape::Text;
const CACHE: Shape = Shape::Tagged(
    "type",
    &[("ephemeral", &[field("ttl", Shape::OneOf(&["5m", "1h"]))])],
);

static SOURCE: &[(&str, &[Field])] = &[
    (
        "base64",
        &[
            required("data", TEXT),
            required(
                "media_type",
                Shape::OneOf(&[
                    "image/jpeg",
                    "image/png",
                    "image/gif",
                    "image/webp",
                    "application/pdf",
                ]),
            ),
        ],
    ),
    ("url", &[required("url", TEXT)]),
    ("file", &[required("file_id", TEXT)]),
    (
        "text",
        &[
            required("data", TEXT),
            required("media_type", Shape::OneOf(&["text/plain"])),
        ],
    ),
    ("content", &[required("content", Shape::Any)]),
];

static TEXT_BLOCK: &[Field] = &[
    required("text", TEXT),
    field("cache_control", CACHE),
    field("citations", Shape::List(&Shape::Open)),
];
static IMAGE_BLOCK: &[Field] = &[
    required("source", Shape::Tagged("type", SOURCE)),
    field("cache_control", CACHE),
];
static DOCUMENT_BLOCK: &[Field] = &[
    required("source", Shape::Tagged("type", SOURCE)),
    field("cache_control", CACHE),
    field("citations", Shape::Open),
    field("context", TEXT),
    field("title", TEXT),
];
static SEARCH_RESULT_BLOCK: &[Field] = &[
    required("content", Shape::List(&Shape::Open)),
    required("source", TEXT),
    required("title", TEXT),
    field("cache_control", CACHE),
    field("citations", Shape::Open),
];

static RESULT_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_BLOCK),
        ("image", IMAGE_BLOCK),
        ("document", DOCUMENT_BLOCK),
        ("search_result", SEARCH_RESULT_BLOCK),
        ("tool_reference", &[required("tool_name", TEXT)]),
    ],
);

static SERVER_RESULT: &[Field] = &[
    required("tool_use_id", TEXT),
    required(
        "content",
        Shape::Either(&[Shape::Open, Shape::List(&Shape::Open)]),
    ),
    field("cache_control", CACHE),
];

static BLOCK: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_BLOCK),
        ("image", IMAGE_BLOCK),
        ("document", DOCUMENT_BLOCK),
        ("search_result", SEARCH_RESULT_BLOCK),
        (
            "thinking",
            &[required("thinking", TEXT), required("signature", TEXT)],
        ),
        ("redacted_thinking", &[required("data", TEXT)]),
        (
            "server_tool_use",
            &[
                required("id", TEXT),
                required(
                    "name",
                    Shape::OneOf(&["web_search", "web_fetch", "bash_code_execution"]),
                ),
                required("input", Shape::Open),
                field("cache_control", CACHE),
            ],
        ),
        ("web_search_tool_result", SERVER_RESULT),
        ("bash_code_execution_tool_result", SERVER_RESULT),
        (
            "tool_use",
            &[
                required("id", TEXT),
                required("name", TEXT),
                required("input", Shape::Open),
                field("cache_control", CACHE),
                field("caller", Shape::Open),
            ],
        ),
        (
            "tool_result",
            &[
                required("tool_use_id", TEXT),
                field(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&RESULT_PART)]),
                ),
                field("is_error", Shape::Flag),
                field("cache_control", CACHE),
            ],
        ),
    ],
);

static SYSTEM_BLOCK: Shape = Shape::Tagged("type", &[("text", TEXT_BLOCK)]);

static MESSAGE: Shape = Shape::Object(&[
    required("role", TEXT),
    required(
        "content",
        Shape::Either(&[Shape::Text, Shape::List(&BLOCK)]),
    ),
]);

static CUSTOM: Shape = Shape::Object(&[
    required("name", TEXT),
    required("input_schema", Shape::Open),
    field("description", TEXT),
    field("cache_control", CACHE),
    field("strict", Shape::Flag),
    field("type", Shape::OneOf(&["custom"])),
    field("eager_input_streaming", Shape::Flag),
    field("input_examples", Shape::List(&Shape::Open)),
    field("defer_loading", Shape::Flag),
    field("allowed_callers", Shape::List(&Shape::Text)),
]);

static TOOL: Shape = Shape::Either(&[Shape::Ref(&CUSTOM), Shape::Ref(&servers::TOOL)]);

static MCP_SERVER: Shape = Shape::Tagged(
    "type",
    &[(
        "url",
        &[
            required("url", TEXT),
            required("name", TEXT),
            field("authorization_token", TEXT),
        ],
    )],
);

const PARALLEL: Field = field("disable_parallel_tool_use", Shape::Flag);

const DISPLAY: Field = field("display", Shape::OneOf(&["summarized", "omitted"]));

/// The body of a message request.
pub(super) static BODY: Shape = Shape::Object(&[
    required("model", TEXT),
    required("max_tokens", Shape::Whole(1, i64::MAX)),
    required("messages", Shape::List(&MESSAGE)),
    field(
        "system",
        Shape::Either(&[Shape::Text, Shape::List(&SYSTEM_BLOCK)]),
    ),
    field("cache_control", CACHE),
    field("container", Shape::Any),
    // With its beta alone: see `servers`.
    field(
        "context_management",
        Shape::Object(&[field("edits", Shape::List(&Shape::Open))]),
    ),
    field("mcp_servers", Shape::List(&MCP_SERVER)),
    field("inference_geo", TEXT),
    field("metadata", Shape::Object(&[field("user_id", TEXT)])),
    field(
        "output_config",
        Shape::Object(&[
            field(
                "effort",
                Shape::OneOf(&["low", "medium", "high", "xhigh", "max"]),
            ),
            field(
                "format",
                Shape::Tagged(
                    "type",
                    &[("json_schema", &[required("schema", Shape::Open)])],
                ),
            ),
        ]),
    ),
    field("service_tier", Shape::OneOf(&["auto", "standard_only"])),
    field("stop_sequences", Shape::List(&Shape::Text)),
    field("stream", Shape::Flag),
    field("temperature", Shape::Number(0.0, 1.0)),
    field(
        "thinking",
        Shape::Tagged(
            "type",
            &[
                (
                    "enabled",
                    &[
                        required("budget_tokens", Shape::Whole(1024, i64::MAX)),
                        DISPLAY,
                    ],
                ),
                ("adaptive", &[DISPLAY]),
                ("between_tools", &[DISPLAY]),
                ("disabled", &[]),
            ],
        ),
    ),
    field(
        "tool_choice",
        Shape::Tagged(
            "type",
            &[
                ("auto", &[PARALLEL]),
                ("any", &[PARALLEL]),
                ("none", &[]),
                ("tool", &[required("name", TEXT), PARALLEL]),
            ],
        ),
    ),
    field("tools", Shape::List(&TOOL)),
    field("top_k", Shape::Whole(0, i64::MAX)),
    field("top_p", Shape::Number(0.0, 1.0)),
]);

/// The error for a body of the wrong shape.
pub(super) fn refuse(flaw: &Flaw) -> Trouble {
    let path = flaw.dotted();
    Trouble::invalid(match &flaw.kind {
        FlawKind::Unknown => format!("{path}: Extra inputs are not permitted"),
        FlawKind::Missing => format!("{path}: Field required"),
        FlawKind::Type { expected, .. } => {
            let expected = expected
                .replace("an array", "a valid list")
                .replace("an object", "a valid dictionary");
            let expected = expected
                .replace("a string", "a valid string")
                .replace("an integer", "a valid integer");
            let expected = expected
                .replace("a boolean", "a valid boolean")
                .replace("a number", "a valid number");
            format!("{path}: Input should be {expected}")
        }
        FlawKind::Range { min, max, value } => match value < min {
            true => format!("{path}: Input should be greater than or equal to {min}"),
            false => format!("{path}: Input should be less than or equal to {max}"),
        },
        FlawKind::Choice { allowed, found } if path.ends_with(".type") => {
            let names: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
            let parent = path.trim_end_matches(".type");
            format!(
                "{parent}: Input tag '{found}' found using 'type' does not match any of the expected tags: {}",
                names.join(", ")
            )
        }
        FlawKind::Choice { allowed, .. } => {
            let names: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
            format!("{path}: Input should be {}", names.join(" or "))
        }
    })
}
