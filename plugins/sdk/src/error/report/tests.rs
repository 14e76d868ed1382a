use super::*;
use crate::testing::response;

fn read(status: u16, body: &str) -> Error {
    decode_error(&[], &response(status, body))
}

fn inside(body: &str) -> Option<Error> {
    Some(Report::inside(&Json::parse(body).unwrap())?.into_error(&[]))
}

/// Each body is its own message; a body that is no JSON is one as well.
fn kinds(cases: &[(u16, &str, ErrorKind, bool)]) {
    for (status, body, kind, retryable) in cases {
        let error = read(*status, body);
        assert_eq!(
            (error.kind, error.retryable),
            (*kind, *retryable),
            "{status} {body}"
        );
    }
}

#[test]
fn a_conversation_that_is_too_long_is_known_in_every_servers_words() {
    for words in [
        "This model's maximum prompt length is 1000 but the request contains 2000 tokens.",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 1000]",
        "Prompt exceeds max length",
        "Invalid request: Your request exceeded model token limit: 1000 (requested: 2000)",
        "invalid params, context window exceeds limit (2013)",
        "Trying to keep the first 2000 tokens when context the overflows. However, the model is loaded with context length of only 1000 tokens",
        "prompt token count of 2000 exceeds the limit of 1000",
        "Input is too long for requested model.",
        "request (2000 tokens) exceeds the available context size (1000 tokens), try increasing it",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "The input token count (2000) exceeds the maximum number of tokens allowed (1000).",
        "litellm.BadRequestError: AnthropicException - prompt is too long: 2000 tokens > 1000 maximum",
        "Input tokens exceed the configured limit of 1000 tokens. Your messages resulted in 2000 tokens.",
        "Input length (2000 tokens) exceeds the maximum allowed length (1000 tokens).",
        "The input (2000 tokens) is longer than the model's context length (1000 tokens).",
        "The decoder prompt (length 2000) is longer than the maximum model length of 1000.",
        "Prompt contains 2000 tokens and 0 draft tokens, too large for model with 1000 maximum context length",
        "Please reduce the length of the messages or completion. Current length is 2000 while limit is 1000",
        "Request body too large for gpt-4o model. Max size: 8000 tokens.",
        "The estimated number of input and maximum output tokens (2000) exceeded this model context window limit (1000).",
        "Requested input length 2000 exceeds maximum input length 1000",
        "Context size has been exceeded.",
        "模型输入长度超过限制",
    ] {
        let body = Json::object([("error", Json::object([("message", words.into())]))]).to_string();
        for status in [400, 500] {
            assert_eq!(
                read(status, &body).kind,
                ErrorKind::ContextLength,
                "{words}"
            );
        }
        assert_eq!(
            inside(&body).unwrap().kind,
            ErrorKind::ContextLength,
            "{words}"
        );
    }
    kinds(&[
        (
            400,
            r#"{"error":{"code":"1261","message":"m"}}"#,
            ErrorKind::ContextLength,
            false,
        ),
        (
            413,
            r#"{"error":{"code":"tokens_limit_reached","message":"m"}}"#,
            ErrorKind::ContextLength,
            false,
        ),
        (
            500,
            r#"{"error":"context deadline exceeded"}"#,
            ErrorKind::Server,
            true,
        ),
        (
            429,
            r#"{"error":"tokens per minute: prompt is too long for now"}"#,
            ErrorKind::RateLimited,
            true,
        ),
    ]);
}

#[test]
fn a_model_that_is_not_there_is_known_in_every_servers_words() {
    for words in [
        "acme/gone is not a valid model ID",
        "Model Not Exist",
        "Model does not exist. Please check it carefully.",
        "The model `gone` does not exist or you do not have access to it.",
        "Unknown Model, please check the model code.",
        "The requested model is not supported.",
        "The requested model 'a/b' is not supported by any provider you have enabled.",
        "The model `gone` has been decommissioned and is no longer supported.",
        "Invalid model 'gone'. Permitted models can be found in the documentation.",
        "Invalid model: gone",
        "/chat/completions: Invalid model name passed in model=gone. Call `/v1/models` to view available models for your key.",
        "The provided model identifier is invalid.",
        "Model gone is not supported",
        "model \"gone\" not found, try pulling it first",
        "models/gone is not found for API version v1main, or is not supported for generateContent.",
        "Not found the model gone or Permission denied",
        "No such model @cf/acme/gone or task",
        "There are no healthy deployments for this model",
        "当前分组 default 下对于模型 gone 无可用渠道",
    ] {
        let body = Json::object([("error", Json::object([("message", words.into())]))]).to_string();
        for status in [400, 404, 503] {
            let error = read(status, &body);
            assert_eq!(
                (error.kind, error.retryable),
                (ErrorKind::NotFound, false),
                "{words}"
            );
        }
    }
    for code in [
        "model_not_supported",
        "model_decommissioned",
        "invalid_model",
        "1211",
        "20012",
        "unknown_model",
    ] {
        let body = format!(
            r#"{{"error":{{"message":"m","code":"{code}","type":"invalid_request_error"}}}}"#
        );
        let error = read(400, &body);
        assert_eq!(error.kind, ErrorKind::NotFound, "{code}");
        assert_eq!(error.vendor_code.as_deref(), Some(code));
    }
    kinds(&[
        (
            400,
            r#"{"error":"'stop' is not supported with this model"}"#,
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            400,
            r#"{"error":"streaming for this model is not available"}"#,
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"tier","code":"below_usage_tier"}}"#,
            ErrorKind::Permission,
            false,
        ),
        (
            403,
            r#"{"error":"key not allowed to access model. This key can only access models=['a']"}"#,
            ErrorKind::Permission,
            false,
        ),
    ]);
}

#[test]
fn who_has_no_money_left_is_not_asked_to_wait() {
    kinds(&[
        (
            429,
            r#"{"error":{"code":"1113","message":"m"}}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            429,
            r#"{"error":{"code":"1308","message":"m"}}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":{"type":"exceeded_current_quota_error","message":"m"}}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            403,
            r#"{"code":403,"reason":"NOT_ENOUGH_BALANCE","message":"not enough balance"}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            403,
            r#"{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            429,
            r#"{"error":"Your team has either used all available credits or reached its monthly spending limit."}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            412,
            r#"{"error":{"message":"Account x is suspended, possibly due to reaching the monthly spending limit"}}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"Budget has been exceeded! Current cost: 2, Max budget: 1","type":"budget_exceeded","code":"400"}}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit exceeded: free-models-per-day","code":429}}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":"you have used up your daily free allocation of 10,000 neurons"}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":"Rate limit reached on tokens per day (TPD): Limit 1, Used 1. Please try again in 2.5s."}"#,
            ErrorKind::RateLimited,
            true,
        ),
        (
            429,
            r#"{"error":{"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
            ErrorKind::RateLimited,
            true,
        ),
        (
            429,
            r#"{"error":{"message":"m","code":"request_quota_exceeded"}}"#,
            ErrorKind::RateLimited,
            true,
        ),
        (
            429,
            r#"{"error":{"message":"m","type":"engine_overloaded_error"}}"#,
            ErrorKind::Overloaded,
            true,
        ),
    ]);
}

#[test]
fn a_wrong_key_is_one_whatever_the_status() {
    kinds(&[
        (
            400,
            r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: ab***yz."}"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            403,
            r#"{"error":{"message":"Wrong API Key","code":"wrong_api_key"}}"#,
            ErrorKind::Authentication,
            false,
        ),
    ]);
}

#[test]
fn a_failure_may_come_as_an_event() {
    let error = read(
        400,
        "event: error\ndata: {\"error\":{\"message\":\"prompt is too long\"}}\n\n",
    );
    assert_eq!(error.message, "prompt is too long");
    assert_eq!(error.kind, ErrorKind::ContextLength);
}

#[test]
fn what_a_model_cannot_take_is_not_asked_again() {
    kinds(&[
        (
            500,
            r#"{"error":{"code":500,"message":"image input is not supported - hint: you may need to provide the mmproj","type":"server_error"}}"#,
            ErrorKind::Unsupported,
            false,
        ),
        (
            404,
            r#"{"error":{"message":"No endpoints found that support image input","code":404}}"#,
            ErrorKind::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":"Failed to deserialize: messages[0]: unknown variant `image_url`, expected `text`"}"#,
            ErrorKind::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"library/m does not support tools"}}"#,
            ErrorKind::Unsupported,
            false,
        ),
    ]);
}

#[test]
fn the_field_that_was_refused_is_named() {
    for (body, message) in [
        (
            r#"{"detail":[{"type":"missing","loc":["body","messages",2,"role"],"msg":"Field required"},{"loc":"model","msg":"no"}]}"#,
            "messages.2.role: Field required; model: no",
        ),
        (
            r#"{"object":"error","message":{"detail":[{"loc":["body","top_k"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error"}"#,
            "top_k: Extra inputs are not permitted",
        ),
        (
            r#"{"detail":"max_tokens is too large"}"#,
            "max_tokens is too large",
        ),
        (r#"{"detail":[{"loc":["body"],"msg":"a"}]}"#, "a"),
        (
            r#"{"error":{"message":"not a number","param":"top_p"}}"#,
            "not a number (param: top_p)",
        ),
        (
            r#"{"error":{"message":"see 'failed_generation'","failed_generation":"<look>{}"}}"#,
            "see 'failed_generation' (failed_generation: <look>{})",
        ),
    ] {
        assert_eq!(read(422, body).message, message);
    }
}

#[test]
fn an_error_in_a_success_is_known_by_its_shape() {
    for (body, message, kind, code) in [
        (
            r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
            "insufficient balance",
            ErrorKind::Billing,
            Some("1008"),
        ),
        (
            r#"{"base_resp":{"status_code":1002,"status_msg":"slower"}}"#,
            "slower",
            ErrorKind::RateLimited,
            Some("1002"),
        ),
        (
            r#"{"detail":"Invalid API key"}"#,
            "Invalid API key",
            ErrorKind::Authentication,
            None,
        ),
        (
            r#"{"code":500,"msg":"404 NOT_FOUND","success":false}"#,
            "404 NOT_FOUND",
            ErrorKind::Server,
            Some("500"),
        ),
        (
            r#"{"error_code":17,"error_msg":"Open api daily request limit reached"}"#,
            "Open api daily request limit reached",
            ErrorKind::QuotaExhausted,
            Some("17"),
        ),
        (
            r#"{"success":false,"errors":[{"code":7003,"message":"Could not route"}],"result":null}"#,
            "Could not route",
            ErrorKind::Server,
            Some("7003"),
        ),
        (
            r#"{"header":{"code":10013,"message":"refused","sid":"s"}}"#,
            "refused",
            ErrorKind::Server,
            Some("10013"),
        ),
        (
            r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#,
            "Invalid API-key provided.",
            ErrorKind::Authentication,
            Some("InvalidApiKey"),
        ),
        (
            r#"{"status":"error","message":"broken"}"#,
            "broken",
            ErrorKind::Server,
            None,
        ),
        (
            r#"[{"error":{"code":429,"message":"slower","status":"RESOURCE_EXHAUSTED"}}]"#,
            "slower",
            ErrorKind::RateLimited,
            Some("RESOURCE_EXHAUSTED"),
        ),
        (
            r#"{"error":"too many requests"}"#,
            "too many requests",
            ErrorKind::RateLimited,
            None,
        ),
    ] {
        let error = inside(body).unwrap_or_else(|| panic!("{body}"));
        assert_eq!(
            (error.message.as_str(), error.kind),
            (message, kind),
            "{body}"
        );
        assert_eq!(error.vendor_code.as_deref(), code, "{body}");
    }
}

#[test]
fn an_answer_is_no_error() {
    for body in [
        r#"{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}"#,
        r#"{"code":0,"message":"success","data":{}}"#,
        r#"{"code":200,"msg":"ok","success":true}"#,
        r#"{"code":"Success","message":"done"}"#,
        r#"{"id":"x","message":{"role":"assistant","content":[]}}"#,
        r#"{"error":null,"errors":[],"error_code":0}"#,
        r#"{"error":{"code":0,"message":""}}"#,
        r#"{"choices":[{"index":0}],"code":"abc","message":"hi"}"#,
    ] {
        assert_eq!(inside(body), None, "{body}");
    }
}

#[test]
fn how_long_to_wait_is_read_from_members_and_words() {
    for (body, ms) in [
        (
            r#"[{"error":{"code":429,"message":"m","details":[{"retryDelay":"148s"}]}}]"#,
            Some(148_000),
        ),
        (
            r#"{"error":{"message":"m","details":[{"retryDelay":{"seconds":2,"nanos":500000000}}]}}"#,
            Some(2500),
        ),
        (
            r#"{"error":"Please try again in 1m2.5s. Visit us."}"#,
            Some(62_500),
        ),
        (
            r#"{"error":"Please retry after 20 seconds."}"#,
            Some(20_000),
        ),
        (r#"{"error":"try again in 350ms"}"#, Some(350)),
        (r#"{"error":"try again in a while"}"#, None),
        (r#"{"error":"m","estimated_time":-1}"#, None),
    ] {
        assert_eq!(read(429, body).retry_after_ms, ms, "{body}");
    }
    let daily = r#"{"error":{"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"RequestsPerDayPerModel"}]}]}}"#;
    let error = read(429, daily);
    assert_eq!(error.kind, ErrorKind::QuotaExhausted);
    assert_eq!(error.vendor_code.as_deref(), Some("RESOURCE_EXHAUSTED"));
}

#[test]
fn the_table_serves_adapters_that_read_errors_themselves() {
    assert_eq!(
        known(400, &["1261"], "x"),
        Some((ErrorKind::ContextLength, false))
    );
    assert_eq!(
        known(0, &[], "Model Not Exist"),
        Some((ErrorKind::NotFound, false))
    );
    assert_eq!(known(500, &[], "something else"), None);
}
