/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry sends as a layer, and what a damaged store has as a layer image. The first byte
 * says which: bit 0 set, the rest is a layer (compressed or not; it is converted, and merged over
 * itself), with bit 1 a tar whose headers get right sums; bit 0 clear, the rest is a layer image,
 * whose checksum is made right. Otherwise nothing would come behind them.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/chain.h"
#include "engine/erofs.h"
#include "engine/layer.h"

struct input {
	const uint8_t *p;
	size_t n;
};

static ssize_t read_input(void *ctx, void *buf, size_t n, struct err *e)
{
	struct input *in = ctx;
	size_t part = in->n < n ? in->n : n;

	(void)e;
	if (part > 0)
		memcpy(buf, in->p, part);
	in->p += part;
	in->n -= part;
	return (ssize_t)part;
}

static void merge(int fd)
{
	const struct chain_layer layers[2] = { { .fd = fd, .tag = "a" }, { .fd = fd, .tag = "b" } };
	auto_close int out = -1;
	struct chain_info info;
	struct err e = ERR_INIT;

	if (fd_memfd("chain", &out, &e) == 0 && chain_build(layers, 2, out, &info, &e) == 0)
		return;
}

static void as_layer(struct input *in)
{
	auto_close int fd = -1;
	struct layer_info info;
	struct err e = ERR_INIT;

	if (fd_memfd("layer", &fd, &e) == 0 && layer_build(read_input, in, fd, &info, &e) == 0)
		merge(fd);
}

/* Makes the sums of tar headers right. */
static void fix_headers(uint8_t *p, size_t n)
{
	for (; n >= 512; p += 512, n -= 512) {
		unsigned int sum = 0;

		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		memset(p + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += p[i];
		for (int i = 153; i >= 148; i--, sum >>= 3)
			p[i] = (uint8_t)('0' + (sum & 7));
		p[154] = '\0';
	}
}

static void as_image(const struct input *in)
{
	auto_free uint8_t *image = xmemdup(in->p, in->n);
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	uint32_t sum;

	if (in->n < EROFS_BLOCK)
		return;
	memset(image + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), 0, sizeof(sum));
	sum = htole32(
		erofs_crc32c(~0u, image + EROFS_SUPER_OFFSET, EROFS_BLOCK - EROFS_SUPER_OFFSET));
	memcpy(image + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), &sum,
	       sizeof(sum));
	if (fd_memfd("image", &fd, &e) == 0 && fd_write_full(fd, image, in->n, &e) == 0)
		merge(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = NULL;
	struct input in;

	if (size == 0)
		return 0;
	copy = xmemdup(data + 1, size - 1);
	in = (struct input){ copy, size - 1 };
	if ((data[0] & 1) == 0) {
		as_image(&in);
	} else {
		if ((data[0] & 2) != 0)
			fix_headers(copy, size - 1);
		as_layer(&in);
	}
	return 0;
}
