/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/finish.h"

#include <stdio.h>

#include "engine/finish.h"
#include "engine/paths.h"
#include "engine/store.h"

static int finish(const char *id, struct err *e)
{
	auto_paths struct paths paths = PATHS_INIT;
	auto_store struct store *store = NULL;

	if (paths_open(NULL, NULL, false, &paths, e) < 0 || store_open(&paths, &store, e) < 0)
		return -1;
	return container_finish(store, id, e);
}

int finish_main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2) {
		fprintf(stderr, "kvbox finish: takes the id of a container\n");
		return 1;
	}
	if (finish(argv[1], &e) < 0) {
		fprintf(stderr, "kvbox finish: %s\n", e.msg);
		return 1;
	}
	return 0;
}
