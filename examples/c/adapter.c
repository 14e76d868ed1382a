// The adapter of Parley, a vendor that does not exist, in C.
//
// Put your vendor's facts in the place of Parley's: `describe` says what the plugin is, `encode` builds requests, `decode`
// and `decode_error` read what came whole, the decoder reads what comes piece by piece. `json.h` is what there is of JSON.
//
// A plugin performs nothing. It has no network, no clock and no files, and no key ever reaches it: it says into which
// header the host shall put one. So every function here is a pure one, and `test.c` tries them all natively.
//
// What is peculiar to C:
//
// - The bindings are made of the contract (`wit-bindgen c`); their functions are the ones that this file defines.
// - Everything that is returned is freed by the bindings afterwards: each text and each list must come from malloc.
// - Whatever is returned must be set in full: `*ret = (type){0}` makes every option absent and every list empty.
// - Nothing of libc that talks to the world may be linked. `printf`, `assert` and the like bring imports of WASI, which
//   `multillm plugin pack` refuses by name; `snprintf`, `strtod` and `malloc` bring none.
// - What goes wrong without a word (`abort`, a bad pointer) ends the exchange with `unreachable`. `FAIL` leaves its words
//   where the host finds them.

#include <stdlib.h>
#include <string.h>

#include "bindings/provider.h"
#include "json.h"

// The section that describes the world is put in by `multillm plugin pack`, which tells the world from what is exported;
// the bindings ask for it by this name.
void __component_type_object_force_link_provider(void) {}

// The host reads after a trap: a length, and as many bytes of text.
struct {
  uint32_t length;
  char text[500];
} multillm_last_words;

_Noreturn static void fail(const char *words) {
  multillm_last_words.length = (uint32_t)strlen(words);
  memcpy(multillm_last_words.text, words, multillm_last_words.length);
  abort();
}
#define PLACE(line) #line
#define LINE(line) PLACE(line)
// A defect of this file's. The words are short and known when it is compiled.
#define FAIL(words) fail("panicked at " __FILE__ ":" LINE(__LINE__) ": " words)

typedef multillm_provider_types_error_t error;
typedef multillm_provider_types_chat_event_t event;

#define KIND(name) MULTILLM_PROVIDER_TYPES_ERROR_KIND_##name

// Memory that the bindings free.
static void *own(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == 0) FAIL("there is no memory");
  return memory;
}

static provider_string_t copied(slice words) {
  provider_string_t text = {words.length > 0 ? own(words.length, 1) : 0, words.length};
  if (words.length > 0) memcpy(text.ptr, words.at, words.length);
  return text;
}

static provider_string_t string(const char *words) { return copied(slice_of(words)); }

static provider_option_string_t some(const char *words) { return (provider_option_string_t){true, string(words)}; }

static provider_list_string_t strings(size_t count, const char *const *words) {
  provider_list_string_t list = {count > 0 ? own(count, sizeof(provider_string_t)) : 0, count};
  for (size_t i = 0; i < count; i++) list.ptr[i] = string(words[i]);
  return list;
}

static slice given(provider_string_t text) { return (slice){(const char *)text.ptr, text.len}; }

static slice written(text words) { return (slice){words.at, words.length}; }

// A text that was put together, given away.
static provider_string_t taken(text words) {
  provider_string_t string = copied(written(words));
  free(words.at);
  return string;
}

static error failure(uint8_t kind, bool retryable, slice words) {
  error made = {0};
  made.kind = kind, made.retryable = retryable, made.message = copied(words);
  return made;
}

// ---- What the plugin says of itself.

void exports_multillm_provider_metadata_describe(exports_multillm_provider_metadata_info_t *ret) {
  *ret = (exports_multillm_provider_metadata_info_t){0};
  ret->name = string("parley");
  ret->title = string("Parley");
  ret->version = string("0.1.0");
  ret->documentation = string("https://parley.example/docs/talk");
  // Where requests go unless the configuration says otherwise. The path of a request is appended to it.
  ret->default_base_url = some("https://api.parley.example");
  ret->base_url_env = strings(1, (const char *[]){"PARLEY_BASE_URL"});
  // The host reads it from the first of these variables that is set, or from where the configuration says.
  ret->secrets.len = 1;
  ret->secrets.ptr = own(1, sizeof *ret->secrets.ptr);
  ret->secrets.ptr[0].name = string("api_key");
  ret->secrets.ptr[0].env = strings(1, (const char *[]){"PARLEY_API_KEY"});
  ret->secrets.ptr[0].required = true;
  ret->settings.len = 1;
  ret->settings.ptr = own(1, sizeof *ret->settings.ptr);
  ret->settings.ptr[0].name = string("voice");
  ret->settings.ptr[0].description = string("The voice that answers, `calm` or `brisk`. Default: the vendor's.");
  ret->settings.ptr[0].schema = string("{\"enum\":[\"calm\",\"brisk\"]}");
  // The truth, please: what is not named here, or NO, must be an `unsupported` error in `encode`.
  static const char *const can[] = {"streaming", "system", "stop", "tools", "image-file", "json", "reasoning"};
  ret->capabilities.len = 7;
  ret->capabilities.ptr = own(7, sizeof *ret->capabilities.ptr);
  for (size_t i = 0; i < 7; i++) {
    ret->capabilities.ptr[i].name = string(can[i]);
    ret->capabilities.ptr[i].support =
        i < 3 ? EXPORTS_MULTILLM_PROVIDER_METADATA_SUPPORT_YES : EXPORTS_MULTILLM_PROVIDER_METADATA_SUPPORT_NO;
  }
  // What this wire is called: a word that no other vendor's has.
  ret->wires = strings(1, (const char *[]){"parley"});
}

// ---- Open tails: what a caller adds to a thing, merged last.

// The members of an object that is being made, each with a text of its own.
typedef struct {
  size_t count, room;
  struct member {
    text name;
    text value;
  } *members;
} object;

static text *member(object *of, slice name) {
  for (size_t i = 0; i < of->count; i++) {
    text known = of->members[i].name;
    if (known.length == name.length && memcmp(known.at, name.at, name.length) == 0) return &of->members[i].value;
  }
  if (of->count == of->room) {
    of->room = 2 * of->room + 8;
    of->members = realloc(of->members, of->room * sizeof *of->members);
    if (of->members == 0) FAIL("there is no memory");
  }
  struct member *added = &of->members[of->count++];
  *added = (struct member){0};
  text_add(&added->name, name.at, name.length);
  return &added->value;
}

// Writes an object, and forgets it.
static void finish(object *of, text *into) {
  text_add(into, "{", 1);
  for (size_t i = 0; i < of->count; i++) {
    if (i > 0) text_add(into, ",", 1);
    text_add(into, of->members[i].name.at, of->members[i].name.length);
    text_add(into, ":", 1);
    text_add(into, of->members[i].value.at, of->members[i].value.length);
    free(of->members[i].name.at), free(of->members[i].value.at);
  }
  text_add(into, "}", 1);
  free(of->members);
}

static void merge_member(void *with, slice name, slice value) {
  text *known = member(with, name);
  if (json_is_object(value) && json_is_object(written(*known))) {
    object both = {0};
    json_members(written(*known), merge_member, &both);
    json_members(value, merge_member, &both);
    known->length = 0;
    finish(&both, known);
  } else {
    // As it was written: its digits and the order of its keys are its writer's.
    known->length = 0;
    text_add(known, value.at, value.length);
  }
}

static bool merge(object *into, slice tail, error *err) {
  if (!json_is_valid(tail) || !json_is_object(tail)) {
    *err = failure(KIND(INVALID_REQUEST), false, slice_of("extra is no JSON object"));
    return false;
  }
  json_members(tail, merge_member, into);
  return true;
}

static text *quoted(object *of, const char *name) {
  text key = {0};
  text_quote(&key, slice_of(name));
  text *value = member(of, written(key));
  free(key.at);
  return value;
}

// ---- Questions.

static bool unsupported(const char *what, error *err) {
  text words = {0};
  text_say(&words, "parley does not know ");
  text_say(&words, what);
  *err = failure(KIND(UNSUPPORTED), false, written(words));
  free(words.at);
  return false;
}

// Nothing that the caller asked for is dropped in silence: what Parley cannot do is refused by name.
static bool possible(const multillm_provider_types_chat_request_t *asked, error *err) {
  const multillm_provider_types_sampling_t *sampling = &asked->sampling;
  if (asked->tools.len > 0) return unsupported("tools", err);
  if (asked->server_tools.len > 0) return unsupported("tools that it runs itself", err);
  if (asked->response_format.tag != MULTILLM_PROVIDER_TYPES_RESPONSE_FORMAT_TEXT)
    return unsupported("JSON output", err);
  if (asked->reasoning_effort.is_some) return unsupported("reasoning effort", err);
  for (size_t i = 0; i < asked->outputs.len; i++)
    if (!slice_is(given(asked->outputs.ptr[i]), "text")) return unsupported("answers other than text", err);
  if (sampling->top_k.is_some) return unsupported("top_k", err);
  if (sampling->seed.is_some) return unsupported("a seed", err);
  if (sampling->frequency_penalty.is_some || sampling->presence_penalty.is_some) return unsupported("penalties", err);
  return true;
}

// Adds the words of a message to a turn, and its open tails: Parley has a turn and nothing smaller.
static bool say(const multillm_provider_types_message_t *message, text *words, object *tails, error *err) {
  for (size_t i = 0; i < message->content.len; i++) {
    const multillm_provider_types_part_t *part = &message->content.ptr[i];
    switch (part->tag) {
      case MULTILLM_PROVIDER_TYPES_PART_TEXT:
        text_add(words, (const char *)part->val.text.text.ptr, part->val.text.text.len);
        if (part->val.text.extra.is_some && !merge(tails, given(part->val.text.extra.val), err)) return false;
        break;
      case MULTILLM_PROVIDER_TYPES_PART_MEDIA:
        return unsupported("pictures and files", err);
      // Only what this plugin returned comes back as these, and it never returns any.
      case MULTILLM_PROVIDER_TYPES_PART_REASONING:
      case MULTILLM_PROVIDER_TYPES_PART_OPAQUE:
        break;
      default:
        return unsupported("tools", err);
    }
  }
  return !message->extra.is_some || merge(tails, given(message->extra.val), err);
}

// The conversation. Parley wants the speakers to alternate: what one says in several messages becomes one turn.
static bool turns(const multillm_provider_types_list_message_t *messages, text *into, error *err) {
  static const char *const speakers[] = {"host", "guest", "parley"};
  text_add(into, "[", 1);
  for (size_t i = 0; i < messages->len;) {
    uint8_t role = messages->ptr[i].role;
    if (role > MULTILLM_PROVIDER_TYPES_ROLE_ASSISTANT) return unsupported("tools", err);
    text words = {0};
    object turn = {0}, tails = {0};
    text_quote(quoted(&turn, "by"), slice_of(speakers[role]));
    bool first = true;
    for (; i < messages->len && messages->ptr[i].role == role; i++, first = false) {
      if (!first) text_add(&words, "\n", 1);
      if (!say(&messages->ptr[i], &words, &tails, err)) return false;
    }
    text_quote(quoted(&turn, "say"), written(words));
    text all = {0};
    finish(&tails, &all);
    json_members(written(all), merge_member, &turn);
    if (into->length > 1) text_add(into, ",", 1);
    finish(&turn, into);
    free(words.at), free(all.at);
  }
  text_add(into, "]", 1);
  return true;
}

bool exports_multillm_provider_chat_encode(multillm_provider_types_target_t *target,
                                           multillm_provider_types_chat_request_t *request,
                                           multillm_provider_types_mode_t mode,
                                           multillm_provider_http_request_t *ret, error *err) {
  if (!possible(request, err)) return false;
  const multillm_provider_types_sampling_t *sampling = &request->sampling;
  bool stream = mode == MULTILLM_PROVIDER_TYPES_MODE_STREAM;
  object body = {0};
  text_quote(quoted(&body, "model"), given(target->model));
  if (!turns(&request->messages, quoted(&body, "turns"), err)) return false;
  text_say(quoted(&body, "live"), stream ? "true" : "false");
  // What the caller did not ask for is left out, so that the vendor's default counts.
  slice voice = json_member(given(target->settings), "voice");
  if (voice.at != 0) text_add(quoted(&body, "voice"), voice.at, voice.length);
  if (sampling->max_tokens.is_some) text_number(quoted(&body, "limit"), sampling->max_tokens.val);
  if (sampling->temperature.is_some) text_number(quoted(&body, "warmth"), sampling->temperature.val);
  if (sampling->top_p.is_some) text_number(quoted(&body, "breadth"), sampling->top_p.val);
  if (sampling->stop.len > 0) {
    text *until = quoted(&body, "until");
    for (size_t i = 0; i < sampling->stop.len; i++) {
      text_say(until, i == 0 ? "[" : ",");
      text_quote(until, given(sampling->stop.ptr[i]));
    }
    text_say(until, "]");
  }
  if (request->extra.is_some && !merge(&body, given(request->extra.val), err)) return false;

  *ret = (multillm_provider_http_request_t){0};
  ret->method = MULTILLM_PROVIDER_HTTP_METHOD_POST;
  // Segments, not a path: a `/` in one of them stays inside it.
  ret->path = strings(2, (const char *[]){"v1", "talk"});
  // The host puts the key here, after everything else is settled.
  ret->headers.len = 1;
  ret->headers.ptr = own(1, sizeof *ret->headers.ptr);
  ret->headers.ptr[0].name = string("x-parley-key");
  ret->headers.ptr[0].value.tag = MULTILLM_PROVIDER_HTTP_HEADER_VALUE_SECRET;
  ret->headers.ptr[0].value.val.secret = (multillm_provider_http_secret_ref_t){string("api_key"), string(""), false};
  text written_body = {0};
  finish(&body, &written_body);
  ret->body.len = 1;
  ret->body.ptr = own(1, sizeof *ret->body.ptr);
  ret->body.ptr[0].tag = MULTILLM_PROVIDER_HTTP_BODY_PART_TEXT;
  ret->body.ptr[0].val.text = taken(written_body);
  // How the host cuts the answer: lines of JSON here, SSE for server-sent events.
  ret->framing = stream ? MULTILLM_PROVIDER_HTTP_FRAMING_NDJSON : MULTILLM_PROVIDER_HTTP_FRAMING_WHOLE;
  return true;
}

// ---- Answers. Everything in them is optional: a field that is missing one day must not lose the answer.

static provider_option_string_t text_of(slice json, const char *name) {
  text plain = {0};
  if (!json_string(json_member(json, name), &plain)) return (provider_option_string_t){0};
  return (provider_option_string_t){true, taken(plain)};
}

static provider_option_u64_t count_of(slice json, const char *name) {
  uint64_t value = 0;
  // What the vendor does not say stays unknown. It is not zero.
  return json_count(json_member(json, name), &value) ? (provider_option_u64_t){true, value}
                                                      : (provider_option_u64_t){0};
}

static multillm_provider_types_usage_t usage_of(slice tokens) {
  multillm_provider_types_usage_t usage = {0};
  if (json_is_object(tokens)) {
    usage.prompt_tokens = count_of(tokens, "heard");
    usage.completion_tokens = count_of(tokens, "said");
  }
  return usage;
}

// Parley's word for why it stopped. A new word is OTHER, never an error.
static multillm_provider_types_finish_t finish_of(provider_option_string_t ended) {
  uint8_t reason = MULTILLM_PROVIDER_TYPES_FINISH_REASON_OTHER;
  slice word = ended.is_some ? given(ended.val) : (slice){0};
  if (slice_is(word, "done") || slice_is(word, "until")) reason = MULTILLM_PROVIDER_TYPES_FINISH_REASON_STOP;
  if (slice_is(word, "limit")) reason = MULTILLM_PROVIDER_TYPES_FINISH_REASON_LENGTH;
  if (slice_is(word, "withheld")) reason = MULTILLM_PROVIDER_TYPES_FINISH_REASON_CONTENT_FILTER;
  return (multillm_provider_types_finish_t){reason, ended};
}

// What the vendor's own code says beyond the status.
static void refine(error *made, slice problem) {
  static const struct {
    const char *code;
    uint8_t kind;
    bool retryable;
  } codes[] = {{"too_long", KIND(CONTEXT_LENGTH), false},
               {"out_of_credit", KIND(QUOTA_EXHAUSTED), false},
               {"slow_down", KIND(RATE_LIMITED), true},
               {"crowded", KIND(OVERLOADED), true}};
  made->vendor_code = text_of(problem, "code");
  for (size_t i = 0; made->vendor_code.is_some && i < sizeof codes / sizeof *codes; i++)
    if (slice_is(given(made->vendor_code.val), codes[i].code))
      made->kind = codes[i].kind, made->retryable = codes[i].retryable;
  // Hints in headers (`retry-after`) are the host's to read; only the body's belong here.
  double seconds = 0;
  if (json_number(json_member(problem, "wait_seconds"), &seconds) && seconds > 0 && seconds < 1e9)
    made->retry_after_ms = (provider_option_u64_t){true, (uint64_t)(seconds * 1000 + 0.5)};
}

// The error inside an answer that began as a success: it has no status.
static error of_problem(slice problem) {
  provider_option_string_t words = text_of(problem, "text");
  error made = failure(KIND(SERVER), true, words.is_some ? given(words.val) : slice_of("the vendor failed"));
  refine(&made, problem);
  return made;
}

static bool readable(slice json, const char *what, error *err) {
  text words = {0};
  text_say(&words, what);
  bool valid = json_is_valid(json), object = valid && json_is_object(json);
  text_say(&words, valid ? " is no object" : " cannot be read as JSON");
  if (!object) *err = failure(KIND(MALFORMED_RESPONSE), false, written(words));
  free(words.at);
  return object;
}

bool exports_multillm_provider_chat_decode(multillm_provider_types_target_t *target,
                                           multillm_provider_http_response_t *response,
                                           multillm_provider_types_chat_response_t *ret, error *err) {
  (void)target;
  slice body = given(response->body);
  if (!readable(body, "the answer", err)) return false;
  slice problem = json_member(body, "problem");
  if (problem.at != 0) {
    *err = of_problem(problem);
    return false;
  }
  provider_option_string_t words = text_of(body, "say");
  // JSON of some other kind would read as an answer without anything in it.
  if (!words.is_some) {
    *err = failure(KIND(MALFORMED_RESPONSE), false, slice_of("the answer says nothing"));
    return false;
  }
  *ret = (multillm_provider_types_chat_response_t){0};
  ret->id = text_of(body, "id");
  ret->model = text_of(body, "model");
  ret->content.len = 1;
  ret->content.ptr = own(1, sizeof *ret->content.ptr);
  ret->content.ptr[0].tag = MULTILLM_PROVIDER_TYPES_PART_TEXT;
  ret->content.ptr[0].val.text.text = words.val;
  ret->finish = finish_of(text_of(body, "ended"));
  ret->usage = usage_of(json_member(body, "tokens"));
  return true;
}

// What a status means everywhere, and whether the same request may succeed later.
static void classify(uint16_t status, error *made) {
  static const struct {
    uint16_t status;
    uint8_t kind;
    bool retryable;
  } known[] = {{401, KIND(AUTHENTICATION), false}, {402, KIND(BILLING), false},
               {403, KIND(PERMISSION), false},     {404, KIND(NOT_FOUND), false},
               {408, KIND(TIMEOUT), true},         {409, KIND(INVALID_REQUEST), true},
               {413, KIND(PAYLOAD_TOO_LARGE), false}, {429, KIND(RATE_LIMITED), true},
               {503, KIND(OVERLOADED), true},      {504, KIND(TIMEOUT), true},
               {529, KIND(OVERLOADED), true}};
  made->kind = status < 500 ? KIND(INVALID_REQUEST) : KIND(SERVER);
  made->retryable = status >= 500;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].status == status) made->kind = known[i].kind, made->retryable = known[i].retryable;
}

void exports_multillm_provider_chat_decode_error(multillm_provider_types_target_t *target,
                                                 multillm_provider_http_response_t *response, error *ret) {
  (void)target;
  // It must find an answer whatever the body is: proxies answer with HTML, and with nothing at all.
  slice body = given(response->body), problem = {0};
  if (json_is_valid(body) && json_is_object(body)) problem = json_member(body, "problem");
  provider_option_string_t words = json_is_object(problem) ? text_of(problem, "text") : (provider_option_string_t){0};
  text made = {0};
  if (words.is_some) {
    text_add(&made, (const char *)words.val.ptr, words.val.len);
  } else {
    // The beginning of the body, on one line, cut before a byte that goes on with a character.
    size_t end = body.length < 2000 ? body.length : 2000;
    while (end < body.length && end > 0 && (body.at[end] & 0xc0) == 0x80) end--;
    for (size_t i = 0; i < end; i++) text_add(&made, (unsigned char)body.at[i] < 0x20 ? " " : &body.at[i], 1);
    if (end == 0) text_say(&made, "the vendor says nothing");
  }
  *ret = (error){0};
  ret->message = taken(made);
  classify(response->status, ret);
  for (size_t i = 0; i < response->headers.len; i++) {
    if (!slice_is(given(response->headers.ptr[i].f0), "x-should-retry")) continue;
    slice should = given(response->headers.ptr[i].f1);
    ret->retryable = slice_is(should, "true") || (ret->retryable && !slice_is(should, "false"));
  }
  ret->status = (provider_option_u16_t){true, response->status};
  if (json_is_object(problem)) refine(ret, problem);
}

// ---- Streams: lines of JSON, the last of which has `ended`.

struct exports_multillm_provider_chat_decoder_t {
  // What a line needs to know of those before it is kept here, and nowhere else.
  bool over;
};

exports_multillm_provider_chat_own_decoder_t exports_multillm_provider_chat_constructor_decoder(
    multillm_provider_types_target_t *target) {
  (void)target;
  return exports_multillm_provider_chat_decoder_new(own(1, sizeof(exports_multillm_provider_chat_decoder_t)));
}

void exports_multillm_provider_chat_decoder_destructor(exports_multillm_provider_chat_decoder_t *decoder) {
  free(decoder);
}

static event *add(exports_multillm_provider_chat_list_chat_event_t *events, uint8_t tag) {
  // A line makes five events at most.
  event *made = realloc(events->ptr, (events->len + 1) * sizeof *made);
  if (made == 0) FAIL("there is no memory");
  events->ptr = made;
  made = &events->ptr[events->len++];
  memset(made, 0, sizeof *made);
  made->tag = tag;
  return made;
}

static bool read_line(exports_multillm_provider_chat_decoder_t *self, slice line,
                      exports_multillm_provider_chat_list_chat_event_t *events, error *err) {
  if (!readable(line, "a line", err)) return false;
  slice problem = json_member(line, "problem");
  if (problem.at != 0) {
    *err = of_problem(problem);
    return false;
  }
  provider_option_string_t id = text_of(line, "id"), model = text_of(line, "model"), words = text_of(line, "say");
  if (id.is_some || model.is_some)
    add(events, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_STARTED)->val.started =
        (multillm_provider_types_started_t){id, model};
  if (words.is_some && words.val.len > 0) add(events, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_TEXT)->val.text = words.val;
  slice tokens = json_member(line, "tokens");
  if (tokens.at != 0) add(events, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_USAGE)->val.usage = usage_of(tokens);
  provider_option_string_t ended = text_of(line, "ended");
  if (ended.is_some) {
    add(events, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_FINISHED)->val.finished = finish_of(ended);
    // Parley's end marker. `done` is said exactly when the vendor said so.
    add(events, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_DONE);
    self->over = true;
  }
  return true;
}

void exports_multillm_provider_chat_method_decoder_push(exports_multillm_provider_chat_decoder_t *self,
                                                        exports_multillm_provider_chat_list_frame_t *frames,
                                                        exports_multillm_provider_chat_list_chat_event_t *ret) {
  *ret = (exports_multillm_provider_chat_list_chat_event_t){0};
  // The host has cut the lines already: a frame is a whole one, however the bytes came.
  for (size_t i = 0; i < frames->len && !self->over; i++) {
    error err = {0};
    if (!read_line(self, given(frames->ptr[i].data), ret, &err)) {
      self->over = true;
      add(ret, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_FAILED)->val.failed = err;
    }
  }
}

void exports_multillm_provider_chat_method_decoder_finish(exports_multillm_provider_chat_decoder_t *self,
                                                          exports_multillm_provider_chat_list_chat_event_t *ret) {
  *ret = (exports_multillm_provider_chat_list_chat_event_t){0};
  if (self->over) return;
  // A cut answer is an error, although all of its text was fine so far.
  slice words = slice_of("the stream ended before the vendor's end marker");
  add(ret, MULTILLM_PROVIDER_TYPES_CHAT_EVENT_FAILED)->val.failed = failure(KIND(TRUNCATED), true, words);
}
