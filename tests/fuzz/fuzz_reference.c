/* SPDX-License-Identifier: Apache-2.0 */
/* References, as users and archives write them: what is read has one full form, which reads the
 * same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "registry/platform.h"
#include "registry/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
	auto_reference struct reference r = REFERENCE_INIT, again = REFERENCE_INIT;
	struct platform p = PLATFORM_INIT;
	struct err e = ERR_INIT;
	auto_free char *full = NULL;
	auto_free char *short_form = NULL;
	auto_free char *full_again = NULL;

	if (platform_parse(text, &p, &e) < 0)
		err_clear(&e);
	if (reference_parse(text, &r, &e) < 0)
		return;
	full = reference_text(&r);
	short_form = reference_familiar(&r);
	if (reference_parse(short_form, &again, &e) < 0)
		abort();
	full_again = reference_text(&again);
	if (strcmp(full, full_again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);

	check(text);
	return 0;
}
