/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a libFuzzer target without libFuzzer: over every file of its corpus, and over a fixed number of
 * mutations of each (the same ones in every run). A crash or a sanitizer's report fails it.
 *
 * usage: replay_<target> CORPUS-FOLDER
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)
#define MUTATIONS 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state = 88172645463325252u;

/* xorshift64: the same sequence every time. */
static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Flips bits, overwrites with interesting values, cuts, and repeats parts. Returns the new size. */
static size_t mutate(uint8_t *p, size_t n)
{
	static const uint8_t edge[] = { 0, 1, 0x7f, 0x80, 0xff, '"', '{', '\\', '/' };

	for (uint64_t k = 1 + next_random() % 4; k && n; k--) {
		size_t at = next_random() % n, len = 1 + next_random() % 8;

		switch (next_random() % 4) {
		case 0:
			p[at] ^= (uint8_t)(1u << next_random() % 8);
			break;
		case 1:
			p[at] = edge[next_random() % sizeof(edge)];
			break;
		case 2:
			n = at ? at : n;
			break;
		default:
			if (at + 2 * len < n)
				memmove(p + at + len, p + at, len);
			break;
		}
	}
	return n;
}

/* The target gets a copy of exactly the input's size, so that a read past its end is found. */
static void run_one(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static int replay(const char *folder, const char *name)
{
	static uint8_t seed[INPUT_MAX], work[INPUT_MAX];
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rbe");
	if (!f) {
		perror(path);
		return -1;
	}
	n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	run_one(seed, n);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(work, seed, n);
		run_one(work, mutate(work, n));
	}
	printf("ok - replay %s\n", path);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **list;
	int n, failed = 0, files = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	n = scandir(argv[1], &list, NULL, alphasort);
	if (n < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			files++;
			if (replay(argv[1], list[i]->d_name) < 0)
				failed = 1;
		}
		free(list[i]);
	}
	free(list);
	if (!files)
		fprintf(stderr, "replay failed: '%s' is empty\n", argv[1]);
	return failed || !files;
}
