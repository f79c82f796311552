/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/target.h"

#include "engine/eventlog.h"
#include "engine/finish.h"

static int finish(void *ctx, const char *id, struct err *e)
{
	return container_finish(ctx, id, e);
}

void target_offer_finish(struct cmd *c, const char *id, struct client *client)
{
	client_offer_finish(client, finish, c->store, id);
}

/*
 * Nobody answered for a row that says it runs: it ends, or it is being started and its monitor is
 * not that far. The starter holds the lock until it is, so behind the lock it is one or the other.
 */
static int look_behind_lock(struct cmd *c, struct container *row, struct client **ret_client,
			    struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	struct err why = ERR_INIT;

	if (container_lock(c->store, row->id, &l, &why) < 0) {
		/* --rm took it away with its end. */
		return why.kind == ERR_NOT_FOUND ? 0 : err_move(e, &why);
	}
	row->state = l.row.state;
	row->exit_code = l.row.exit_code;
	container_unlock(&l);
	if (!state_is_active(row->state) ||
	    client_connect(&c->paths, row->id, ret_client, &why) == 0 ||
	    why.kind == ERR_UNAVAILABLE)
		return 0;
	return err_move(e, &why);
}

static int find(struct cmd *c, const char *which, struct container *ret, struct client **ret_client,
		struct err *e)
{
	struct err why = ERR_INIT;

	if (!*which)
		return err_set(e, ERR_INVALID, "invalid container name or ID: value is empty");
	if (container_find(c->store, which, ret, e) < 0)
		return -1;
	if (!state_is_active(ret->state))
		return 0;
	if (client_connect(&c->paths, ret->id, ret_client, &why) == 0)
		return 0;
	return why.kind == ERR_UNAVAILABLE ? look_behind_lock(c, ret, ret_client, e)
					   : err_move(e, &why);
}

int target_find(struct cmd *c, const char *which, struct container *ret, struct client **ret_client,
		struct err *e)
{
	if (find(c, which, ret, ret_client, e) < 0)
		return -1;
	if (*ret_client)
		target_offer_finish(c, ret->id, *ret_client);
	return 0;
}

int target_running(struct cmd *c, const char *which, struct container *ret,
		   struct client **ret_client, struct err *e)
{
	if (target_find(c, which, ret, ret_client, e) < 0)
		return -1;
	if (!*ret_client)
		return err_set(e, ERR_CONFLICT, "container %s is not running", ret->id);
	return 0;
}

void target_event(struct cmd *c, const struct container *container, const char *action)
{
	const struct event_container event = {
		.id = container->id,
		.name = container->name,
		.image = container->image_ref,
		.labels = &container->labels,
	};

	eventlog_add_container(&c->paths, &event, action, NULL);
}
