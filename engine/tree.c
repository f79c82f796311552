/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tree.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"

_Static_assert(sizeof(struct tree_inode) + sizeof(struct tree_name) + 2 * sizeof(uint32_t) <= 128,
	       "an entry takes more than it is promised to");

void tree_init(struct tree *t)
{
	struct tree_inode *root;

	memset(t, 0, sizeof(*t));
	t->inodes_cap = t->names_cap = 64;
	t->nbuckets = 64;
	t->text_cap = 4096;
	t->inodes = xcalloc(t->inodes_cap, sizeof(*t->inodes));
	t->names = xcalloc(t->names_cap, sizeof(*t->names));
	t->buckets = xcalloc(t->nbuckets, sizeof(*t->buckets));
	t->text = xcalloc(t->text_cap, 1);
	t->ninodes = t->inodes_live = 1;
	t->nnames = 1;
	t->text_len = 4;
	/* Names come from outside: without a secret they could be chosen to collide. */
	random_bytes(&t->seed, sizeof(t->seed));
	root = &t->inodes[TREE_ROOT];
	root->mode = S_IFDIR | 0755;
	root->flags = TREE_IMPLIED;
	root->parent = TREE_ROOT;
}

void tree_release(struct tree *t)
{
	free(t->inodes);
	free(t->names);
	free(t->buckets);
	free(t->text);
	memset(t, 0, sizeof(*t));
}

static uint32_t bucket_of(const struct tree *t, uint32_t folder, const char *name, size_t len)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = (t->seed ^ folder) * k ^ len;

	h ^= h >> 32;
	while (len > 0) {
		size_t n = len < 8 ? len : 8;
		uint64_t w = 0;

		memcpy(&w, name, n);
		h = (h ^ w) * k;
		h ^= h >> 32;
		name += n;
		len -= n;
	}
	return (uint32_t)(h * k >> 32) & (t->nbuckets - 1);
}

uint32_t tree_find(const struct tree *t, uint32_t folder, const char *name, size_t len)
{
	uint32_t i = t->buckets[bucket_of(t, folder, name, len)];

	while (i != 0) {
		const struct tree_name *n = &t->names[i];

		if (n->folder == folder && n->len == len && !memcmp(t->text + n->text, name, len))
			return i;
		i = n->hash_next;
	}
	return 0;
}

/* A larger capacity of an array of indexes below `max`. */
static uint32_t grown(uint32_t cap, uint32_t max)
{
	return cap >= max / 2 ? max : cap * 2;
}

int tree_inode_new(struct tree *t, uint16_t mode, uint32_t *ret, struct err *e)
{
	const uint32_t max = TREE_ENTRIES_MAX + 1;
	uint32_t i;

	if (t->inodes_free != 0) {
		i = t->inodes_free;
		t->inodes_free = t->inodes[i].next_free;
	} else {
		if (t->ninodes == max)
			return err_set(e, ERR_INVALID, "more than %u files", TREE_ENTRIES_MAX);
		if (t->ninodes == t->inodes_cap) {
			t->inodes_cap = grown(t->inodes_cap, max);
			t->inodes = xreallocarray(t->inodes, t->inodes_cap, sizeof(*t->inodes));
		}
		i = t->ninodes++;
	}
	memset(&t->inodes[i], 0, sizeof(t->inodes[i]));
	t->inodes[i].mode = mode;
	t->inodes_live++;
	*ret = i;
	return 0;
}

static void inode_free(struct tree *t, uint32_t i)
{
	t->inodes[i].mode = 0;
	t->inodes[i].next_free = t->inodes_free;
	t->inodes_free = i;
	t->inodes_live--;
}

static void hash_insert(struct tree *t, uint32_t i)
{
	struct tree_name *n = &t->names[i];
	uint32_t *bucket = &t->buckets[bucket_of(t, n->folder, t->text + n->text, n->len)];

	n->hash_next = *bucket;
	*bucket = i;
}

static void hash_remove(struct tree *t, uint32_t i)
{
	const struct tree_name *n = &t->names[i];
	uint32_t *p = &t->buckets[bucket_of(t, n->folder, t->text + n->text, n->len)];

	while (*p != i)
		p = &t->names[*p].hash_next;
	*p = n->hash_next;
}

static void hash_grow(struct tree *t)
{
	t->nbuckets *= 2;
	free(t->buckets);
	t->buckets = xcalloc(t->nbuckets, sizeof(*t->buckets));
	/* Free names have no length. */
	for (uint32_t i = 1; i < t->nnames; i++)
		if (t->names[i].len > 0)
			hash_insert(t, i);
}

static int name_new(struct tree *t, uint32_t *ret, struct err *e)
{
	const uint32_t max = TREE_ENTRIES_MAX + 1;

	if (t->names_free != 0) {
		*ret = t->names_free;
		t->names_free = t->names[*ret].next;
	} else {
		if (t->nnames == max)
			return err_set(e, ERR_INVALID, "more than %u entries", TREE_ENTRIES_MAX);
		if (t->nnames == t->names_cap) {
			t->names_cap = grown(t->names_cap, max);
			t->names = xreallocarray(t->names, t->names_cap, sizeof(*t->names));
		}
		*ret = t->nnames++;
	}
	t->names_live++;
	return 0;
}

int tree_link(struct tree *t, uint32_t folder, const char *name, size_t len, uint32_t inode,
	      struct err *e)
{
	struct tree_inode *dir, *in;
	struct tree_name *n;
	uint32_t i = 0, text = 0;

	if (tree_text_add(t, name, len, &text, e) < 0 || name_new(t, &i, e) < 0)
		return -1;
	dir = &t->inodes[folder];
	in = &t->inodes[inode];
	n = &t->names[i];
	*n = (struct tree_name){ .inode = inode,
				 .folder = folder,
				 .text = text,
				 .next = dir->first,
				 .len = (uint8_t)len };
	if (dir->first != 0)
		t->names[dir->first].prev = i;
	dir->first = i;
	in->nlink++;
	if (S_ISDIR(in->mode))
		in->parent = folder;
	hash_insert(t, i);
	if (t->names_live > t->nbuckets)
		hash_grow(t);
	return 0;
}

/* Takes the name out of its folder's list. */
static void unlist(struct tree *t, uint32_t i)
{
	struct tree_name *n = &t->names[i];

	if (n->next != 0)
		t->names[n->next].prev = n->prev;
	if (n->prev != 0)
		t->names[n->prev].next = n->next;
	else
		t->inodes[n->folder].first = n->next;
	n->next = 0;
}

void tree_remove(struct tree *t, uint32_t name)
{
	uint32_t work = name;

	unlist(t, name);
	/* Trees can be deeper than a stack: what is to be removed is a list through `next`. */
	while (work != 0) {
		uint32_t i = work, inode = t->names[i].inode, last;

		work = t->names[i].next;
		if (tree_is_folder(t, inode) && t->inodes[inode].first != 0) {
			last = t->inodes[inode].first;
			while (t->names[last].next != 0)
				last = t->names[last].next;
			t->names[last].next = work;
			work = t->inodes[inode].first;
		}
		hash_remove(t, i);
		t->names[i].len = 0;
		t->names[i].next = t->names_free;
		t->names_free = i;
		t->names_live--;
		if (--t->inodes[inode].nlink == 0)
			inode_free(t, inode);
	}
}

int tree_text_add(struct tree *t, const void *p, size_t n, uint32_t *ret, struct err *e)
{
	if (n > TREE_TEXT_MAX - t->text_len)
		return err_set(e, ERR_INVALID,
			       "names, links and extended attributes take more than %u MiB",
			       TREE_TEXT_MAX >> 20);
	if (n > t->text_cap - t->text_len) {
		while (n > t->text_cap - t->text_len)
			t->text_cap = grown(t->text_cap, TREE_TEXT_MAX);
		t->text = xreallocarray(t->text, t->text_cap, 1);
	}
	memcpy(t->text + t->text_len, p, n);
	*ret = t->text_len;
	t->text_len += (uint32_t)n;
	return 0;
}

int tree_set_xattrs(struct tree *t, uint32_t inode, const void *entries, size_t n, struct err *e)
{
	uint32_t len = (uint32_t)n, at, unused;

	if (n == 0) {
		t->inodes[inode].xattrs = 0;
		return 0;
	}
	if (tree_text_add(t, &len, sizeof(len), &at, e) < 0 ||
	    tree_text_add(t, entries, n, &unused, e) < 0)
		return -1;
	t->inodes[inode].xattrs = at;
	return 0;
}

const char *tree_xattrs(const struct tree *t, uint32_t inode, size_t *ret_len)
{
	uint32_t at = t->inodes[inode].xattrs, len;

	*ret_len = 0;
	if (at == 0)
		return NULL;
	memcpy(&len, t->text + at, sizeof(len));
	*ret_len = len;
	return t->text + at + sizeof(len);
}
