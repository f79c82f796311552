/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS as it is on disk, as far as kvbox writes it: 4 KiB blocks, no compression, extended inodes
 * only. All numbers are little-endian.
 *
 * A layer image is: block 0 (superblock at 1024), the data of regular files, each from a block of
 * its own and contiguous (flat plain), then the metadata area: inodes with their xattrs, with the
 * targets of symbolic links and with the last part of folders behind them (flat inline), and at the
 * end the full blocks of larger folders. A chain image is block 0 with the device table behind the
 * superblock and the metadata area behind that; its regular files are chunk-based, one chunk a
 * file, and point into the devices.
 */
#ifndef KVBOX_ENGINE_EROFS_H
#define KVBOX_ENGINE_EROFS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>

#define EROFS_MAGIC	   0xe0f5e1e2u
#define EROFS_SUPER_OFFSET 1024
#define EROFS_BLOCK_BITS   12
#define EROFS_BLOCK	   (1u << EROFS_BLOCK_BITS)

#define EROFS_COMPAT_CHECKSUM	    0x1u
#define EROFS_COMPAT_MTIME	    0x2u
#define EROFS_INCOMPAT_CHUNKED_FILE 0x4u
#define EROFS_INCOMPAT_DEVICE_TABLE 0x8u

struct erofs_super {
	uint32_t magic;
	uint32_t checksum; /* crc32c from here to the end of block 0, this field as zero */
	uint32_t feature_compat;
	uint8_t block_bits;
	uint8_t ext_slots;
	uint16_t root_nid;
	uint64_t inodes;
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t meta_block; /* inode `nid` is at meta_block * 4096 + nid * 32 */
	uint32_t xattr_block;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t compression;
	uint16_t extra_devices;
	uint16_t device_slot; /* the device table is at this times 128 */
	uint8_t dir_block_bits;
	uint8_t reserved[37];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_super) == 128, "superblock size");

#define EROFS_NID_BITS 5
#define EROFS_NID      (1u << EROFS_NID_BITS)

/* i_format: bit 0 is set for an extended inode, bits 1 to 3 are the layout. */
#define EROFS_FORMAT(layout) (1u | (layout) << 1)
enum erofs_layout {
	EROFS_FLAT_PLAIN = 0,
	EROFS_FLAT_INLINE = 2,
	EROFS_CHUNK_BASED = 4,
};

struct erofs_inode {
	uint16_t format;
	uint16_t xattr_count; /* 0, or 1 + (bytes of the entries) / 4 */
	uint16_t mode;
	uint16_t reserved;
	uint64_t size;
	uint32_t data; /* first block; rdev; chunk format */
	uint32_t ino;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t nlink;
	uint8_t reserved2[16];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_inode) == 64, "inode size");

#define EROFS_CHUNK_INDEXES 0x20u

struct erofs_chunk {
	uint16_t block_high;
	uint16_t device; /* 0: this one, else index into the device table plus 1 */
	uint32_t block;
} __attribute__((packed));

struct erofs_device {
	uint8_t tag[64];
	uint32_t blocks;
	uint32_t mapped_block; /* where it begins when all are joined into one */
	uint8_t reserved[56];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_device) == 128, "device slot size");

/* Between inode and xattr entries, when there are any. */
#define EROFS_XATTR_HEADER 12

struct erofs_xattr {
	uint8_t name_len; /* of the name without the prefix that `index` stands for */
	uint8_t index;
	uint16_t value_size;
} __attribute__((packed));

enum erofs_xattr_index {
	EROFS_XATTR_USER = 1,
	EROFS_XATTR_ACL_ACCESS = 2,
	EROFS_XATTR_ACL_DEFAULT = 3,
	EROFS_XATTR_TRUSTED = 4,
	EROFS_XATTR_SECURITY = 6,
};

struct erofs_dirent {
	uint64_t nid;
	uint16_t name_offset; /* within the block; of the first entry: 12 * number of entries */
	uint8_t type;
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "folder entry size");

enum erofs_type {
	EROFS_TYPE_REG = 1,
	EROFS_TYPE_DIR = 2,
	EROFS_TYPE_CHR = 3,
	EROFS_TYPE_BLK = 4,
	EROFS_TYPE_FIFO = 5,
	EROFS_TYPE_SOCK = 6,
	EROFS_TYPE_LNK = 7,
};

#define EROFS_NAME_MAX 255

/* Names of the marks in layer images, without the prefix "trusted." */
#define EROFS_MARK_IMPLIED "kvbox.implied"
#define EROFS_MARK_LINK	   "kvbox.link"
#define EROFS_MARK_OPAQUE  "overlay.opaque"

static inline uint64_t erofs_blocks(uint64_t bytes)
{
	return (bytes + EROFS_BLOCK - 1) >> EROFS_BLOCK_BITS;
}

/* The directory entry type of a mode; 0 for none. */
uint8_t erofs_type_of(uint16_t mode);

/* CRC-32C as EROFS wants it: seed ~0, no final inversion. */
uint32_t erofs_crc32c(uint32_t seed, const void *p, size_t n);

/* A device number as it is in an inode: 12 bits of major, 20 of minor. */
uint32_t erofs_rdev(uint32_t major, uint32_t minor);

/* A version 8 UUID out of the first 32 hex digits of a digest. */
void erofs_uuid(const char *hex, uint8_t ret[16]);

#endif
