/* SPDX-License-Identifier: Apache-2.0 */
/* inspect, container inspect and image inspect: whole objects as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/inspect_json.h"
#include "cmd/verbs.h"
#include "engine/rundir.h"
#include "engine/state.h"

#define LOG_FILE "log.json"

enum inspect_type { TYPE_ANY, TYPE_CONTAINER, TYPE_IMAGE };

struct inspect_args {
	const char *type, *format;
};

/* The process that is the container, seen from the host: its VMM. */
static int64_t vmm_pid(struct cmd *c, const struct container *row)
{
	auto_rundir struct rundir dir = RUNDIR_INIT;
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	struct err ignored = ERR_INIT;

	if (!state_is_active(row->state))
		return 0;
	if (rundir_open(&c->paths, row->id, false, &dir, &ignored) < 0 ||
	    vmstate_read(dir.fd, &state, &ignored) < 0) {
		log_debug("no state of %s: %s", row->id, ignored.msg);
		return 0;
	}
	return state.vmm_pid;
}

static int inspect_container(struct cmd *c, const char *which, struct json_writer *w, struct err *e)
{
	auto_container struct container row = CONTAINER_INIT;
	auto_spec struct container_spec spec = { .id = NULL };
	auto_free char *log_path = NULL;
	char name[PATH_NAME_SIZE];
	struct inspect_container container;

	if (container_find(c->store, which, &row, e) < 0 ||
	    container_spec_load(c->store, row.id, &spec, e) < 0)
		return -1;
	log_path = paths_absolute(&c->paths, path_container(row.id, LOG_FILE, name));
	container = (struct inspect_container){ &row, &spec, log_path, vmm_pid(c, &row) };
	inspect_container_json(w, &container);
	return 0;
}

static int inspect_image(struct cmd *c, const char *which, struct json_writer *w, struct err *e)
{
	auto_image struct image image;

	image_init(&image);
	if (image_find(c->store, which, &image, e) < 0)
		return -1;
	inspect_image_json(w, &image);
	return 0;
}

static int inspect_one(struct cmd *c, enum inspect_type type, const char *which,
		       struct json_writer *w, struct err *e)
{
	struct err why = ERR_INIT;

	if (type == TYPE_CONTAINER)
		return inspect_container(c, which, w, e);
	if (type == TYPE_IMAGE)
		return inspect_image(c, which, w, e);
	if (inspect_container(c, which, w, &why) == 0)
		return 0;
	if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	return inspect_image(c, which, w, e);
}

static void print_error(enum inspect_type type, const char *which, const struct err *e)
{
	if (type == TYPE_ANY && e->kind == ERR_NOT_FOUND)
		fprintf(stderr, "Error: No such object: %s\n", which);
	else
		cmd_error(e);
}

/* One object through the template, as one line. */
static int format_one(struct cmd *c, enum inspect_type type, const char *which,
		      const struct tmpl *t, struct str *out, struct err *e)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	auto_json struct json *j = NULL;
	size_t before = out->len;
	struct json_writer w;
	struct tmpl_opts opts;

	jw_init(&w, &text, 0);
	jw_begin_array(&w, NULL);
	if (inspect_one(c, type, which, &w, e) < 0)
		return -1;
	jw_end(&w);
	format_document_opts(&opts, NULL);
	if (json_parse(text.buf, text.len, &j, e) < 0)
		return -1;
	if (tmpl_execute(t, json_at(j, 0), &opts, out, e) < 0) {
		str_truncate(out, before);
		return err_wrap(e, "template parsing error");
	}
	str_addc(out, '\n');
	return 0;
}

/* What is not there, and objects that the template does not fit, are named at the end. */
static int inspect_format(struct cmd *c, enum inspect_type type, const char *format,
			  const struct operands *operands)
{
	auto_free struct err *errors = xcalloc((size_t)operands->n, sizeof(*errors));
	auto_str struct str out = STR_INIT(TMPL_OUTPUT_MAX);
	auto_tmpl struct tmpl *t = NULL;
	struct err e = ERR_INIT;
	int code = 0;

	if (format_parse(format, &t, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return EXIT_TEMPLATE;
	}
	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		if (format_one(c, type, operands->v[i], t, &out, &errors[i]) < 0)
			code = 1;
	}
	(void)fwrite(out.buf, 1, out.len, stdout);
	if (!out.len)
		fputc('\n', stdout);
	fflush(stdout);
	for (int i = 0; i < operands->n; i++) {
		if (str_has_prefix(errors[i].msg, "template "))
			fprintf(stderr, "%s\n", errors[i].msg);
		else if (err_is_set(&errors[i]))
			print_error(type, operands->v[i], &errors[i]);
	}
	return code;
}

static int inspect_plain(struct cmd *c, enum inspect_type type, int indent,
			 const struct operands *operands)
{
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_free struct err *errors = xcalloc((size_t)operands->n, sizeof(*errors));
	struct json_writer w;
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	jw_init(&w, &out, indent);
	jw_begin_array(&w, NULL);
	for (int i = 0; i < operands->n; i++) {
		if (inspect_one(c, type, operands->v[i], &w, &errors[i]) < 0)
			code = 1;
	}
	jw_end(&w);
	printf("%s\n", out.buf);
	fflush(stdout);
	for (int i = 0; i < operands->n; i++) {
		if (err_is_set(&errors[i]))
			print_error(type, operands->v[i], &errors[i]);
	}
	return code;
}

static int inspect(struct cmd *c, enum inspect_type type, const struct inspect_args *a,
		   const struct operands *operands)
{
	if (!a->format || !*a->format)
		return inspect_plain(c, type, 4, operands);
	if (strcmp(a->format, "json") == 0)
		return inspect_plain(c, type, 0, operands);
	return inspect_format(c, type, a->format, operands);
}

static int inspect_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct inspect_args *a = args;
	struct err e = ERR_INIT;

	if (!a->type || !*a->type)
		return inspect(c, TYPE_ANY, a, operands);
	if (strcmp(a->type, "container") == 0)
		return inspect(c, TYPE_CONTAINER, a, operands);
	if (strcmp(a->type, "image") == 0)
		return inspect(c, TYPE_IMAGE, a, operands);
	(void)err_set(&e, ERR_INVALID, "\"%.100s\" is not a valid value for --type", a->type);
	return cmd_refuse(c, &e);
}

static int container_inspect_main(struct cmd *c, void *args, const struct operands *operands)
{
	return inspect(c, TYPE_CONTAINER, args, operands);
}

static int image_inspect_main(struct cmd *c, void *args, const struct operands *operands)
{
	return inspect(c, TYPE_IMAGE, args, operands);
}

#define OPT_FORMAT \
	OPT_STR('f', "format", struct inspect_args, format, "string", FORMAT_HELP, COMP_NONE)

/* container inspect and image inspect know what they look for */
static const struct opt one_type_opts[] = { OPT_FORMAT, OPT_END };

static const struct opt inspect_opts[] = { OPT_FORMAT,
					   OPT_STR(0, "type", struct inspect_args, type, "string",
						   "Only look among these: container or image",
						   COMP_NONE),
					   OPT_END };

const struct verb verb_inspect = {
	.name = "inspect",
	.operands = "NAME|ID [NAME|ID...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Show all about containers and images as JSON",
	.opts = inspect_opts,
	.argsize = sizeof(struct inspect_args),
	.comp = COMP_CONTAINER,
	.main = inspect_main,
};

const struct verb verb_container_inspect = {
	.name = "inspect",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Show all about containers as JSON",
	.opts = one_type_opts,
	.argsize = sizeof(struct inspect_args),
	.comp = COMP_CONTAINER,
	.main = container_inspect_main,
};

const struct verb verb_image_inspect = {
	.name = "inspect",
	.operands = "IMAGE [IMAGE...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Show all about images as JSON",
	.opts = one_type_opts,
	.argsize = sizeof(struct inspect_args),
	.comp = COMP_IMAGE,
	.main = image_inspect_main,
};
