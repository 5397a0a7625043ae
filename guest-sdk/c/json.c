/* JSON: values are made of values, and read where they stand. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

wf_text wf_text_of(const char *text) { return (wf_text){text, text ? strlen(text) : 0}; }

bool wf_text_equals(wf_text text, const char *other) {
  return text.length == strlen(other) && memcmp(text.data, other, text.length) == 0;
}

wf_text wf_format(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *data = wf_allocate(length < 0 ? 1 : (size_t)length + 1);
  if (length > 0) vsnprintf(data, (size_t)length + 1, format, again);
  va_end(again);
  return (wf_text){data, length < 0 ? 0 : (size_t)length};
}

wf_text wf_concat_all(const wf_text *parts, size_t count) {
  writer to = {0};
  for (size_t i = 0; i < count; i++) write_bytes(&to, parts[i].data, parts[i].length);
  return written(&to);
}

void write_quoted(writer *to, wf_text text) {
  write_bytes(to, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    write_bytes(to, text.data + from, i - from);
    char escaped[8];
    int length = c < 0x20 ? snprintf(escaped, sizeof escaped, "\\u%04x", c) : snprintf(escaped, sizeof escaped, "\\%c", c);
    write_bytes(to, escaped, (size_t)length);
    from = i + 1;
  }
  write_bytes(to, text.data + from, text.length - from);
  write_bytes(to, "\"", 1);
}

wf_json wf_raw(const char *json) { return (wf_json){wf_text_of(json)}; }
wf_json wf_null(void) { return wf_raw("null"); }
wf_json wf_boolean(bool value) { return wf_raw(value ? "true" : "false"); }
wf_json wf_integer(int64_t value) { return (wf_json){wf_format("%lld", (long long)value)}; }

wf_json wf_number(double value) {
  if (!isfinite(value)) {
    fail("ValueError", wf_text_of("a number that is not finite is no JSON"));
    return wf_null();
  }
  char text[40];
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  return (wf_json){wf_format("%s%s", text, strpbrk(text, ".e") ? "" : ".0")};
}

wf_json wf_string(wf_text value) {
  writer to = {0};
  write_quoted(&to, value);
  return (wf_json){written(&to)};
}

static void write_value(writer *to, wf_json value) {
  if (wf_exists(value)) write_bytes(to, value.text.data, value.text.length);
  else write_bytes(to, "null", 4);
}

wf_json wf_list(const wf_json *items, size_t count) {
  writer to = {0};
  write_bytes(&to, "[", 1);
  for (size_t i = 0; i < count; i++) {
    if (i) write_bytes(&to, ",", 1);
    write_value(&to, items[i]);
  }
  write_bytes(&to, "]", 1);
  return (wf_json){written(&to)};
}

wf_json wf_object_of(const wf_member *members, size_t count) {
  writer to = {0};
  write_bytes(&to, "{", 1);
  for (size_t i = 0; i < count; i++) {
    if (i) write_bytes(&to, ",", 1);
    write_quoted(&to, wf_text_of(members[i].name));
    write_bytes(&to, ":", 1);
    write_value(&to, members[i].value);
  }
  write_bytes(&to, "}", 1);
  return (wf_json){written(&to)};
}

/* ---- reading: the host has checked that it is JSON; where it is none, all ends at `end` ---- */

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

static const char *skip_quoted(const char *at, const char *end) {
  for (at++; at < end && *at != '"'; at++) at += *at == '\\' && at + 1 < end;
  return at < end ? at + 1 : end;
}

/* Past one value. */
static const char *skip_value(const char *at, const char *end) {
  size_t depth = 0;
  for (at = skip_space(at, end); at < end;) {
    if (*at == '"') at = skip_quoted(at, end);
    else if (*at == '{' || *at == '[') depth++, at++;
    else if (*at == '}' || *at == ']') {
      if (depth == 0) return at;
      depth--, at++;
    } else if (depth) at++;
    else {
      while (at < end && !strchr(",:]} \t\n\r", *at)) at++;
      return at;
    }
    if (depth == 0) return at;
  }
  return end;
}

static wf_json slice(const char *from, const char *to) {
  wf_text all = {from, (size_t)(to - from)};
  return (wf_json){wf_concat_all(&all, 1)};
}

static wf_text unquoted(const char *at, const char *end);

/* Walks through an object or a list: to the item of a name or a number, or only counts. */
static wf_json find(wf_json value, char open, const char *name, size_t index, size_t *count) {
  const char *end = value.text.data + value.text.length, *at = skip_space(value.text.data, end);
  if (at >= end || *at != open) return (wf_json){{0}};
  for (at = skip_space(at + 1, end); at < end && *at != ']' && *at != '}'; ++*count) {
    bool found = !name && index == *count;
    if (open == '{') {
      const char *colon = skip_space(skip_quoted(at, end), end);
      if (name) {
        wf_place mark = wf_mark();
        found = wf_text_equals(unquoted(at, end), name);
        wf_release(mark);
      }
      at = colon < end ? colon + 1 : end;
    }
    const char *from = skip_space(at, end);
    at = skip_value(from, end);
    if (found) return slice(from, at);
    at = skip_space(at, end);
    if (at < end && *at == ',') at = skip_space(at + 1, end);
  }
  return (wf_json){{0}};
}

bool wf_exists(wf_json value) { return value.text.length > 0; }
bool wf_is_null(wf_json value) { return wf_text_equals(value.text, "null"); }
static bool absent(wf_json value) { return !wf_exists(value) || wf_is_null(value); }

wf_json wf_field(wf_json object, const char *name) { return find(object, '{', name, 0, &(size_t){0}); }
wf_json wf_item(wf_json list, size_t index) { return find(list, '[', NULL, index, &(size_t){0}); }

size_t wf_count(wf_json value) {
  size_t count = 0;
  find(value, '[', NULL, SIZE_MAX, &count);
  find(value, '{', NULL, SIZE_MAX, &count);
  return count;
}

static unsigned hexadecimal(const char *at, const char *end) {
  char digits[5] = {0};
  for (int i = 0; i < 4 && at + i < end; i++) digits[i] = at[i];
  return (unsigned)strtoul(digits, NULL, 16);
}

static wf_text unquoted(const char *at, const char *end) {
  char *data = wf_allocate((size_t)(end - at) + 1), *to = data;
  for (at++; at < end && *at != '"'; at++) {
    if (*at != '\\' || at + 1 >= end) {
      *to++ = *at;
      continue;
    }
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, *++at);
    if (*at != 'u') {
      *to++ = letter && *letter ? meanings[letter - letters] : *at;
      continue;
    }
    unsigned code = hexadecimal(at + 1, end);
    at += 4;
    if (code >= 0xD800 && code < 0xDC00 && at + 6 < end && at[1] == '\\' && at[2] == 'u') {
      code = 0x10000 + ((code - 0xD800) << 10) + (hexadecimal(at + 3, end) - 0xDC00);
      at += 6;
    }
    if (code < 0x80) *to++ = (char)code;
    else {
      int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      *to++ = (char)((unsigned char)"\xC0\xE0\xF0"[more - 1] | code >> 6 * more);
      while (more--) *to++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    }
  }
  return (wf_text){data, (size_t)(to - data)};
}

static void wrong_type(wf_json value, const char *wanted) {
  int shown = value.text.length > 60 ? 60 : (int)value.text.length;
  fail("TypeError", wf_format("%.*s is no %s", shown, value.text.data, wanted));
}

wf_text wf_as_text(wf_json value, wf_text fallback) {
  if (absent(value)) return fallback;
  if (value.text.data[0] == '"') return unquoted(value.text.data, value.text.data + value.text.length);
  wrong_type(value, "text");
  return fallback;
}

double wf_as_number(wf_json value, double fallback) {
  if (absent(value)) return fallback;
  if (strchr("-0123456789", value.text.data[0])) return strtod(value.text.data, NULL);
  wrong_type(value, "number");
  return fallback;
}

int64_t wf_as_integer(wf_json value, int64_t fallback) {
  if (absent(value)) return fallback;
  char *end;
  long long whole = strtoll(value.text.data, &end, 10);
  bool digits = strchr("-0123456789", value.text.data[0]) != NULL;
  /* What is outside of 64 bits is cut to an end of them, and so is written with other digits. */
  if (digits && *end == 0 && wf_text_equals(value.text, wf_integer(whole).text.data)) return whole;
  if (digits && wf_text_equals(value.text, "-0")) return 0;
  double number = digits && *end ? strtod(value.text.data, NULL) : NAN;
  if (number == trunc(number) && number >= -9007199254740992.0 && number <= 9007199254740992.0) return (int64_t)number;
  wrong_type(value, "integer of 64 bits");
  return fallback;
}

bool wf_as_boolean(wf_json value, bool fallback) {
  if (absent(value)) return fallback;
  if (wf_text_equals(value.text, "true")) return true;
  if (!wf_text_equals(value.text, "false")) wrong_type(value, "boolean");
  return false;
}
