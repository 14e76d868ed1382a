// JSON as far as an adapter needs it: reading members of what came, and writing texts. What belongs to somebody else
// is never taken apart: a slice of the text keeps its digits and the order of its keys.

#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A piece of somebody's text. Nothing there is the pointer 0.
typedef struct {
  const char *at;
  size_t length;
} slice;

// A text that grows.
typedef struct {
  char *at;
  size_t length;
  size_t room;
} text;

// Whether a text is one JSON value and nothing else.
bool json_is_valid(slice json);

// Whether a value that is valid is an object.
bool json_is_object(slice json);

// The member of an object, as it was written; of several with one name the last. Nothing where it is absent or null.
slice json_member(slice object, const char *name);

// Calls `each` for every member, in order.
void json_members(slice object, void (*each)(void *with, slice name, slice value), void *with);

// A string without its quotes and escapes, as UTF-8; half a character becomes U+FFFD. False: it is no string.
bool json_string(slice json, text *into);

// A count; false for what is none.
bool json_count(slice json, uint64_t *into);

// A number; false for what is none.
bool json_number(slice json, double *into);

void text_add(text *into, const char *bytes, size_t length);
void text_say(text *into, const char *words);
// With quotes and escapes.
void text_quote(text *into, slice bytes);
// As short as it reads back the same.
void text_number(text *into, double number);

slice slice_of(const char *words);
bool slice_is(slice one, const char *words);

#endif
