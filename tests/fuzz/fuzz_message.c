/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile control message: parsing, its byte strings, HELLO, error replies, and the preamble's
 * scanner.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "proto/preamble.h"

static void read_all(const struct message *m)
{
	static const char *const keys[] = { "args", "env", "cwd", "user" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_strv struct strv list = STRV_INIT;
		struct err e = ERR_INIT;
		char *text = NULL;

		if (message_list(m, keys[i], 100, &list, &e) < 0)
			err_clear(&e);
		if (message_text(m, keys[i], 4096, &text, &e) == 0)
			free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_message struct message m = { 0 };
	struct preamble_scan scan;
	struct err e = ERR_INIT;
	struct hello hello;
	size_t used = 0;

	preamble_scan_init(&scan, NULL);
	if (!preamble_scan(&scan, data, size, &used) && used != size)
		abort();
	if (message_parse(FRAME_HELLO, data, size, &m, &e) < 0)
		return 0;
	read_all(&m);
	if (message_reply_error(&m, &e) < 0)
		err_clear(&e);
	if (message_hello(&m, NULL, &hello, &e) == 0 && hello.version != PROTO_VERSION)
		abort();
	return 0;
}
