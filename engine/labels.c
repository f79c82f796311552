/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/labels.h"

#include <string.h>

bool labels_have(const struct strv *labels, const char *want)
{
	size_t n = strcspn(want, "=");

	if (want[n])
		return strv_has(labels, want);
	for (size_t i = 0; i < labels->n; i++) {
		if (strncmp(labels->v[i], want, n) == 0 && labels->v[i][n] == '=')
			return true;
	}
	return false;
}

bool labels_have_all(const struct strv *labels, const struct strv *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		if (!labels_have(labels, wanted->v[i]))
			return false;
	}
	return true;
}
