/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/erofs.h"

#include <sys/stat.h>

uint8_t erofs_type_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_TYPE_REG;
	case S_IFDIR:
		return EROFS_TYPE_DIR;
	case S_IFCHR:
		return EROFS_TYPE_CHR;
	case S_IFBLK:
		return EROFS_TYPE_BLK;
	case S_IFIFO:
		return EROFS_TYPE_FIFO;
	case S_IFSOCK:
		return EROFS_TYPE_SOCK;
	case S_IFLNK:
		return EROFS_TYPE_LNK;
	default:
		return 0;
	}
}

/* Bit by bit: it is computed once an image, over 3 KiB. */
uint32_t erofs_crc32c(uint32_t seed, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t crc = seed;

	while (n--) {
		crc ^= *b++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

uint32_t erofs_rdev(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

void erofs_uuid(const char *hex, uint8_t ret[16])
{
	for (size_t i = 0; i < 32; i++) {
		unsigned int c = (unsigned char)hex[i];
		unsigned int v = c <= '9' ? c - '0' : c - 'a' + 10;

		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | v);
	}
	ret[6] = (ret[6] & 0x0f) | 0x80;
	ret[8] = (ret[8] & 0x3f) | 0x80;
}
