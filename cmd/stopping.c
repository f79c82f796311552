/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/stopping.h"

#include "base/mem.h"
#include "cmd/target.h"
#include "engine/signame.h"

int stopping_order(const struct stop_args *a, struct stop_order *ret, struct err *e)
{
	struct stop_order order = { .sig = 0, .timeout = CLIENT_STOP_DEFAULT };

	if (a->signal && *a->signal && signame_parse(a->signal, &order.sig, e) < 0)
		return -1;
	if (a->timeout.set && a->timeout.v > INT32_MAX)
		order.timeout = INT32_MAX;
	else if (a->timeout.set)
		order.timeout = a->timeout.v < 0 ? CLIENT_STOP_FOREVER : (int)a->timeout.v;
	*ret = order;
	return 0;
}

void stopping_begin(struct cmd *c, const struct stop_order *order, const char *which,
		    struct stopping *s)
{
	if (target_find(c, which, &s->container, &s->client, &s->error) < 0 || !s->client)
		return;
	if (order->again && container_begin_restart(c->store, &s->container, &s->error) < 0) {
		client_free(take_ptr(&s->client));
		return;
	}
	if ((order->again ? client_begin_restop : client_begin_stop)(s->client, order->sig,
								     order->timeout, &s->error) < 0)
		client_free(take_ptr(&s->client));
}

int stopping_end(struct stopping *s, struct err *e)
{
	int r = 0;

	if (err_is_set(&s->error))
		return err_move(e, &s->error);
	if (s->client)
		r = client_end_stop(s->client, e);
	client_free(take_ptr(&s->client));
	return r;
}

void stopping_release(struct stopping *s)
{
	client_free(take_ptr(&s->client));
	container_release(&s->container);
}
