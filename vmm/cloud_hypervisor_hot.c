/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that come and go, and another size, while Cloud Hypervisor's guest runs.
 *
 * To add is one request. To remove takes three steps: the request, whose answer says only that the guest was
 * asked; the event of the VMM's monitor that says that the guest has let go; and, since that event is sent
 * a moment before files and taps are closed, one more request that the VMM cannot answer before it has closed
 * them (it is under the same lock). Answer and event come in any order, over two descriptors.
 *
 * What was added is in a table: so a disk of the first ones cannot be removed by its name, there is an end to
 * how many there are, and a file that is shown to a locked-up VMM is shown as long as it is one of its disks.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "vmm/cloud_hypervisor_priv.h"
#include "vmm/confine.h"

#define BODY_MAX      16384
#define VMEM_STEP_MIB 2u /* blocks of its virtio-mem device */

static int send_request(struct vmm *vmm, const struct api_call *call, unsigned *ret, struct err *e)
{
	struct cloud_hypervisor *c = vmm->priv;

	return api_send(&c->api, call, ret, e);
}

/* ---- the table ----------------------------------------------------------------------------------- */

static struct ch_device *find_device(struct cloud_hypervisor *c, const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(c->devices); i++)
		if (c->devices[i].id[0] && strcmp(c->devices[i].id, id) == 0)
			return &c->devices[i];
	return NULL;
}

/* A slot for the device, which is not taken before its id is written. */
static int find_room(struct vmm *vmm, const char *id, struct ch_device **ret, struct err *e)
{
	struct cloud_hypervisor *c = vmm->priv;
	unsigned used = 0;

	if (find_device(c, id))
		return err_set(e, ERR_CONFLICT, "the VM has a device '%s' already", id);
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(c->devices); i++) {
		if (c->devices[i].id[0])
			used++;
		else if (!*ret)
			*ret = &c->devices[i];
	}
	if (!*ret || used >= vmm->limits.hotplug)
		return err_set(e, ERR_INVALID, "the VM has no room for more devices");
	return 0;
}

static void take_room(struct ch_device *d, const char *id, bool shown, unsigned request)
{
	*d = (struct ch_device){ .shown = shown, .adding = request };
	memcpy(d->id, id, strlen(id) + 1);
}

static void free_room(struct vmm *vmm, struct ch_device *d)
{
	struct err ignored = ERR_INIT;

	/* Where that fails the VMM has ended, and its mounts with it. */
	if (d->shown && confine_hide(vmm->confine, &vmm->proc, d->id, &ignored) < 0)
		err_clear(&ignored);
	*d = (struct ch_device){ .shown = false };
}

/* ---- requests ------------------------------------------------------------------------------------ */

static int send_disk(struct vmm *vmm, const struct vmm_disk *disk, const char *path, unsigned *ret,
		     struct err *e)
{
	auto_str struct str body = STR_INIT(BODY_MAX);
	struct api_call call = { .method = "PUT", .path = CH_API "vm.add-disk" };
	struct json_writer w;

	jw_init(&w, &body, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "path", path);
	jw_bool(&w, "readonly", disk->readonly);
	jw_str(&w, "image_type", "Raw");
	jw_str(&w, "serial", disk->serial);
	jw_str(&w, "id", disk->serial);
	jw_end(&w);
	if (body.over)
		return err_set(e, ERR_INVALID, "path of the disk '%s' is too long", disk->serial);
	call.body = body.buf;
	return send_request(vmm, &call, ret, e);
}

int ch_add_disk(struct vmm *vmm, const struct vmm_disk *disk, struct err *e)
{
	auto_free char *path = NULL;
	struct ch_device *d;
	struct err ignored = ERR_INIT;
	unsigned request;

	if (find_room(vmm, disk->serial, &d, e) < 0 ||
	    confine_show(vmm->confine, &vmm->proc, disk, &path, e) < 0)
		return -1;
	if (send_disk(vmm, disk, path, &request, e) < 0) {
		if (confine_hide(vmm->confine, &vmm->proc, disk->serial, &ignored) < 0)
			err_clear(&ignored);
		return -1;
	}
	take_room(d, disk->serial, vmm->confine != NULL, request);
	return (int)request;
}

int ch_add_net(struct vmm *vmm, const struct vmm_net *net, struct err *e)
{
	auto_str struct str body = STR_INIT(BODY_MAX);
	struct api_call call = { "PUT", CH_API "vm.add-net", NULL, &net->tap_fd, 1 };
	const unsigned char *m = net->mac;
	auto_free char *mac = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
					m[4], m[5]);
	struct json_writer w;
	struct ch_device *d;
	unsigned request;

	if (find_room(vmm, net->id, &d, e) < 0)
		return -1;
	jw_init(&w, &body, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "id", net->id);
	jw_str(&w, "mac", mac);
	jw_end(&w);
	call.body = body.buf;
	if (send_request(vmm, &call, &request, e) < 0)
		return -1;
	take_room(d, net->id, false, request);
	return (int)request;
}

int ch_remove(struct vmm *vmm, const char *id, struct err *e)
{
	struct ch_device *d = find_device(vmm->priv, id);
	auto_str struct str body = STR_INIT(BODY_MAX);
	struct api_call call = { .method = "PUT", .path = CH_API "vm.remove-device" };
	struct json_writer w;

	if (!d)
		return err_set(e, ERR_NOT_FOUND, "no device '%s' was added to the VM", id);
	if (d->removing)
		return err_set(e, ERR_CONFLICT, "device '%s' is being removed already", id);
	jw_init(&w, &body, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "id", id);
	jw_end(&w);
	call.body = body.buf;
	if (send_request(vmm, &call, &d->removing, e) < 0)
		return -1;
	return (int)d->removing;
}

static int resize(struct vmm *vmm, const char *what, uint64_t size, unsigned *ret, struct err *e)
{
	auto_str struct str body = STR_INIT(BODY_MAX);
	struct api_call call = { .method = "PUT", .path = CH_API "vm.resize" };
	struct json_writer w;

	jw_init(&w, &body, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, what, (int64_t)size);
	jw_end(&w);
	call.body = body.buf;
	return send_request(vmm, &call, ret, e);
}

int ch_resize_memory(struct vmm *vmm, unsigned mib, struct err *e)
{
	const struct api_call ping = { .method = "GET", .path = CH_API "vmm.ping" };
	struct cloud_hypervisor *c = vmm->priv;
	unsigned first = vmm->limits.memory_mib, request;
	unsigned more = (mib - first + VMEM_STEP_MIB - 1) / VMEM_STEP_MIB * VMEM_STEP_MIB;

	/* It refuses the size that it has, which is none of the caller's mistakes. */
	if (c->memory_mib == first + more) {
		if (send_request(vmm, &ping, &request, e) < 0)
			return -1;
		return (int)request;
	}
	if (resize(vmm, "desired_ram", (uint64_t)(first + more) << 20, &request, e) < 0)
		return -1;
	c->memory_mib = first + more;
	c->resizing = request;
	return (int)request;
}

/* While the guest has not yet let go of a processor that was taken away, the VMM refuses (status 429). */
int ch_resize_vcpus(struct vmm *vmm, unsigned vcpus, struct err *e)
{
	unsigned request;

	return resize(vmm, "desired_vcpus", vcpus, &request, e) < 0 ? -1 : (int)request;
}

/* ---- answers and events -------------------------------------------------------------------------- */

/* When both have come: the request that is done, or 0 and one more request is on its way. */
static unsigned go_on_removing(struct vmm *vmm, struct ch_device *d)
{
	const struct api_call any = { .method = "GET", .path = CH_API "vm.counters" };
	struct err ignored = ERR_INIT;
	unsigned request = d->removing;

	if (!d->accepted || !d->ejected)
		return 0;
	if (send_request(vmm, &any, &d->barrier, &ignored) == 0)
		return 0;
	err_clear(&ignored);
	free_room(vmm, d);
	return request;
}

unsigned ch_hot_answered(struct vmm *vmm, unsigned request, bool *failed)
{
	struct cloud_hypervisor *c = vmm->priv;

	if (request == c->resizing && *failed)
		c->memory_mib = 0;
	for (size_t i = 0; i < ARRAY_LEN(c->devices); i++) {
		struct ch_device *d = &c->devices[i];

		if (!d->id[0])
			continue;
		if (request == d->adding) {
			d->adding = 0;
			if (*failed)
				free_room(vmm, d);
			return request;
		}
		if (request == d->removing && *failed) {
			d->removing = 0;
			d->ejected = false;
			return request;
		}
		if (request == d->removing) {
			d->accepted = true;
			return go_on_removing(vmm, d);
		}
		if (request == d->barrier) {
			request = d->removing;
			/* Whatever it said, it was said after the device had gone. */
			*failed = *failed && c->api.fd < 0;
			free_room(vmm, d);
			return request;
		}
	}
	return request;
}

unsigned ch_hot_ejected(struct vmm *vmm, const char *id)
{
	struct ch_device *d = *id ? find_device(vmm->priv, id) : NULL;

	if (!d || d->adding || d->ejected)
		return 0;
	/* Nobody asked: a guest may let go of a device by itself. */
	if (!d->removing) {
		free_room(vmm, d);
		return 0;
	}
	d->ejected = true;
	return go_on_removing(vmm, d);
}

unsigned ch_hot_lost(struct cloud_hypervisor *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->devices); i++) {
		unsigned request = c->devices[i].removing;

		c->devices[i].removing = 0;
		if (request)
			return request;
	}
	return 0;
}
