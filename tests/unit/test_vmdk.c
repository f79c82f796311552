/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "vmm/vmdk.h"

#define HEAD                                                                   \
	"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n" \
	"createType=\"twoGbMaxExtentFlat\"\n# Extent description\n"

static void files_follow_each_other_and_the_pad_fills_the_rest(void **state)
{
	const struct vmm_file files[] = { { "/a", 4096 }, { "/b c/d,e", 512 } };
	auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(vmdk_write(files, 2, "/pad", VMM_JOINED_SIZE, &text, &e));
	assert_string_equal(text.buf, HEAD "RW 8 FLAT \"/a\" 0\n"
					   "RW 1 FLAT \"/b c/d,e\" 0\n"
					   "RW 134217719 FLAT \"/pad\" 0\n");
}

static void a_disk_that_is_full_has_no_pad(void **state)
{
	const struct vmm_file file = { "/a", 1024 };
	auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(vmdk_write(&file, 1, "/pad", 1024, &text, &e));
	assert_string_equal(text.buf, HEAD "RW 2 FLAT \"/a\" 0\n");
}

static void what_the_format_cannot_hold_is_refused(void **state)
{
	static const struct {
		const char *path;
		uint64_t size;
		const char *why;
	} cases[] = {
		{ "a", 512, "not absolute" },
		{ "", 512, "not absolute" },
		{ "/a\"b", 512, "quote" },
		{ "/a\nRW 1 FLAT", 512, "control character" },
		{ "/a\x7f", 512, "control" },
		{ "/a", 0, "multiple of 512" },
		{ "/a", 511, "multiple of 512" },
		{ "/a", 1536, "do not fit" },
		{ "/a", UINT64_MAX - 511, "do not fit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_file file = { cases[i].path, cases[i].size };
		auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
		struct err e = ERR_INIT;

		assert_fails(vmdk_write(&file, 1, "/pad", 1024, &text, &e), cases[i].why);
	}
}

static void a_path_may_have_511_bytes_and_not_512(void **state)
{
	char path[513];
	const struct vmm_file file = { path, 512 };
	auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
	struct err e = ERR_INIT;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[512] = '\0';
	assert_fails(vmdk_write(&file, 1, "/pad", 1024, &text, &e), "longer than 511");
	path[511] = '\0';
	assert_ok(vmdk_write(&file, 1, "/pad", 1024, &text, &e));
}

static void a_text_that_qemu_would_cut_is_refused(void **state)
{
	struct vmm_file *files = xcalloc(60000, sizeof(*files));
	auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		files[i] = (struct vmm_file){ "/var/lib/kvbox", 512 };
	assert_fails(vmdk_write(files, 60000, "/pad", VMM_JOINED_SIZE, &text, &e), "too much text");
	free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_follow_each_other_and_the_pad_fills_the_rest),
		cmocka_unit_test(a_disk_that_is_full_has_no_pad),
		cmocka_unit_test(what_the_format_cannot_hold_is_refused),
		cmocka_unit_test(a_path_may_have_511_bytes_and_not_512),
		cmocka_unit_test(a_text_that_qemu_would_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
