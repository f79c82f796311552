/* SPDX-License-Identifier: Apache-2.0 */
/* See qemu_plug.h. The table `steps` is all that a device goes through. */
#include "vmm/qemu_plug.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/acpi_hotplug.h"

/* Sets of descriptors below are those of the command line. */
#define FDSET_FIRST 16

enum step {
	FREE,
	DISK_FD,
	DISK_NODE,
	DISK_DEVICE,
	DISK_PRESENT,
	DISK_LEAVE,
	DISK_AWAIT,
	DISK_UNDO_NODE,
	DISK_UNDO_FD,
	NET_FD,
	NET_NODE,
	NET_DEVICE,
	NET_PRESENT,
	NET_LEAVE,
	NET_AWAIT,
	NET_UNDO_NODE,
	NET_UNDO_FD,
	STEP_COUNT,
};

/* ---- arguments ----------------------------------------------------------------------------------- */

struct context {
	struct qemu_plugs *plugs;
	struct qemu_plug *plug;
	struct qmp *qmp;
};

static void put_numbered(struct json_writer *w, const char *key, char letter, unsigned number)
{
	auto_str struct str text = STR_INIT(16);

	str_addf(&text, "%c%u", letter, number);
	jw_str(w, key, text.buf);
}

static void put_fdset(const struct context *c, struct json_writer *w)
{
	jw_int(w, "fdset-id", FDSET_FIRST + (int64_t)c->plug->number);
}

static void put_node(const struct context *c, struct json_writer *w)
{
	auto_str struct str path = STR_INIT(64);

	str_addf(&path, "/dev/fdset/%u", FDSET_FIRST + c->plug->number);
	put_numbered(w, "node-name", 'n', c->plug->number);
	jw_str(w, "driver", "raw");
	jw_bool(w, "read-only", c->plug->readonly);
	/* Blocks that the guest trims are freed in the file. */
	if (!c->plug->readonly)
		jw_str(w, "discard", "unmap");
	jw_begin_object(w, "file");
	jw_str(w, "driver", "file");
	jw_str(w, "filename", path.buf);
	jw_end(w);
}

static void put_node_name(const struct context *c, struct json_writer *w)
{
	put_numbered(w, "node-name", 'n', c->plug->number);
}

static void put_device(const struct context *c, const char *driver, struct json_writer *w)
{
	auto_str struct str addr = STR_INIT(16);

	str_addf(&addr, "%x", (unsigned)(c->plug - c->plugs->v) + ACPI_HOTPLUG_FIRST);
	jw_str(w, "driver", driver);
	put_numbered(w, "id", 'h', c->plug->number);
	jw_str(w, "bus", QEMU_HOTPLUG_BUS);
	jw_str(w, "addr", addr.buf);
	jw_str(w, "disable-legacy", "on");
}

static void put_disk(const struct context *c, struct json_writer *w)
{
	put_device(c, "virtio-blk-pci", w);
	put_numbered(w, "drive", 'n', c->plug->number);
	jw_str(w, "serial", c->plug->id);
	jw_int(w, "num-queues", 1);
	/* As for the first disks: the guest hears of errors, the VM goes on. */
	if (!c->plug->readonly) {
		jw_str(w, "werror", "report");
		jw_str(w, "rerror", "report");
	}
}

static void put_fd_name(const struct context *c, struct json_writer *w)
{
	put_numbered(w, "fdname", 'f', c->plug->number);
}

static void put_netdev(const struct context *c, struct json_writer *w)
{
	jw_str(w, "type", "tap");
	put_numbered(w, "id", 'n', c->plug->number);
	put_numbered(w, "fd", 'f', c->plug->number);
}

static void put_netdev_id(const struct context *c, struct json_writer *w)
{
	put_numbered(w, "id", 'n', c->plug->number);
}

static void put_net(const struct context *c, struct json_writer *w)
{
	auto_str struct str mac = STR_INIT(32);

	qemu_mac(c->plug->mac, &mac);
	put_device(c, "virtio-net-pci", w);
	put_numbered(w, "netdev", 'n', c->plug->number);
	jw_str(w, "mac", mac.buf);
	jw_str(w, "romfile", "");
}

static void put_id(const struct context *c, struct json_writer *w)
{
	put_numbered(w, "id", 'h', c->plug->number);
}

/* ---- steps --------------------------------------------------------------------------------------- */

struct step_info {
	const char *command; /* NULL: nothing is on its way */
	void (*arguments)(const struct context *c, struct json_writer *w);
	enum step ok, error; /* what follows the answer */
	enum step gone;	     /* what follows when the device is gone; FREE: not now */
	bool answers;	     /* the caller's request has come to its end */
};

static const struct step_info steps[STEP_COUNT] = {
	[FREE] = { .answers = true },

	[DISK_FD] = { "add-fd", put_fdset, DISK_NODE, FREE, FREE, false },
	[DISK_NODE] = { "blockdev-add", put_node, DISK_DEVICE, DISK_UNDO_FD, FREE, false },
	[DISK_DEVICE] = { "device_add", put_disk, DISK_PRESENT, DISK_UNDO_NODE, FREE, false },
	[DISK_PRESENT] = { .gone = DISK_UNDO_NODE, .answers = true },
	[DISK_LEAVE] = { "device_del", put_id, DISK_AWAIT, DISK_PRESENT, FREE, false },
	[DISK_AWAIT] = { .error = DISK_PRESENT, .gone = DISK_UNDO_NODE },
	[DISK_UNDO_NODE] = { "blockdev-del", put_node_name, DISK_UNDO_FD, DISK_UNDO_FD, FREE,
			     false },
	[DISK_UNDO_FD] = { "remove-fd", put_fdset, FREE, FREE, FREE, false },

	[NET_FD] = { "getfd", put_fd_name, NET_NODE, FREE, FREE, false },
	[NET_NODE] = { "netdev_add", put_netdev, NET_DEVICE, NET_UNDO_FD, FREE, false },
	[NET_DEVICE] = { "device_add", put_net, NET_PRESENT, NET_UNDO_NODE, FREE, false },
	[NET_PRESENT] = { .gone = NET_UNDO_NODE, .answers = true },
	[NET_LEAVE] = { "device_del", put_id, NET_AWAIT, NET_PRESENT, FREE, false },
	[NET_AWAIT] = { .error = NET_PRESENT, .gone = NET_UNDO_NODE },
	/* The descriptor went to the netdev, and goes with it. */
	[NET_UNDO_NODE] = { "netdev_del", put_netdev_id, FREE, FREE, FREE, false },
	[NET_UNDO_FD] = { "closefd", put_fd_name, FREE, FREE, FREE, false },
};

/* Sends the command of the plug's step; with a descriptor, or -1. */
static int send_step(const struct context *c, int fd, struct err *e)
{
	const struct step_info *s = &steps[c->plug->step];
	auto_str struct str arguments = STR_INIT(QMP_LINE_MAX);
	struct json_writer w;

	jw_init(&w, &arguments, 0);
	jw_begin_object(&w, NULL);
	s->arguments(c, &w);
	jw_end(&w);
	if (fd >= 0)
		return qmp_send_fd(c->qmp, s->command, arguments.buf, fd, &c->plug->pending, e);
	return qmp_send(c->qmp, s->command, arguments.buf, &c->plug->pending, e);
}

static void fail(struct qemu_plug *p, const char *why)
{
	/* What goes wrong while it is undone matters less. */
	if (p->failed)
		return;
	p->failed = true;
	strncat(p->why, why, sizeof(p->why) - 1);
}

static enum qemu_step answer(struct qemu_plug *p, struct vmm_event *ret)
{
	if (p->request == 0)
		return QEMU_NOTHING;
	*ret = (struct vmm_event){ .kind = VMM_EVENT_DONE,
				   .request = (unsigned)p->request,
				   .failed = p->failed };
	qemu_set_text(ret, p->why);
	p->request = 0;
	p->failed = false;
	p->why[0] = '\0';
	return QEMU_REPORT;
}

/* Goes to a step, and on to what follows from what is known already. */
static int enter(const struct context *c, enum step step, enum qemu_step *report,
		 struct vmm_event *ret, struct err *e)
{
	struct qemu_plug *p = c->plug;

	p->step = (unsigned char)step;
	if (p->refused && !steps[step].command && steps[step].error != FREE) {
		fail(p, "the guest does not let go of the device");
		p->step = (unsigned char)steps[step].error;
	}
	if (steps[p->step].answers) {
		p->refused = false;
		*report = answer(p, ret);
	}
	if (p->gone && steps[p->step].gone != FREE) {
		p->gone = false;
		p->step = (unsigned char)steps[p->step].gone;
	}
	if (p->step == FREE)
		*p = (struct qemu_plug){ .step = FREE };
	return steps[p->step].command ? send_step(c, -1, e) : 0;
}

/* ---- requests ------------------------------------------------------------------------------------ */

void qemu_plugs_init(struct qemu_plugs *plugs, const struct vmm_spec *spec)
{
	*plugs = (struct qemu_plugs){ .room = spec->hotplug };
	for (size_t i = 0; i < spec->ndisks; i++)
		strv_add(&plugs->first, spec->disks[i].serial);
	for (size_t i = 0; i < spec->nnets; i++)
		strv_add(&plugs->first, spec->nets[i].id);
}

void qemu_plugs_release(struct qemu_plugs *plugs)
{
	strv_release(&plugs->first);
}

bool qemu_plugs_any(const struct qemu_plugs *plugs)
{
	for (size_t i = 0; i < plugs->room; i++)
		if (plugs->v[i].step != FREE)
			return true;
	return false;
}

static struct qemu_plug *find(struct qemu_plugs *plugs, const char *id)
{
	for (size_t i = 0; i < plugs->room; i++)
		if (plugs->v[i].step != FREE && strcmp(plugs->v[i].id, id) == 0)
			return &plugs->v[i];
	return NULL;
}

/* A free slot for the device; NULL: see `e`. */
static struct qemu_plug *reserve(struct qemu_plugs *plugs, const char *id, struct err *e)
{
	if (find(plugs, id) || strv_has(&plugs->first, id)) {
		err_set(e, ERR_CONFLICT, "the VM has a device '%s' already", id);
		return NULL;
	}
	for (size_t i = 0; i < plugs->room; i++) {
		struct qemu_plug *p = &plugs->v[i];

		if (p->step != FREE)
			continue;
		*p = (struct qemu_plug){ .number = plugs->last_number + 1 };
		strncat(p->id, id, sizeof(p->id) - 1);
		return p;
	}
	err_set(e, ERR_INVALID, "the VM has no room for another device");
	return NULL;
}

/* The first step of a request, which may carry a descriptor. */
static int begin(const struct context *c, enum step step, int fd, struct err *e)
{
	enum step before = c->plug->step;

	c->plug->step = (unsigned char)step;
	if (send_step(c, fd, e) < 0) {
		c->plug->step = (unsigned char)before;
		return -1;
	}
	c->plug->request = c->plug->pending;
	return (int)c->plug->request;
}

int qemu_plug_disk(struct qemu_plugs *plugs, struct qmp *qmp, const struct vmm_disk *disk,
		   struct err *e)
{
	struct context c = { plugs, reserve(plugs, disk->serial, e), qmp };
	auto_close int fd = -1;
	int request;

	/* QEMU wants it as it will use it. */
	if (!c.plug || fd_open(AT_FDCWD, disk->files[0].path, disk->readonly ? O_RDONLY : O_RDWR, 0,
			       &fd, e) < 0)
		return -1;
	c.plug->readonly = disk->readonly;
	request = begin(&c, DISK_FD, fd, e);
	if (request > 0)
		plugs->last_number++;
	return request;
}

int qemu_plug_net(struct qemu_plugs *plugs, struct qmp *qmp, const struct vmm_net *net,
		  struct err *e)
{
	struct context c = { plugs, reserve(plugs, net->id, e), qmp };
	int request;

	if (!c.plug)
		return -1;
	memcpy(c.plug->mac, net->mac, sizeof(c.plug->mac));
	request = begin(&c, NET_FD, net->tap_fd, e);
	if (request > 0)
		plugs->last_number++;
	return request;
}

int qemu_unplug(struct qemu_plugs *plugs, struct qmp *qmp, const char *id, struct err *e)
{
	struct context c = { plugs, find(plugs, id), qmp };

	if (!c.plug)
		return err_set(e, ERR_NOT_FOUND, "no device '%s' was added to the VM", id);
	switch (c.plug->step) {
	case DISK_PRESENT:
		return begin(&c, DISK_LEAVE, -1, e);
	case NET_PRESENT:
		return begin(&c, NET_LEAVE, -1, e);
	default:
		return err_set(e, ERR_CONFLICT, "device '%s' is being added or removed", id);
	}
}

/* ---- messages ------------------------------------------------------------------------------------ */

/* The plug of an event's device, which is called "h<number>". */
static struct qemu_plug *find_device(struct qemu_plugs *plugs, const struct qmp_message *m)
{
	const char *device = json_str(json_get(m->data, "device"));

	for (size_t i = 0; device && i < plugs->room; i++) {
		auto_str struct str name = STR_INIT(16);

		str_addf(&name, "h%u", plugs->v[i].number);
		if (plugs->v[i].step != FREE && strcmp(name.buf, device) == 0)
			return &plugs->v[i];
	}
	return NULL;
}

static int take_event(struct context *c, const struct qmp_message *m, enum qemu_step *report,
		      struct vmm_event *ret, struct err *e)
{
	bool gone = strcmp(m->name, "DEVICE_DELETED") == 0;

	if (!gone && strcmp(m->name, "DEVICE_UNPLUG_GUEST_ERROR") != 0)
		return 0;
	c->plug = find_device(c->plugs, m);
	if (!c->plug)
		return 0;
	if (gone)
		c->plug->gone = true;
	else
		c->plug->refused = c->plug->request != 0;
	/* What is on its way is finished first. */
	if (!steps[c->plug->step].command && enter(c, (enum step)c->plug->step, report, ret, e) < 0)
		return -1;
	return 1;
}

static int take_answer(struct context *c, const struct qmp_message *m, enum qemu_step *report,
		       struct vmm_event *ret, struct err *e)
{
	const struct step_info *s;

	for (size_t i = 0; m->id > 0 && i < c->plugs->room && !c->plug; i++)
		if (c->plugs->v[i].pending == m->id)
			c->plug = &c->plugs->v[i];
	if (!c->plug)
		return 0;
	c->plug->pending = 0;
	s = &steps[c->plug->step];
	if (m->kind == QMP_ERROR)
		fail(c->plug, m->name);
	if (enter(c, m->kind == QMP_ERROR ? s->error : s->ok, report, ret, e) < 0)
		return -1;
	return 1;
}

int qemu_plugs_message(struct qemu_plugs *plugs, struct qmp *qmp, const struct qmp_message *m,
		       enum qemu_step *step, struct vmm_event *ret, struct err *e)
{
	struct context c = { plugs, NULL, qmp };

	*step = QEMU_NOTHING;
	switch (m->kind) {
	case QMP_EVENT:
		return take_event(&c, m, step, ret, e);
	case QMP_REPLY:
	case QMP_ERROR:
		return take_answer(&c, m, step, ret, e);
	case QMP_GREETING:
	case QMP_KIND_COUNT:
		break;
	}
	return 0;
}
