/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `stats` shows of one container: the agent's counts (docs/protocol.md, container.stats) and Docker's
 * figures made of them. Pure.
 */
#ifndef KVBOX_CMD_STATS_SAMPLE_H
#define KVBOX_CMD_STATS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* All zero for a container that does not run. */
struct stats_counts {
	int64_t cpu_ns, system_ns, cpus;
	int64_t memory, inactive_file, memory_limit, memory_total;
	int64_t pids;
	int64_t read_bytes, write_bytes;
	int64_t rx_bytes, tx_bytes;
};
/* The document is the guest's word: numbers out of range count as 0. */
int stats_counts_read(const struct json *document, struct stats_counts *ret,
		      struct err *e) MUST_CHECK;

/* One row. */
struct stats_row {
	const char *container; /* as it was asked for */
	const char *name;      /* NULL: not known */
	const char *id;
	bool invalid; /* nothing is known now: dashes */
	struct stats_counts before, now;
};

/* A row of Docker's fields: "CPUPerc", "MemUsage", ... */
void stats_row_write(const struct stats_row *row, struct json_writer *w);

#endif
