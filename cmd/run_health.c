/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_health.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define MINIMUM INT64_C(1000000) /* a millisecond */

static const struct json_field health_fields[] = {
	JSON_STRV("Test", false, struct spec_health, test),
	JSON_INT("Interval", false, struct spec_health, interval),
	JSON_INT("Timeout", false, struct spec_health, timeout),
	JSON_INT("StartPeriod", false, struct spec_health, start_period),
	JSON_INT("StartInterval", false, struct spec_health, start_interval),
	JSON_INT("Retries", false, struct spec_health, retries),
	JSON_END,
};

static int check_sign(const char *option, int64_t value, struct err *e)
{
	return value < 0 ? err_set(e, ERR_INVALID, "--%s cannot be negative", option) : 0;
}

int run_health_set(const struct run_health *a, struct container_spec *spec, struct err *e)
{
	struct spec_health *h = &spec->health;
	bool any = (a->cmd && *a->cmd) || a->interval || a->timeout || a->start_period ||
		   a->start_interval || a->retries.v;

	if (a->none && any)
		return err_set(e, ERR_INVALID,
			       "--no-healthcheck conflicts with --health-* options");
	if (check_sign("health-interval", a->interval, e) < 0 ||
	    check_sign("health-timeout", a->timeout, e) < 0 ||
	    check_sign("health-retries", a->retries.v, e) < 0 ||
	    check_sign("health-start-period", a->start_period, e) < 0 ||
	    check_sign("health-start-interval", a->start_interval, e) < 0)
		return -1;
	strv_clear(&h->test);
	if (a->none) {
		strv_add(&h->test, "NONE");
	} else if (a->cmd && *a->cmd) {
		strv_add(&h->test, "CMD-SHELL");
		strv_add(&h->test, a->cmd);
	}
	h->interval = a->interval;
	h->timeout = a->timeout;
	h->start_period = a->start_period;
	h->start_interval = a->start_interval;
	h->retries = a->retries.v;
	return 0;
}

static int check_time(const char *name, int64_t value, struct err *e)
{
	if (value == 0 || value >= MINIMUM)
		return 0;
	return err_set(e, ERR_INVALID, "%s in Healthcheck cannot be less than 1ms", name);
}

int run_health_check(const struct container_spec *spec, struct err *e)
{
	const struct spec_health *h = &spec->health;

	if (check_time("Interval", h->interval, e) < 0 ||
	    check_time("Timeout", h->timeout, e) < 0 ||
	    check_time("StartPeriod", h->start_period, e) < 0)
		return -1;
	return check_time("StartInterval", h->start_interval, e);
}

/* An option's value where there is one; what an image says wrong counts as not said. */
static void merge(int64_t *field, int64_t image)
{
	if (!*field && image > 0)
		*field = image;
}

int run_health_image(struct container_spec *spec, const char *healthcheck, struct err *e)
{
	struct spec_health *h = &spec->health, image = { .test = STRV_INIT };

	if (!healthcheck)
		return 0;
	if (json_read_text(healthcheck, strlen(healthcheck), health_fields, &image, e) < 0) {
		strv_release(&image.test);
		return err_wrap(e, "the image's health check is not valid");
	}
	if (!h->test.n)
		strv_copy(&h->test, &image.test);
	merge(&h->interval, image.interval);
	merge(&h->timeout, image.timeout);
	merge(&h->start_period, image.start_period);
	merge(&h->start_interval, image.start_interval);
	merge(&h->retries, image.retries);
	strv_release(&image.test);
	return 0;
}
