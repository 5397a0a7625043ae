/* What the files of the SDK share. */
#ifndef WF_INTERNAL_H
#define WF_INTERNAL_H

#include "wf.h"

/* Text that grows. */
typedef struct writer { char *data; size_t length, capacity; } writer;
void write_bytes(writer *to, const char *data, size_t length);
void write_zero_terminated(writer *to, const char *text);
/* With quotes and escapes. */
void write_quoted(writer *to, wf_text text);
wf_text written(writer *from);

/* Fails the step, unless it has failed already. */
void fail(const char *kind, wf_text message);

/* "A, B" as a JSON list. */
wf_json names(const char *list);

/* The manifest of `wf_this_workflow`. */
wf_text manifest(void);

#endif
