// The buffer in which the WASI adapter joins printed text to lines: one half for each stream.
#include <stdio.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("synix_line_buffer")))
void synix_line_buffer(void *buffer, size_t size);

static char lines[16 << 10];

// This runs before the constructors of the plugin, which may print.
__attribute__((constructor(101))) static void register_line_buffer(void) { synix_line_buffer(lines, sizeof lines); }

// Text that was printed without a line break so far becomes a line. `SYNIX_EXPORT` calls this at the end of a call.
void synix_end_lines(void) {
  fflush(NULL);
  synix_line_buffer(lines, sizeof lines);
}
