/* SPDX-License-Identifier: Apache-2.0 */
/* A user's seccomp profile: read, and made into a program that the kernel's rules for programs allow. */
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/capability.h"
#include "engine/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every jump stays inside, and what comes last is a return. */
static void check_program(const struct sock_filter *f, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS || f[n - 1].code != (BPF_RET | BPF_K))
		abort();
	for (size_t i = 0; i < n; i++) {
		if (BPF_CLASS(f[i].code) != BPF_JMP)
			continue;
		if (BPF_OP(f[i].code) == BPF_JA ? f[i].k >= n - i - 1
						: f[i].jt >= n - i - 1 || f[i].jf >= n - i - 1)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_str struct str filter = STR_INIT(SECCOMP_FILTER_MAX);
	struct err e = ERR_INIT;
	/* What a text may be besides JSON is no profile. */
	int usable = seccomp_check(text, strlen(text), &e);

	err_clear(&e);
	if (*text != '{' || seccomp_compile(text, "6.12", CAPABILITY_DEFAULT, &filter, &e) < 0)
		return 0;
	if (usable < 0)
		abort();
	if (filter.len)
		check_program((const void *)filter.buf, filter.len / sizeof(struct sock_filter));
	return 0;
}
