/* SPDX-License-Identifier: Apache-2.0 */
/* `kvbox version`: opens nothing and starts nothing, so that it costs no more than the program itself. */
#include "cmd/version.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/verbs.h"

const char *version_text(void)
{
	return KVBOX_VERSION;
}

const char *version_commit(void)
{
	return KVBOX_COMMIT;
}

const char *version_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#else
#error "kvbox does not know the name of this architecture yet"
#endif
}

int version_print_line(const char *prog)
{
	printf("%s version %s, build %s\n", str_eq(prog, "docker") ? "Docker" : prog,
	       version_text(), version_commit());
	return 0;
}

struct version_args {
	const char *format;
};

static void write_common(struct json_writer *w)
{
	jw_str(w, "Version", version_text());
	jw_str(w, "ApiVersion", VERSION_API);
	jw_str(w, "GitCommit", version_commit());
	jw_str(w, "GoVersion", "");
	jw_str(w, "Os", "linux");
	jw_str(w, "Arch", version_arch());
	jw_str(w, "BuildTime", "");
}

static void write_platform(struct json_writer *w)
{
	jw_begin_object(w, "Platform");
	jw_str(w, "Name", "kvbox");
	jw_end(w);
}

/* As Docker's server has them; there is but one. */
static void write_components(struct json_writer *w)
{
	jw_begin_array(w, "Components");
	jw_begin_object(w, NULL);
	jw_str(w, "Name", "Engine");
	jw_str(w, "Version", version_text());
	jw_begin_object(w, "Details");
	jw_str(w, "ApiVersion", VERSION_API);
	jw_str(w, "Arch", version_arch());
	jw_str(w, "Experimental", "false");
	jw_str(w, "GitCommit", version_commit());
	jw_str(w, "MinAPIVersion", VERSION_API_OLDEST);
	jw_str(w, "Os", "linux");
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

static int print_format(const char *format)
{
	auto_str struct str out = STR_INIT(64 << 10);
	struct json_writer w;
	struct utsname uts;

	uname(&uts);
	jw_init(&w, &out, 0);
	jw_begin_object(&w, NULL);
	jw_begin_object(&w, "Client");
	write_platform(&w);
	write_common(&w);
	jw_str(&w, "DefaultAPIVersion", VERSION_API);
	jw_str(&w, "Context", "default");
	jw_end(&w);
	jw_begin_object(&w, "Server");
	write_platform(&w);
	write_components(&w);
	write_common(&w);
	jw_str(&w, "MinAPIVersion", VERSION_API_OLDEST);
	jw_str(&w, "KernelVersion", uts.release);
	jw_bool(&w, "Experimental", false);
	jw_end(&w);
	jw_end(&w);
	return format_document(format, "system.versionInfo", out.buf);
}

/* There is no daemon; the part that Docker has in its server is in every command. */
static int version_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct version_args *a = args;

	(void)c;
	(void)operands;
	if (a->format && *a->format)
		return print_format(a->format);
	printf("Client: kvbox\n"
	       " Version:           %s\n"
	       " API version:       " VERSION_API "\n"
	       " Git commit:        %s\n"
	       " OS/Arch:           linux/%s\n"
	       " Context:           default\n"
	       "\n"
	       "Server: kvbox (no daemon)\n"
	       " Engine:\n"
	       "  Version:          %s\n"
	       "  API version:      " VERSION_API " (minimum version " VERSION_API_OLDEST ")\n"
	       "  Git commit:       %s\n"
	       "  OS/Arch:          linux/%s\n",
	       version_text(), version_commit(), version_arch(), version_text(), version_commit(),
	       version_arch());
	return 0;
}

static const struct opt version_opts[] = { OPT_STR('f', "format", struct version_args, format,
						   "string", FORMAT_HELP, COMP_NONE),
					   OPT_END };

const struct verb verb_version = {
	.name = "version",
	.summary = "Show the version",
	.opts = version_opts,
	.argsize = sizeof(struct version_args),
	.main = version_main,
};
