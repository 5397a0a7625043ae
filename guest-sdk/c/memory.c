/* Memory that lives as long as the instance, or until it is given back to a mark. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct chunk { struct chunk *before; size_t size; _Alignas(16) char data[]; } chunk;

static chunk *current;
static size_t used;

void *wf_allocate(size_t size) {
  size_t start = (used + 15) & ~(size_t)15;
  if (!current || start > current->size || size > current->size - start) {
    size_t room = size > 32768 ? size : 32768;
    chunk *next = room > SIZE_MAX / 2 ? NULL : malloc(sizeof(chunk) + room);
    if (!next) __builtin_trap();
    next->before = current;
    next->size = room;
    current = next;
    start = 0;
  }
  used = start + size;
  return memset(current->data + start, 0, size);
}

/* What the host hands in comes through here. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  if (size == 0) return (void *)align;
  /* One byte more, so that every text is followed by a zero. */
  void *new = wf_allocate(size + 1);
  return old_size ? memcpy(new, old, old_size < size ? old_size : size) : new;
}

wf_place wf_mark(void) { return (wf_place){current, used}; }

void wf_release(wf_place mark) {
  while (current != mark.chunk) {
    chunk *before = current->before;
    free(current);
    current = before;
  }
  used = mark.used;
}

void write_bytes(writer *to, const char *data, size_t length) {
  if (length >= to->capacity - to->length) {
    size_t capacity = 2 * to->capacity + length + 64;
    char *larger = wf_allocate(capacity);
    if (to->length) memcpy(larger, to->data, to->length);
    to->data = larger;
    to->capacity = capacity;
  }
  if (length) memcpy(to->data + to->length, data, length);
  to->length += length;
}

void write_zero_terminated(writer *to, const char *text) { write_bytes(to, text, strlen(text)); }

wf_text written(writer *from) {
  write_bytes(from, "", 1);
  return (wf_text){from->data, from->length - 1};
}
