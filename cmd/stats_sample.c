/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/stats_sample.h"

#include "base/mem.h"
#include "cmd/human.h"

#define COUNT_MAX  ((int64_t)1 << 60)
#define TEXT_LIMIT 256
#define UNKNOWN	   "--"

static const struct json_field fields[] = {
	JSON_INT("cpu_ns", true, struct stats_counts, cpu_ns),
	JSON_INT("system_ns", true, struct stats_counts, system_ns),
	JSON_INT("cpus", false, struct stats_counts, cpus),
	JSON_INT("memory", true, struct stats_counts, memory),
	JSON_INT("inactive_file", false, struct stats_counts, inactive_file),
	JSON_INT("memory_limit", false, struct stats_counts, memory_limit),
	JSON_INT("memory_total", false, struct stats_counts, memory_total),
	JSON_INT("pids", false, struct stats_counts, pids),
	JSON_INT("read_bytes", false, struct stats_counts, read_bytes),
	JSON_INT("write_bytes", false, struct stats_counts, write_bytes),
	JSON_INT("rx_bytes", false, struct stats_counts, rx_bytes),
	JSON_INT("tx_bytes", false, struct stats_counts, tx_bytes),
	JSON_END,
};

int stats_counts_read(const struct json *document, struct stats_counts *ret, struct err *e)
{
	struct stats_counts c = { .cpus = 0 };
	int64_t *const all[] = { &c.cpu_ns,	   &c.system_ns,    &c.cpus,	     &c.memory,
				 &c.inactive_file, &c.memory_limit, &c.memory_total, &c.pids,
				 &c.read_bytes,	   &c.write_bytes,  &c.rx_bytes,     &c.tx_bytes };

	if (json_read(document, fields, &c, e) < 0)
		return err_wrap(e, "bad statistics");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (*all[i] < 0 || *all[i] > COUNT_MAX)
			*all[i] = 0;
	}
	*ret = c;
	return 0;
}

static double cpu_percent(const struct stats_row *row)
{
	double used = (double)(row->now.cpu_ns - row->before.cpu_ns);
	double passed = (double)(row->now.system_ns - row->before.system_ns);

	if (used <= 0 || passed <= 0)
		return 0;
	return used / passed * (double)row->now.cpus * 100;
}

/* Cache that can be given back any time is not counted. */
static int64_t memory_used(const struct stats_counts *c)
{
	return c->inactive_file < c->memory ? c->memory - c->inactive_file : c->memory;
}

static int64_t memory_limit(const struct stats_counts *c)
{
	return c->memory_limit > 0 ? c->memory_limit : c->memory_total;
}

static void write_percent(struct json_writer *w, const char *key, double percent)
{
	auto_str struct str text = STR_INIT(TEXT_LIMIT);

	str_addf(&text, "%.2f%%", percent);
	jw_str(w, key, text.buf);
}

static void write_pair(struct json_writer *w, const char *key, int64_t a, int64_t b,
		       void (*size)(struct str *, int64_t))
{
	auto_str struct str text = STR_INIT(TEXT_LIMIT);

	size(&text, a);
	str_add(&text, " / ");
	size(&text, b);
	jw_str(w, key, text.buf);
}

static void write_unknown(const struct stats_row *row, struct json_writer *w)
{
	jw_str(w, "BlockIO", UNKNOWN);
	jw_str(w, "CPUPerc", UNKNOWN);
	jw_str(w, "Container", row->container);
	jw_str(w, "ID", row->id);
	jw_str(w, "MemPerc", UNKNOWN);
	jw_str(w, "MemUsage", UNKNOWN " / " UNKNOWN);
	jw_str(w, "Name", row->name ? row->name : UNKNOWN);
	jw_str(w, "NetIO", UNKNOWN);
	jw_str(w, "PIDs", UNKNOWN);
}

/* The keys are sorted, as Docker's are. */
static void write_known(const struct stats_row *row, struct json_writer *w)
{
	const struct stats_counts *c = &row->now;
	int64_t used = memory_used(c), limit = memory_limit(c);
	auto_free char *pids = xasprintf("%lld", (long long)c->pids);

	write_pair(w, "BlockIO", c->read_bytes, c->write_bytes, human_size);
	write_percent(w, "CPUPerc", cpu_percent(row));
	jw_str(w, "Container", row->container);
	jw_str(w, "ID", row->id);
	write_percent(w, "MemPerc", limit > 0 ? (double)used / (double)limit * 100 : 0);
	write_pair(w, "MemUsage", used, limit, human_memory);
	jw_str(w, "Name", row->name ? row->name : UNKNOWN);
	write_pair(w, "NetIO", c->rx_bytes, c->tx_bytes, human_size);
	jw_str(w, "PIDs", pids);
}

void stats_row_write(const struct stats_row *row, struct json_writer *w)
{
	jw_begin_object(w, NULL);
	if (row->invalid)
		write_unknown(row, w);
	else
		write_known(row, w);
	jw_end(w);
}
