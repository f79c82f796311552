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
#include "engine/disk.h"
#include "engine/rundir.h"
#include "engine/state.h"

#define LOG_FILE "log.json"

enum inspect_type { TYPE_ANY, TYPE_CONTAINER, TYPE_IMAGE, TYPE_ABSENT };

struct inspect_args {
	const char *type, *format;
	bool size;
};

/* What is asked for. */
struct inspection {
	struct cmd *cmd;
	enum inspect_type type;
	bool size;
	const char *format;
};

/* What the monitor of a container that is active says of its VM. */
static bool read_vm(struct cmd *c, const struct container *row, struct vmstate *ret)
{
	auto_rundir struct rundir dir = RUNDIR_INIT;
	struct err ignored = ERR_INIT;

	if (!state_is_active(row->state))
		return false;
	if (rundir_open(&c->paths, row->id, false, &dir, &ignored) < 0 ||
	    vmstate_read(dir.fd, ret, &ignored) < 0) {
		log_debug("no state of %s: %s", row->id, ignored.msg);
		return false;
	}
	return true;
}

/* What the container wrote, and that with its image. */
static void add_size(struct cmd *c, struct inspect_container *container)
{
	auto_image struct image image;
	struct err ignored = ERR_INIT;

	image_init(&image);
	container->size = true;
	container->size_rw = disk_written(&c->paths, container->row->id);
	container->size_root = container->size_rw;
	if (image_find(c->store, container->spec->image_id, &image, &ignored) == 0)
		container->size_root += image.size;
}

static int inspect_container(const struct inspection *in, const char *which, struct json_writer *w,
			     struct err *e)
{
	auto_container struct container row = CONTAINER_INIT;
	auto_spec struct container_spec spec = { .id = NULL };
	auto_free char *log_path = NULL, *disk_path = NULL;
	auto_vmstate struct vmstate vm = VMSTATE_INIT;
	struct cmd *c = in->cmd;
	char name[PATH_NAME_SIZE];
	struct inspect_container container;

	if (container_find(c->store, which, &row, e) < 0 ||
	    container_spec_load(c->store, row.id, &spec, e) < 0)
		return -1;
	log_path = paths_absolute(&c->paths, path_container(row.id, LOG_FILE, name));
	disk_path = paths_absolute(&c->paths, path_container(row.id, DISK_FILE, name));
	container = (struct inspect_container){ .row = &row,
						.spec = &spec,
						.log_path = log_path,
						.disk_path = disk_path,
						.vm = read_vm(c, &row, &vm) ? &vm : NULL };
	if (in->size)
		add_size(c, &container);
	inspect_container_json(w, &container);
	return 0;
}

static int inspect_image(struct cmd *c, const char *which, struct json_writer *w, struct err *e)
{
	auto_image struct image image;

	image_init(&image);
	if (image_find(c->store, which, &image, e) < 0 || image_load_names(c->store, &image, e) < 0)
		return -1;
	inspect_image_json(w, &image);
	return 0;
}

static int inspect_one(const struct inspection *in, const char *which, struct json_writer *w,
		       struct err *e)
{
	struct err why = ERR_INIT;

	if (in->type == TYPE_CONTAINER)
		return inspect_container(in, which, w, e);
	if (in->type == TYPE_IMAGE)
		return inspect_image(in->cmd, which, w, e);
	if (in->type == TYPE_ABSENT)
		return err_set(e, ERR_NOT_FOUND, "no such object: %.200s", which);
	if (inspect_container(in, which, w, &why) == 0)
		return 0;
	if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	return inspect_image(in->cmd, which, w, e);
}

static void print_error(enum inspect_type type, const char *which, const struct err *e)
{
	if (type == TYPE_ANY && e->kind == ERR_NOT_FOUND)
		fprintf(stderr, "Error: No such object: %s\n", which);
	else
		cmd_error(e);
}

/* What Docker leaves out of the JSON where it is empty, and where null is neither a list nor a map. */
static const struct tmpl_empty empties[] = {
	{ "Annotations", TMPL_ZERO_MAP },
	{ "ArgsEscaped", TMPL_ZERO_BOOL },
	{ "DriverOpts", TMPL_ZERO_MAP },
	{ "ExposedPorts", TMPL_ZERO_MAP },
	{ "Health", TMPL_ZERO_POINTER },
	{ "Healthcheck", TMPL_ZERO_POINTER },
	{ "IPAMConfig", TMPL_ZERO_POINTER },
	{ "Init", TMPL_ZERO_POINTER },
	{ "Interval", TMPL_ZERO_INT },
	{ "KernelMemory", TMPL_ZERO_INT },
	{ "MacAddress", TMPL_ZERO_STRING },
	{ "MemorySwappiness", TMPL_ZERO_POINTER },
	{ "NetworkDisabled", TMPL_ZERO_BOOL },
	{ "OomKillDisable", TMPL_ZERO_POINTER },
	{ "OsVersion", TMPL_ZERO_STRING },
	{ "PidsLimit", TMPL_ZERO_POINTER },
	{ "Retries", TMPL_ZERO_INT },
	{ "Shell", TMPL_ZERO_LIST },
	{ "SizeRootFs", TMPL_ZERO_POINTER },
	{ "SizeRw", TMPL_ZERO_POINTER },
	{ "StartInterval", TMPL_ZERO_INT },
	{ "StartPeriod", TMPL_ZERO_INT },
	{ "StopSignal", TMPL_ZERO_STRING },
	{ "StopTimeout", TMPL_ZERO_POINTER },
	{ "StorageOpt", TMPL_ZERO_MAP },
	{ "Sysctls", TMPL_ZERO_MAP },
	{ "Test", TMPL_ZERO_LIST },
	{ "Timeout", TMPL_ZERO_INT },
	{ "Tmpfs", TMPL_ZERO_MAP },
	{ "Variant", TMPL_ZERO_STRING },
	{ NULL, TMPL_ZERO_POINTER },
};

/* As Docker: with Go's types, and where that fails over the bare JSON, whose error counts. */
static int execute(const struct tmpl *t, const struct json *j, struct str *out, struct err *e)
{
	static const struct tmpl_opts raw = { .missing_is_error = true };
	size_t before = out->len;
	struct err ignored = ERR_INIT;
	struct tmpl_opts opts;

	format_document_opts(&opts, NULL);
	opts.empties = empties;
	if (tmpl_execute(t, j, &opts, out, &ignored) == 0)
		return 0;
	str_truncate(out, before);
	if (tmpl_execute(t, j, &raw, out, e) == 0)
		return 0;
	str_truncate(out, before);
	return err_wrap(e, "template parsing error");
}

/* One object through the template, as one line. */
static int format_one(const struct inspection *in, const char *which, const struct tmpl *t,
		      struct str *out, struct err *e)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	auto_json struct json *j = NULL;
	struct json_writer w;

	jw_init(&w, &text, 0);
	jw_begin_array(&w, NULL);
	if (inspect_one(in, which, &w, e) < 0)
		return -1;
	jw_end(&w);
	if (json_parse(text.buf, text.len, &j, e) < 0 || execute(t, json_at(j, 0), out, e) < 0)
		return -1;
	str_addc(out, '\n');
	return 0;
}

/* What is not there, and objects that the template does not fit, are named at the end. */
static int inspect_format(const struct inspection *in, const struct operands *operands)
{
	auto_free struct err *errors = xcalloc((size_t)operands->n, sizeof(*errors));
	auto_str struct str out = STR_INIT(TMPL_OUTPUT_MAX);
	auto_tmpl struct tmpl *t = NULL;
	struct err e = ERR_INIT;
	int code = 0;

	if (format_parse(in->format, &t, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return EXIT_TEMPLATE;
	}
	if (cmd_open(in->cmd, &e) < 0)
		return cmd_fail(in->cmd, &e);
	for (int i = 0; i < operands->n; i++) {
		if (format_one(in, operands->v[i], t, &out, &errors[i]) < 0)
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
			print_error(in->type, operands->v[i], &errors[i]);
	}
	return code;
}

static int inspect_plain(const struct inspection *in, int indent, const struct operands *operands)
{
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_free struct err *errors = xcalloc((size_t)operands->n, sizeof(*errors));
	struct json_writer w;
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(in->cmd, &e) < 0)
		return cmd_fail(in->cmd, &e);
	jw_init(&w, &out, indent);
	jw_begin_array(&w, NULL);
	for (int i = 0; i < operands->n; i++) {
		if (inspect_one(in, operands->v[i], &w, &errors[i]) < 0)
			code = 1;
	}
	jw_end(&w);
	printf("%s\n", out.buf);
	fflush(stdout);
	for (int i = 0; i < operands->n; i++) {
		if (err_is_set(&errors[i]))
			print_error(in->type, operands->v[i], &errors[i]);
	}
	return code;
}

static int inspect(struct cmd *c, enum inspect_type type, const struct inspect_args *a,
		   const struct operands *operands)
{
	const struct inspection in = { c, type, a->size, a->format };

	if (!a->format || !*a->format)
		return inspect_plain(&in, 4, operands);
	if (strcmp(a->format, "json") == 0)
		return inspect_plain(&in, 0, operands);
	return inspect_format(&in, operands);
}

/* Of most of Docker's kinds there are no objects here. */
static int parse_type(const char *text, enum inspect_type *ret, struct err *e)
{
	static const struct {
		const char *word;
		enum inspect_type type;
	} types[] = {
		{ "config", TYPE_ABSENT }, { "container", TYPE_CONTAINER },
		{ "image", TYPE_IMAGE },   { "network", TYPE_ABSENT },
		{ "node", TYPE_ABSENT },   { "plugin", TYPE_ABSENT },
		{ "secret", TYPE_ABSENT }, { "service", TYPE_ABSENT },
		{ "task", TYPE_ABSENT },   { "volume", TYPE_ABSENT },
	};
	static const char list[] =
		"must be one of \"config\", \"container\", \"image\", \"network\", \"node\", "
		"\"plugin\", \"secret\", \"service\", \"task\", \"volume\"";

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(text, types[i].word) == 0) {
			*ret = types[i].type;
			return 0;
		}
	}
	if (!*text)
		return err_set(e, ERR_INVALID, "type is empty: %s", list);
	return err_set(e, ERR_INVALID, "unknown type: \"%.100s\": %s", text, list);
}

static int inspect_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct inspect_args *a = args;
	enum inspect_type type = TYPE_ANY;
	struct err e = ERR_INIT;

	if (a->type && parse_type(a->type, &type, &e) < 0)
		return cmd_refuse(c, &e);
	return inspect(c, type, a, operands);
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

#define OPT_SIZE_OF_FILES \
	OPT_BOOL('s', "size", struct inspect_args, size, "Show the size of a container's files")

/* container inspect and image inspect know what they look for */
static const struct opt container_opts[] = { OPT_FORMAT, OPT_SIZE_OF_FILES, OPT_END };
static const struct opt image_opts[] = { OPT_FORMAT, OPT_END };

static const struct opt inspect_opts[] = { OPT_FORMAT, OPT_SIZE_OF_FILES,
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
	.opts = container_opts,
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
	.opts = image_opts,
	.argsize = sizeof(struct inspect_args),
	.comp = COMP_IMAGE,
	.main = image_inspect_main,
};
