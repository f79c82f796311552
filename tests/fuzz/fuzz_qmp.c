/* SPDX-License-Identifier: Apache-2.0 */
/* A VMM that was taken over: lines on the control connection, and what the driver makes of them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/qemu_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each kind of event comes once, and a request is answered once. */
static void check(const struct vmm_event *ev, unsigned *seen)
{
	if (ev->kind >= VMM_EVENT_COUNT || strlen(ev->text) >= sizeof(ev->text))
		abort();
	if (ev->kind == VMM_EVENT_DONE)
		return;
	if (*seen & (1u << ev->kind))
		abort();
	*seen |= 1u << ev->kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qemu_watch w = { .last_id = 4, .capabilities = 1, .status = 2 };
	const char *at = (const char *)data, *end = at + size;
	unsigned seen = 0, answers = 0;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
		struct vmm_event ev = { .kind = VMM_EVENT_COUNT };
		struct err e = ERR_INIT;

		if (qmp_parse(at, n, &m, &e) == 0 &&
		    qemu_watch_message(&w, &m, &ev) == QEMU_REPORT) {
			check(&ev, &seen);
			answers += ev.kind == VMM_EVENT_DONE;
		}
		if (answers > 4)
			abort();
		at += n + 1;
	}
	return 0;
}
