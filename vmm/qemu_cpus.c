/* SPDX-License-Identifier: Apache-2.0 */
/* See qemu_cpus.h. */
#include "vmm/qemu_cpus.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum cpu_state { CPU_ABSENT, CPU_COMING, CPU_PRESENT, CPU_LEAVING };

void qemu_cpus_init(struct qemu_cpus *cpus, const struct vmm_spec *spec)
{
	unsigned max = spec->vcpus_max > spec->vcpus ? spec->vcpus_max : spec->vcpus;

	*cpus = (struct qemu_cpus){ .first = spec->vcpus, .max = max };
}

bool qemu_cpus_any(const struct qemu_cpus *cpus)
{
	for (unsigned i = cpus->first; i < cpus->max; i++)
		if (cpus->v[i].state != CPU_ABSENT || cpus->v[i].pending)
			return true;
	return false;
}

/* One socket with `max` cores: see add_processors of the command line. */
static int add_cpu(struct qemu_cpus *cpus, struct qmp *qmp, unsigned i, struct err *e)
{
	auto_str struct str arguments = STR_INIT(256);

	str_addf(&arguments,
		 "{\"driver\":\"host-x86_64-cpu\",\"id\":\"cpu%u\",\"socket-id\":0,"
		 "\"core-id\":%u,\"thread-id\":0}",
		 i, i);
	cpus->v[i].state = CPU_COMING;
	cpus->v[i].again = false;
	return qmp_send(qmp, "device_add", arguments.buf, &cpus->v[i].pending, e);
}

static int remove_cpu(struct qemu_cpus *cpus, struct qmp *qmp, unsigned i, struct err *e)
{
	auto_str struct str arguments = STR_INIT(64);

	str_addf(&arguments, "{\"id\":\"cpu%u\"}", i);
	cpus->v[i].state = CPU_LEAVING;
	cpus->v[i].drop = false;
	return qmp_send(qmp, "device_del", arguments.buf, &cpus->v[i].pending, e);
}

/* Sends what it takes for one processor to be there, or not; 1 when that was a command. */
static int change(struct qemu_cpus *cpus, struct qmp *qmp, unsigned i, bool wanted, struct err *e)
{
	struct qemu_cpu *c = &cpus->v[i];
	int r;

	c->again = wanted && c->state == CPU_LEAVING;
	c->drop = !wanted && c->state == CPU_COMING;
	if (c->pending == 0 && wanted && c->state == CPU_ABSENT)
		r = add_cpu(cpus, qmp, i, e);
	else if (c->pending == 0 && !wanted && c->state == CPU_PRESENT)
		r = remove_cpu(cpus, qmp, i, e);
	else
		return 0;
	c->counts = true;
	return r < 0 ? -1 : 1;
}

int qemu_cpus_resize(struct qemu_cpus *cpus, struct qmp *qmp, unsigned n, struct err *e)
{
	int64_t first = 0;

	if (cpus->request)
		return err_set(e, ERR_CONFLICT, "the VM's processors are being changed");
	/* Something that is always answered, also when there is nothing to do: its number is the request's. */
	if (qmp_send(qmp, "query-status", NULL, &first, e) < 0)
		return -1;
	cpus->request = first;
	cpus->unanswered = 1;
	cpus->failed = false;
	cpus->why[0] = '\0';
	for (unsigned i = cpus->first; i < cpus->max; i++) {
		int sent = change(cpus, qmp, i, i < n, e);

		if (sent < 0)
			return -1;
		cpus->unanswered += (unsigned)sent;
	}
	return (int)first;
}

/* ---- messages ------------------------------------------------------------------------------------ */

static int settle(struct qemu_cpus *cpus, struct qmp *qmp, unsigned i, struct err *e)
{
	const struct qemu_cpu *c = &cpus->v[i];

	if (c->pending == 0 && c->state == CPU_ABSENT && c->again)
		return add_cpu(cpus, qmp, i, e);
	if (c->pending == 0 && c->state == CPU_PRESENT && c->drop)
		return remove_cpu(cpus, qmp, i, e);
	return 0;
}

static int take_event(struct qemu_cpus *cpus, struct qmp *qmp, const struct qmp_message *m,
		      struct err *e)
{
	const char *device = json_str(json_get(m->data, "device"));
	bool gone = strcmp(m->name, "DEVICE_DELETED") == 0;

	if (!device || (!gone && strcmp(m->name, "DEVICE_UNPLUG_GUEST_ERROR") != 0))
		return 0;
	for (unsigned i = cpus->first; i < cpus->max; i++) {
		struct qemu_cpu *c = &cpus->v[i];
		auto_str struct str name = STR_INIT(16);

		str_addf(&name, "cpu%u", i);
		if (strcmp(name.buf, device) != 0)
			continue;
		if (gone)
			c->state = CPU_ABSENT;
		else if (c->state == CPU_LEAVING)
			c->state = CPU_PRESENT;
		return settle(cpus, qmp, i, e) < 0 ? -1 : 1;
	}
	return 0;
}

/* One of the request's commands was answered. */
static enum qemu_step count(struct qemu_cpus *cpus, const struct qmp_message *m,
			    struct vmm_event *ret)
{
	if (m->kind == QMP_ERROR && !cpus->failed) {
		cpus->failed = true;
		strncat(cpus->why, m->name, sizeof(cpus->why) - 1);
	}
	if (--cpus->unanswered > 0)
		return QEMU_NOTHING;
	*ret = (struct vmm_event){ .kind = VMM_EVENT_DONE,
				   .request = (unsigned)cpus->request,
				   .failed = cpus->failed };
	qemu_set_text(ret, cpus->why);
	cpus->request = 0;
	return QEMU_REPORT;
}

static void take_result(struct qemu_cpu *c, bool ok)
{
	c->pending = 0;
	if (c->state == CPU_COMING)
		c->state = ok ? CPU_PRESENT : CPU_ABSENT;
	else if (c->state == CPU_LEAVING && !ok)
		c->state = CPU_PRESENT;
}

static int take_answer(struct qemu_cpus *cpus, struct qmp *qmp, const struct qmp_message *m,
		       enum qemu_step *step, struct vmm_event *ret, struct err *e)
{
	if (m->id <= 0)
		return 0;
	if (m->id == cpus->request) {
		*step = count(cpus, m, ret);
		return 1;
	}
	for (unsigned i = cpus->first; i < cpus->max; i++) {
		struct qemu_cpu *c = &cpus->v[i];

		if (c->pending != m->id)
			continue;
		take_result(c, m->kind == QMP_REPLY);
		if (c->counts && cpus->request)
			*step = count(cpus, m, ret);
		c->counts = false;
		return settle(cpus, qmp, i, e) < 0 ? -1 : 1;
	}
	return 0;
}

int qemu_cpus_message(struct qemu_cpus *cpus, struct qmp *qmp, const struct qmp_message *m,
		      enum qemu_step *step, struct vmm_event *ret, struct err *e)
{
	*step = QEMU_NOTHING;
	switch (m->kind) {
	case QMP_EVENT:
		return take_event(cpus, qmp, m, e);
	case QMP_REPLY:
	case QMP_ERROR:
		return take_answer(cpus, qmp, m, step, ret, e);
	case QMP_GREETING:
	case QMP_KIND_COUNT:
		break;
	}
	return 0;
}
