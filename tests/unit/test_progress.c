/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/progress.h"

static const struct image_progress events[] = {
	{ "latest", "Pulling from library/x", -1, 0 },
	{ "0123456789ab", "Downloading", 500000, 1000000 },
	{ "0123456789ab", "Pull complete", -1, 0 },
	{ NULL, "Digest: sha256:0", -1, 0 },
};

static char *show(bool terminal)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	auto_progress struct progress p = { .to = to, .terminal = terminal };

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		progress_show(&p, &events[i]);
	fclose(to);
	return text;
}

static void a_file_gets_a_line_for_each_thing_that_happened(void **state)
{
	auto_free char *text = show(false);

	(void)state;
	assert_string_equal(
		text,
		"latest: Pulling from library/x\n0123456789ab: Pull complete\nDigest: sha256:0\n");
}

static void on_a_terminal_each_layer_has_a_line_that_is_redrawn(void **state)
{
	auto_free char *text = show(true);

	(void)state;
	assert_string_equal(text, "\n\033[1A\r\033[Klatest: Pulling from library/x \033[1B\r"
				  "\n\033[1A\r\033[K0123456789ab: Downloading [===============>    "
				  "          ]  500kB/1MB\033[1B\r"
				  "\033[1A\r\033[K0123456789ab: Pull complete \033[1B\r"
				  "Digest: sha256:0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_gets_a_line_for_each_thing_that_happened),
		cmocka_unit_test(on_a_terminal_each_layer_has_a_line_that_is_redrawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
