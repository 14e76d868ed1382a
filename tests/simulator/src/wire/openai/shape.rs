//! The request body of chat completions, as a table.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use crate::shape::{Field, Shape, field, required};

const TEXT: Shape = Shape::Text;

static TEXT_PART: &[Field] = &[required("text", TEXT)];

static IMAGE_PART: &[Field] = &[required(
    "image_url",
    Shape::Object(&[
        required("url", TEXT),
        field("detail", Shape::OneOf(&["auto", "low", "high", "original"])),
    ]),
)];

static AUDIO_PART: &[Field] = &[required(
    "input_audio",
    Shape::Object(&[
        required("data", TEXT),
        required("format", Shape::OneOf(&["wav", "mp3"])),
    ]),
)];

static FILE_PART: &[Field] = &[required(
    "file",
    Shape::Object(&[
        field("file_data", TEXT),
        field("file_id", TEXT),
        field("filename", TEXT),
    ]),
)];

static TEXT_ONLY: Shape = Shape::Tagged("type", &[("text", TEXT_PART)]);
static USER_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_PART),
        ("image_url", IMAGE_PART),
        ("input_audio", AUDIO_PART),
        ("file", FILE_PART),
    ],
);
static ASSISTANT_PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT_PART),
        ("refusal", &[required("refusal", TEXT)]),
    ],
);

static TEXT_CONTENT: &[Field] = &[
    required(
        "content",
        Shape::Either(&[Shape::Text, Shape::List(&TEXT_ONLY)]),
    ),
    field("name", TEXT),
];

static TOOL_CALL: Shape = Shape::Tagged(
    "type",
    &[
        (
            "function",
            &[
                required("id", TEXT),
                required(
                    "function",
                    Shape::Object(&[required("name", TEXT), required("arguments", TEXT)]),
                ),
            ],
        ),
        (
            "custom",
            &[
                required("id", TEXT),
                required(
                    "custom",
                    Shape::Object(&[required("name", TEXT), required("input", TEXT)]),
                ),
            ],
        ),
    ],
);

static MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        ("system", TEXT_CONTENT),
        ("developer", TEXT_CONTENT),
        (
            "user",
            &[
                required(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&USER_PART)]),
                ),
                field("name", TEXT),
            ],
        ),
        (
            "assistant",
            &[
                field(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&ASSISTANT_PART)]),
                ),
                field("refusal", TEXT),
                field("name", TEXT),
                field("audio", Shape::Open),
                field("annotations", Shape::List(&Shape::Open)),
                field("tool_calls", Shape::List(&TOOL_CALL)),
            ],
        ),
        (
            "tool",
            &[
                required(
                    "content",
                    Shape::Either(&[Shape::Text, Shape::List(&TEXT_ONLY)]),
                ),
                required("tool_call_id", TEXT),
            ],
        ),
    ],
);

static TOOL: Shape = Shape::Tagged(
    "type",
    &[
        (
            "function",
            &[required(
                "function",
                Shape::Object(&[
                    required("name", TEXT),
                    field("description", TEXT),
                    field("parameters", Shape::Open),
                    field("strict", Shape::Flag),
                ]),
            )],
        ),
        ("custom", &[required("custom", Shape::Open)]),
    ],
);

const TOOL_CHOICE: Shape = Shape::Either(&[
    Shape::OneOf(&["none", "auto", "required"]),
    Shape::Tagged(
        "type",
        &[
            (
                "function",
                &[required(
                    "function",
                    Shape::Object(&[required("name", TEXT)]),
                )],
            ),
            (
                "custom",
                &[required("custom", Shape::Object(&[required("name", TEXT)]))],
            ),
            (
                "allowed_tools",
                &[required(
                    "allowed_tools",
                    Shape::Object(&[
                        required("mode", Shape::OneOf(&["auto", "required"])),
                        required("tools", Shape::List(&Shape::Open)),
                    ]),
                )],
            ),
        ],
    ),
]);

const RESPONSE_FORMAT: Shape = Shape::Tagged(
    "type",
    &[
        ("text", &[]),
        ("json_object", &[]),
        (
            "json_schema",
            &[required(
                "json_schema",
                Shape::Object(&[
                    required("name", TEXT),
                    field("description", TEXT),
                    field("schema", Shape::Open),
                    field("strict", Shape::Flag),
                ]),
            )],
        ),
    ],
);

/// The body of a chat completion request.
pub(super) static BODY: Shape = Shape::Object(&[
    required("model", TEXT),
    required("messages", Shape::List(&MESSAGE)),
    field("audio", Shape::Open),
    field("frequency_penalty", Shape::Number(-2.0, 2.0)),
    field("logit_bias", Shape::Open),
    field("logprobs", Shape::Flag),
    field("max_completion_tokens", Shape::Whole(1, i64::MAX)),
    field("max_tokens", Shape::Whole(1, i64::MAX)),
    field("metadata", Shape::Open),
    field("modalities", Shape::List(&Shape::Text)),
    field("moderation", Shape::Open),
    field("n", Shape::Whole(1, 1)),
    field("parallel_tool_calls", Shape::Flag),
    field("prediction", Shape::Open),
    field("presence_penalty", Shape::Number(-2.0, 2.0)),
    field("prompt_cache_key", TEXT),
    field("prompt_cache_retention", TEXT),
    field("reasoning_effort", TEXT),
    field("response_format", RESPONSE_FORMAT),
    field("safety_identifier", TEXT),
    field("seed", Shape::Whole(i64::MIN, i64::MAX)),
    field(
        "service_tier",
        Shape::OneOf(&["auto", "default", "flex", "scale", "priority"]),
    ),
    field(
        "stop",
        Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
    ),
    field("store", Shape::Flag),
    field("stream", Shape::Flag),
    field(
        "stream_options",
        Shape::Object(&[
            field("include_usage", Shape::Flag),
            field("include_obfuscation", Shape::Flag),
        ]),
    ),
    field("temperature", Shape::Number(0.0, 2.0)),
    field("tool_choice", TOOL_CHOICE),
    field("tools", Shape::List(&TOOL)),
    field("top_logprobs", Shape::Whole(0, 20)),
    field("top_p", Shape::Number(0.0, 1.0)),
    field("user", TEXT),
    field("verbosity", Shape::OneOf(&["low", "medium", "high"])),
    field("web_search_options", Shape::Open),
]);
