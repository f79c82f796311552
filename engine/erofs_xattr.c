/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/erofs_xattr.h"

#include <string.h>

#include "engine/erofs.h"

static const struct {
	const char *prefix;
	bool whole; /* nothing may follow */
	uint8_t index;
} prefixes[] = {
	{ "user.", false, EROFS_XATTR_USER },
	{ "system.posix_acl_access", true, EROFS_XATTR_ACL_ACCESS },
	{ "system.posix_acl_default", true, EROFS_XATTR_ACL_DEFAULT },
	{ "trusted.", false, EROFS_XATTR_TRUSTED },
	{ "security.", false, EROFS_XATTR_SECURITY },
};

bool erofs_attr_name(const char *full, struct erofs_attr *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const char *rest;

		if (!str_has_prefix(full, prefixes[i].prefix))
			continue;
		rest = full + strlen(prefixes[i].prefix);
		if ((*rest == '\0') != prefixes[i].whole || strlen(rest) > EROFS_NAME_MAX)
			continue;
		ret->index = prefixes[i].index;
		ret->name = rest;
		ret->name_len = strlen(rest);
		return true;
	}
	return false;
}

static bool is_known(uint8_t index)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (prefixes[i].index == index)
			return true;
	return false;
}

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

int erofs_attr_add(struct str *list, const struct erofs_attr *a, struct err *e)
{
	static const char zeros[4];
	size_t n = sizeof(struct erofs_xattr) + a->name_len + a->size;
	struct erofs_xattr head = {
		.name_len = (uint8_t)a->name_len,
		.index = a->index,
		.value_size = htole16((uint16_t)a->size),
	};

	if (a->size > UINT16_MAX || list->len + padded(n) > EROFS_XATTRS_MAX)
		return err_set(e, ERR_INVALID, "extended attributes are too large");
	str_addn(list, &head, sizeof(head));
	str_addn(list, a->name, a->name_len);
	str_addn(list, a->value, a->size);
	str_addn(list, zeros, padded(n) - n);
	return 0;
}

int erofs_attr_next(const char *list, size_t len, size_t *at, struct erofs_attr *ret, struct err *e)
{
	struct erofs_xattr head;
	size_t left = len - *at, n;

	if (left == 0)
		return 0;
	if (left < sizeof(head))
		return err_set(e, ERR_CORRUPT, "damaged extended attributes");
	memcpy(&head, list + *at, sizeof(head));
	ret->index = head.index;
	ret->name = list + *at + sizeof(head);
	ret->name_len = head.name_len;
	ret->value = ret->name + head.name_len;
	ret->size = le16toh(head.value_size);
	n = padded(sizeof(head) + ret->name_len + ret->size);
	if (n > left || !is_known(ret->index))
		return err_set(e, ERR_CORRUPT, "damaged extended attributes");
	*at += n;
	return 1;
}

bool erofs_attr_is_trusted(const struct erofs_attr *a, const char *name)
{
	return a->index == EROFS_XATTR_TRUSTED && a->name_len == strlen(name) &&
	       !memcmp(a->name, name, a->name_len);
}

static bool has_prefix(const struct erofs_attr *a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a->name_len >= n && !memcmp(a->name, prefix, n);
}

bool erofs_attr_is_reserved(const struct erofs_attr *a)
{
	return a->index == EROFS_XATTR_TRUSTED &&
	       (has_prefix(a, "kvbox.") || has_prefix(a, "overlay."));
}
