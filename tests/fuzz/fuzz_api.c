/* SPDX-License-Identifier: Apache-2.0 */
/* A VMM that was taken over: bytes on the API's connection, and in its stream of events. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/api.h"
#include "vmm/cloud_hypervisor_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answers(const char *at, size_t size)
{
	struct api_answer answer;
	struct err e = ERR_INIT;
	char text[200];
	size_t used;

	while (size > 0 && api_parse(at, size, &answer, &used, &e) > 0) {
		if (used == 0 || used > size || answer.length > API_BODY_MAX ||
		    answer.status < 200 || answer.status > 599 || answer.body < at ||
		    answer.body + answer.length > at + size)
			abort();
		api_error_text(&answer, text, sizeof(text));
		if (strlen(text) >= sizeof(text))
			abort();
		at += used;
		size -= used;
	}
}

static void events(const char *at, size_t size)
{
	struct ch_watch w = { .ready = false };
	const char *end = at + size;
	unsigned seen = 0;

	while (at < end) {
		const char *stop = memmem(at, (size_t)(end - at), "\n\n", 2);
		size_t n = (size_t)((stop ? stop : end) - at);
		struct vmm_event ev;

		if (ch_watch_event(&w, at, n, &ev)) {
			if (ev.kind >= VMM_EVENT_COUNT || seen & (1u << ev.kind))
				abort();
			seen |= 1u << ev.kind;
		}
		at += n + 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A parser that reads past the end is found only where the end is the end. */
	char *copy = malloc(size + 1);

	if (!copy)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	answers(copy, size);
	events(copy, size);
	free(copy);
	return 0;
}
