//! What may pass, and errors inside an answer, which have no status to go by.

use super::super::sign::Sign;
use super::sign;
use crate::ErrorKind;

pub(super) const SIGNS: &[Sign] = &[
    sign(
        &[0, 429, 498, 500, 502, 503, 504, 529],
        &[
            "server_is_overloaded",
            "overloaded_error",
            "overloaded",
            "engine_overloaded_error",
            "serveroverloaded",
            "model_overloaded",
            "queue_exceeded",
            "capacity_exceeded",
            "service_tier_capacity_exceeded",
            "unavailable",
            // Zhipu, SiliconFlow.
            "1305",
            "1312",
            "50505",
        ],
        &[],
        ErrorKind::Overloaded,
        true,
    ),
    sign(
        &[0, 500, 502, 503],
        &[],
        &["overloaded", "server busy", "server is busy", "at capacity"],
        ErrorKind::Overloaded,
        true,
    ),
    // What follows is for errors inside an answer, which have no status to go by.
    sign(
        &[0, 400, 403],
        &[
            "rate_limit_exceeded",
            "rate_limit_error",
            "rate_limit_reached_error",
            "rate_limited",
            "too_many_requests_error",
            "resource_exhausted",
        ],
        &[],
        ErrorKind::RateLimited,
        true,
    ),
    sign(
        &[0],
        &["requests", "tokens", "slow_down", "throttling"],
        &["rate limit", "too many requests", "request limit reached"],
        ErrorKind::RateLimited,
        true,
    ),
    sign(
        &[0],
        &[
            "invalid_request_error",
            "bad_request_error",
            "badrequesterror",
            "validation",
            "invalid_argument",
            "tool_use_failed",
        ],
        &[],
        ErrorKind::InvalidRequest,
        false,
    ),
    sign(
        &[0, 400],
        &["authentication_error", "authenticationerror", "auth_error"],
        &["unauthorized"],
        ErrorKind::Authentication,
        false,
    ),
    sign(
        &[0],
        &[
            "permission_error",
            "permissiondeniederror",
            "permission_denied",
        ],
        &[],
        ErrorKind::Permission,
        false,
    ),
    sign(&[0], &["billing_error"], &[], ErrorKind::Billing, false),
    sign(
        &[0, 400],
        &["not_found_error", "notfounderror", "not_found"],
        &[],
        ErrorKind::NotFound,
        false,
    ),
    sign(
        &[0],
        &["timeout", "timeout_error", "deadline_exceeded"],
        &["timed out"],
        ErrorKind::Timeout,
        true,
    ),
];
