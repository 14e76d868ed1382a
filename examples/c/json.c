// JSON by way of jsmn, which marks where things begin and end and copies nothing.

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include "jsmn.h"

// More things in one text, or deeper ones, are nobody's answer.
#define MOST_TOKENS (1 << 20)
#define DEEPEST 200

// What jsmn marks in a text; 0 where it is no JSON. The caller frees it.
static jsmntok_t *marked(slice json, int *count) {
  jsmn_parser parser;
  jsmn_init(&parser);
  if (json.at == 0) return 0;
  int found = jsmn_parse(&parser, json.at, json.length, 0, 0);
  if (found < 1 || found > MOST_TOKENS) return 0;
  jsmntok_t *tokens = malloc(sizeof(jsmntok_t) * (size_t)found);
  if (tokens == 0) abort();
  jsmn_init(&parser);
  *count = jsmn_parse(&parser, json.at, json.length, tokens, (unsigned)found);
  if (*count < 1) {
    free(tokens);
    return 0;
  }
  return tokens;
}

static bool is_word(slice json, const jsmntok_t *token) {
  slice word = {json.at + token->start, (size_t)(token->end - token->start)};
  if (slice_is(word, "true") || slice_is(word, "false") || slice_is(word, "null")) return true;
  double number;
  return json_number(word, &number);
}

bool json_is_valid(slice json) {
  int count = 0;
  jsmntok_t *tokens = marked(json, &count);
  if (tokens == 0) return false;
  bool valid = true;
  int depth = 0;
  for (int i = 0; i < count && valid; i++) {
    const jsmntok_t *token = &tokens[i];
    // One value, whose words are words, and whose objects have names that are strings with one value each.
    valid = (i == 0) == (token->parent < 0);
    if (token->type == JSMN_PRIMITIVE) valid = valid && is_word(json, token);
    if (token->parent >= 0 && tokens[token->parent].type == JSMN_OBJECT)
      valid = valid && token->type == JSMN_STRING && token->size == 1;
    else
      valid = valid && (token->type != JSMN_STRING || token->size == 0);
    depth = 0;
    for (int up = token->parent; up >= 0 && depth <= 2 * DEEPEST; up = tokens[up].parent) depth++;
    valid = valid && depth <= 2 * DEEPEST;
  }
  // jsmn stops at the end of the value; nothing but blanks may follow.
  size_t end = (size_t)tokens[0].end + (tokens[0].type == JSMN_STRING);
  for (; valid && end < json.length; end++) valid = strchr(" \t\r\n", json.at[end]) != 0 && json.at[end] != 0;
  free(tokens);
  return valid;
}

static slice trimmed(slice json) {
  while (json.length > 0 && strchr(" \t\r\n", *json.at) != 0) json.at++, json.length--;
  return json;
}

bool json_is_object(slice json) {
  json = trimmed(json);
  return json.length > 0 && *json.at == '{';
}

static slice whole(slice json, const jsmntok_t *token) {
  // A string's marks stand within its quotes.
  int quote = token->type == JSMN_STRING;
  return (slice){json.at + token->start - quote, (size_t)(token->end - token->start + 2 * quote)};
}

void json_members(slice object, void (*each)(void *, slice, slice), void *with) {
  int count = 0;
  jsmntok_t *tokens = marked(object, &count);
  if (tokens == 0) return;
  for (int i = 1; tokens[0].type == JSMN_OBJECT && i + 1 < count; i++)
    if (tokens[i].parent == 0) each(with, whole(object, &tokens[i]), whole(object, &tokens[i + 1]));
  free(tokens);
}

struct wanted {
  const char *name;
  slice found;
};

static void compare(void *with, slice name, slice value) {
  struct wanted *wanted = with;
  text plain = {0};
  json_string(name, &plain);
  if (slice_is((slice){plain.at, plain.length}, wanted->name))
    wanted->found = slice_is(value, "null") ? (slice){0} : value;
  free(plain.at);
}

slice json_member(slice object, const char *name) {
  struct wanted wanted = {name, {0}};
  json_members(object, compare, &wanted);
  return wanted.found;
}

static int hexadecimal(const char *at) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static void add_character(text *into, uint32_t c) {
  char bytes[4];
  if (c < 0x80) {
    bytes[0] = (char)c;
    text_add(into, bytes, 1);
  } else if (c < 0x800) {
    bytes[0] = (char)(0xc0 | c >> 6);
    bytes[1] = (char)(0x80 | (c & 63));
    text_add(into, bytes, 2);
  } else if (c < 0x10000) {
    bytes[0] = (char)(0xe0 | c >> 12);
    bytes[1] = (char)(0x80 | (c >> 6 & 63));
    bytes[2] = (char)(0x80 | (c & 63));
    text_add(into, bytes, 3);
  } else {
    bytes[0] = (char)(0xf0 | c >> 18);
    bytes[1] = (char)(0x80 | (c >> 12 & 63));
    bytes[2] = (char)(0x80 | (c >> 6 & 63));
    bytes[3] = (char)(0x80 | (c & 63));
    text_add(into, bytes, 4);
  }
}

bool json_string(slice json, text *into) {
  if (json.at == 0 || json.length < 2 || json.at[0] != '"') return false;
  const char *end = json.at + json.length - 1;
  for (const char *at = json.at + 1; at < end; at++) {
    if (*at != '\\') {
      text_add(into, at, 1);
      continue;
    }
    static const char escapes[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    at++;
    const char *known = at < end ? strchr(escapes, *at) : 0;
    if (known != 0 && *at != 0) {
      text_add(into, &plain[known - escapes], 1);
    } else if (end - at >= 5) {
      int first = hexadecimal(at + 1), second = -1;
      at += 4;
      if (first >= 0xd800 && first < 0xdc00 && end - at > 6 && at[1] == '\\' && at[2] == 'u')
        second = hexadecimal(at + 3);
      if (second >= 0xdc00 && second < 0xe000) {
        add_character(into, 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00));
        at += 6;
      } else {
        add_character(into, first < 0 || (first >= 0xd800 && first < 0xe000) ? 0xfffd : (uint32_t)first);
      }
    }
  }
  // There is something, even if it is empty.
  text_add(into, "", 0);
  return true;
}

bool json_count(slice json, uint64_t *into) {
  uint64_t value = 0;
  for (size_t i = 0; i < json.length; i++) {
    if (json.at[i] < '0' || json.at[i] > '9' || i > 17) return false;
    value = value * 10 + (uint64_t)(json.at[i] - '0');
  }
  *into = value;
  return json.at != 0 && json.length > 0;
}

bool json_number(slice json, double *into) {
  char digits[400], *end = 0;
  if (json.at == 0 || json.length == 0 || json.length >= sizeof digits) return json.length >= sizeof digits;
  if (*json.at != '-' && (*json.at < '0' || *json.at > '9')) return false;
  memcpy(digits, json.at, json.length);
  digits[json.length] = 0;
  *into = strtod(digits, &end);
  return *end == 0;
}

void text_add(text *into, const char *bytes, size_t length) {
  if (into->length + length + 1 > into->room) {
    into->room = 2 * (into->length + length) + 64;
    into->at = realloc(into->at, into->room);
    if (into->at == 0) abort();
  }
  memcpy(into->at + into->length, bytes, length);
  into->length += length;
  into->at[into->length] = 0;
}

void text_say(text *into, const char *words) { text_add(into, words, strlen(words)); }

void text_quote(text *into, slice bytes) {
  text_add(into, "\"", 1);
  for (size_t i = 0; i < bytes.length; i++) {
    unsigned char c = (unsigned char)bytes.at[i];
    char escaped[8];
    if (c == '"' || c == '\\') {
      escaped[0] = '\\', escaped[1] = (char)c;
      text_add(into, escaped, 2);
    } else if (c < 0x20) {
      static const char digits[] = "0123456789abcdef";
      memcpy(escaped, "\\u00", 4);
      escaped[4] = digits[c >> 4], escaped[5] = digits[c & 15];
      text_add(into, escaped, 6);
    } else {
      text_add(into, bytes.at + i, 1);
    }
  }
  text_add(into, "\"", 1);
}

void text_number(text *into, double number) {
  char digits[40];
  int length = snprintf(digits, sizeof digits, "%.15g", number);
  if (strtod(digits, 0) != number) length = snprintf(digits, sizeof digits, "%.17g", number);
  text_add(into, digits, (size_t)length);
}

slice slice_of(const char *words) { return (slice){words, strlen(words)}; }

bool slice_is(slice one, const char *words) {
  return one.at != 0 && one.length == strlen(words) && memcmp(one.at, words, one.length) == 0;
}
