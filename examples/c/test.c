// Everything is tried natively: no WebAssembly, no network, no key. It is built with any C compiler, see README.md.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/provider.h"
#include "json.h"

static int failed = 0;

#define CHECK(holds) \
  do { \
    if (!(holds)) failed++, printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #holds); \
  } while (0)


// What the host does in a component: decoders have numbers there. Here nobody asks for them.
int32_t __wasm_import_exports_multillm_provider_chat_decoder_new(int32_t decoder) { return decoder; }
int32_t __wasm_import_exports_multillm_provider_chat_decoder_rep(int32_t decoder) { return decoder; }
void __wasm_import_exports_multillm_provider_chat_decoder_drop(int32_t decoder) { (void)decoder; }

static provider_string_t text_in(const char *words) {
  return (provider_string_t){(uint8_t *)strdup(words), strlen(words)};
}

static bool is(provider_string_t text, const char *words) {
  return text.len == strlen(words) && memcmp(text.ptr, words, text.len) == 0;
}

static multillm_provider_types_target_t target(const char *settings) {
  return (multillm_provider_types_target_t){text_in("parley-2"), text_in(settings), text_in("parley")};
}

static multillm_provider_types_message_t says(uint8_t role, const char *words, const char *extra) {
  multillm_provider_types_message_t message = {0};
  message.role = role;
  message.content.len = 1;
  message.content.ptr = calloc(1, sizeof *message.content.ptr);
  message.content.ptr[0].val.text.text = text_in(words);
  if (extra != 0) message.extra = (multillm_provider_types_option_json_t){true, text_in(extra)};
  return message;
}

static void a_question_is_written_as_parley_wants_it(void) {
  multillm_provider_types_message_t messages[] = {
      says(MULTILLM_PROVIDER_TYPES_ROLE_SYSTEM, "Be \"kind\".\n", 0),
      says(MULTILLM_PROVIDER_TYPES_ROLE_USER, "Good evening.", 0),
      says(MULTILLM_PROVIDER_TYPES_ROLE_USER, "How are you?", "{\"aside\": 1.50}")};
  multillm_provider_types_chat_request_t request = {0};
  request.messages = (multillm_provider_types_list_message_t){messages, 3};
  request.sampling.max_tokens = (provider_option_u32_t){true, 50};
  request.sampling.temperature = (provider_option_f64_t){true, 0.7};
  request.extra = (multillm_provider_types_option_json_t){true, text_in("{\"mood\":{\"b\":1,\"a\":2}}")};
  multillm_provider_types_target_t asked = target("{\"voice\":\"brisk\"}");
  multillm_provider_http_request_t made;
  multillm_provider_types_error_t err;
  CHECK(exports_multillm_provider_chat_encode(&asked, &request, MULTILLM_PROVIDER_TYPES_MODE_STREAM, &made, &err));
  CHECK(is(made.body.ptr[0].val.text,
           "{\"model\":\"parley-2\",\"turns\":[{\"by\":\"host\",\"say\":\"Be \\\"kind\\\".\\u000a\"},"
           "{\"by\":\"guest\",\"say\":\"Good evening.\\u000aHow are you?\",\"aside\":1.50}],\"live\":true,"
           "\"voice\":\"brisk\",\"limit\":50,\"warmth\":0.7,\"mood\":{\"b\":1,\"a\":2}}"));
  CHECK(made.path.len == 2 && is(made.path.ptr[1], "talk"));
  CHECK(made.framing == MULTILLM_PROVIDER_HTTP_FRAMING_NDJSON);
  // Everything that is returned is freed.
  multillm_provider_http_request_free(&made);

  request.sampling.seed = (provider_option_s64_t){true, 1};
  CHECK(!exports_multillm_provider_chat_encode(&asked, &request, MULTILLM_PROVIDER_TYPES_MODE_WHOLE, &made, &err));
  CHECK(err.kind == MULTILLM_PROVIDER_TYPES_ERROR_KIND_UNSUPPORTED && is(err.message, "parley does not know a seed"));
  multillm_provider_types_error_free(&err);
}

static bool decoded(const char *body, multillm_provider_types_chat_response_t *answer,
                    multillm_provider_types_error_t *err) {
  multillm_provider_types_target_t asked = target("{}");
  multillm_provider_http_response_t response = {0};
  response.status = 200;
  response.body = text_in(body);
  return exports_multillm_provider_chat_decode(&asked, &response, answer, err);
}

static void an_answer_is_read_and_what_is_none_is_not(void) {
  multillm_provider_types_chat_response_t answer;
  multillm_provider_types_error_t err;
  CHECK(decoded("{\"say\":\"H\\u00f6r \\ud83e\\udd80 \\ud83d!\",\"ended\":\"done\",\"tokens\":{\"heard\":7}}", &answer, &err));
  CHECK(is(answer.content.ptr[0].val.text.text, "H\u00f6r \U0001F980 \uFFFD!"));
  CHECK(answer.finish.reason == MULTILLM_PROVIDER_TYPES_FINISH_REASON_STOP);
  CHECK(answer.usage.prompt_tokens.is_some && answer.usage.prompt_tokens.val == 7);
  CHECK(!answer.usage.completion_tokens.is_some);
  multillm_provider_types_chat_response_free(&answer);
  static const char *const nothing[] = {"", "<html>", "[]", "{}", "{} {}", "{\"say\":1}", "null", "{\"say\"}", "{\"say\":\"a"};
  for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
    CHECK(!decoded(nothing[i], &answer, &err));
    CHECK(err.kind == MULTILLM_PROVIDER_TYPES_ERROR_KIND_MALFORMED_RESPONSE);
    multillm_provider_types_error_free(&err);
  }
}

static void failures_are_classified_whatever_the_body_is(void) {
  multillm_provider_types_target_t asked = target("{}");
  multillm_provider_http_response_t response = {0};
  multillm_provider_types_error_t err;
  response.status = 429;
  response.body = text_in("{\"problem\":{\"code\":\"slow_down\",\"text\":\"Breathe.\",\"wait_seconds\":2.5}}");
  exports_multillm_provider_chat_decode_error(&asked, &response, &err);
  CHECK(err.kind == MULTILLM_PROVIDER_TYPES_ERROR_KIND_RATE_LIMITED && err.retry_after_ms.val == 2500);
  CHECK(is(err.message, "Breathe.") && err.status.val == 429);
  static const char *const bodies[] = {"<html>bad gateway</html>", "", "[]", "{\"problem\":7}", "null"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    response.status = 502;
    response.body = text_in(bodies[i]);
    exports_multillm_provider_chat_decode_error(&asked, &response, &err);
    CHECK(err.kind == MULTILLM_PROVIDER_TYPES_ERROR_KIND_SERVER && err.retryable && err.message.len > 0);
  }
}

int main(void) {
  a_question_is_written_as_parley_wants_it();
  an_answer_is_read_and_what_is_none_is_not();
  failures_are_classified_whatever_the_body_is();
  puts(failed == 0 ? "all hold" : "some do not hold");
  return failed != 0;
}
