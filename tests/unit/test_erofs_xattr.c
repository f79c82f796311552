/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "engine/erofs.h"
#include "engine/erofs_xattr.h"

static void names_have_a_prefix_that_erofs_knows(void **state)
{
	static const struct {
		const char *name, *rest;
		int index;
	} cases[] = {
		{ "user.x", "x", EROFS_XATTR_USER },
		{ "user.", NULL, 0 },
		{ "trusted.overlay.opaque", "overlay.opaque", EROFS_XATTR_TRUSTED },
		{ "security.capability", "capability", EROFS_XATTR_SECURITY },
		{ "system.posix_acl_access", "", EROFS_XATTR_ACL_ACCESS },
		{ "system.posix_acl_default", "", EROFS_XATTR_ACL_DEFAULT },
		{ "system.posix_acl_accessx", NULL, 0 },
		{ "system.nfs4_acl", NULL, 0 },
		{ "users.x", NULL, 0 },
		{ "", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct erofs_attr a = { .index = 0 };

		assert_int_equal(erofs_attr_name(cases[i].name, &a), cases[i].rest != NULL);
		assert_int_equal(a.index, cases[i].index);
		if (cases[i].rest)
			assert_string_equal(a.name, cases[i].rest);
	}
}

static void a_name_has_at_most_255_bytes_behind_its_prefix(void **state)
{
	auto_str struct str name = STR_INIT(1000);
	struct erofs_attr a;

	(void)state;
	str_add(&name, "user.");
	for (int i = 0; i < 255; i++)
		str_addc(&name, 'x');
	assert_true(erofs_attr_name(name.buf, &a));
	str_addc(&name, 'x');
	assert_false(erofs_attr_name(name.buf, &a));
}

static void what_was_added_is_read_back(void **state)
{
	static const struct erofs_attr in[] = {
		{ EROFS_XATTR_USER, "a", 1, "", 0 },
		{ EROFS_XATTR_ACL_ACCESS, "", 0, "12345", 5 },
		{ EROFS_XATTR_TRUSTED, "abc", 3, "\0\0\1", 3 },
	};
	auto_str struct str list = STR_INIT(EROFS_XATTRS_MAX);
	struct erofs_attr got;
	struct err e = ERR_INIT;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_ok(erofs_attr_add(&list, &in[i], &e));
	assert_int_equal(list.len % 4, 0);
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		assert_int_equal(erofs_attr_next(list.buf, list.len, &at, &got, &e), 1);
		assert_int_equal(got.index, in[i].index);
		assert_int_equal(got.name_len, in[i].name_len);
		assert_memory_equal(got.name, in[i].name, in[i].name_len);
		assert_int_equal(got.size, in[i].size);
		assert_memory_equal(got.value, in[i].value, in[i].size);
	}
	assert_int_equal(erofs_attr_next(list.buf, list.len, &at, &got, &e), 0);
}

static void a_list_that_is_cut_is_damaged(void **state)
{
	const struct erofs_attr in = { EROFS_XATTR_USER, "name", 4, "value", 5 };
	auto_str struct str list = STR_INIT(EROFS_XATTRS_MAX);
	struct erofs_attr got;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(erofs_attr_add(&list, &in, &e));
	for (size_t n = 1; n < list.len; n++) {
		auto_free char *copy = xmemdup(list.buf, n);
		size_t at = 0;

		assert_fails(erofs_attr_next(copy, n, &at, &got, &e),
			     "damaged extended attributes");
	}
}

static void one_inodes_list_is_limited(void **state)
{
	auto_free char *value = xcalloc(1, UINT16_MAX + 1);
	struct erofs_attr a = { EROFS_XATTR_USER, "n", 1, value, UINT16_MAX + 1 };
	auto_str struct str list = STR_INIT(EROFS_XATTRS_MAX);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(erofs_attr_add(&list, &a, &e), "too large");
	a.size = UINT16_MAX;
	for (int i = 0; i < 3; i++)
		assert_ok(erofs_attr_add(&list, &a, &e));
	assert_fails(erofs_attr_add(&list, &a, &e), "too large");
	assert_false(list.over);
}

static void marks_are_told_from_other_trusted_attributes(void **state)
{
	const struct erofs_attr implied = { EROFS_XATTR_TRUSTED, "kvbox.implied", 13, "", 0 };
	const struct erofs_attr opaque = { EROFS_XATTR_TRUSTED, "overlay.opaque", 14, "", 0 };
	const struct erofs_attr other = { EROFS_XATTR_TRUSTED, "kvboxen", 7, "", 0 };
	const struct erofs_attr users = { EROFS_XATTR_USER, "kvbox.implied", 13, "", 0 };

	(void)state;
	assert_true(erofs_attr_is_trusted(&implied, EROFS_MARK_IMPLIED));
	assert_false(erofs_attr_is_trusted(&implied, EROFS_MARK_LINK));
	assert_false(erofs_attr_is_trusted(&users, EROFS_MARK_IMPLIED));
	assert_true(erofs_attr_is_reserved(&implied));
	assert_true(erofs_attr_is_reserved(&opaque));
	assert_false(erofs_attr_is_reserved(&other));
	assert_false(erofs_attr_is_reserved(&users));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_a_prefix_that_erofs_knows),
		cmocka_unit_test(a_name_has_at_most_255_bytes_behind_its_prefix),
		cmocka_unit_test(what_was_added_is_read_back),
		cmocka_unit_test(a_list_that_is_cut_is_damaged),
		cmocka_unit_test(one_inodes_list_is_limited),
		cmocka_unit_test(marks_are_told_from_other_trusted_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
