/* SPDX-License-Identifier: Apache-2.0 */
/* See select.h. */
#include "vmm/select.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "vmm/binary.h"
#include "vmm/guestfiles.h"
#include "vmm/probe.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG, ACCEL_COUNT };
static const char *const accel_name[] = { "auto", "kvm", "tcg" };
_Static_assert(ARRAY_LEN(accel_name) == ACCEL_COUNT, "accel_name[] does not match enum accel");

/* The wish, else the variable, else "auto". An empty variable counts as not set. */
static const char *wanted(const char *wish, const char *env)
{
	if (!wish || !*wish) {
		wish = getenv(env);
		if (wish && !*wish)
			wish = NULL;
	}
	return wish ? wish : "auto";
}

static int accel_parse(const char *name, enum accel *ret, struct err *e)
{
	for (int i = 0; i < ACCEL_COUNT; i++) {
		if (strcmp(name, accel_name[i]) == 0) {
			*ret = (enum accel)i;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "unknown accelerator '%s': auto, kvm or tcg", name);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The first folder of PATH that has the program; NULL without an error when none has. */
static char *search_path(const char *program)
{
	const char *list = getenv("PATH");

	if (!list || !*list)
		list = DEFAULT_PATH;
	while (*list) {
		size_t n = strcspn(list, ":");

		/* An empty or relative entry would make the choice depend on the current folder. */
		if (list[0] == '/') {
			auto_free char *path = xasprintf("%.*s/%s", (int)n, list, program);

			if (is_program(path))
				return take_ptr(&path);
		}
		list += n + (list[n] == ':');
	}
	return NULL;
}

char *vmm_binary_find(const struct vmm_driver *d, struct err *e)
{
	const char *named = getenv(d->env);
	auto_free char *beside = NULL;
	char *found;

	if (named && *named) {
		found = strchr(named, '/') ? xstrdup(named) : search_path(named);
		if (found && is_program(found))
			return found;
		free(found);
		err_set(e, ERR_UNAVAILABLE, "%s names '%s', which is not a program", d->env, named);
		return NULL;
	}
	beside = guest_libexec_path(d->program, e);
	if (!beside)
		return NULL;
	if (is_program(beside))
		return take_ptr(&beside);
	found = search_path(d->program);
	if (!found)
		err_set(e, ERR_UNAVAILABLE,
			"'%s' not found in PATH: install the package '%s', or set %s", d->program,
			d->package, d->env);
	return found;
}

/* Fills in a choice for the driver if it can run with this accelerator. */
static int try_driver(const struct vmm_driver *d, bool kvm, const char *why, int run_fd,
		      struct vmm_choice *ret, struct err *e)
{
	auto_free char *binary = NULL;

	if (!kvm && !vmm_can(d, VMM_CAP_SOFTWARE))
		return err_set(e, ERR_UNAVAILABLE, "%s needs KVM, which is not used here: %s",
			       d->name, why);
	binary = vmm_binary_find(d, e);
	if (!binary || vmm_binary_examine(d, binary, run_fd, &ret->about, e) < 0)
		return -1;
	ret->driver = d;
	ret->binary = take_ptr(&binary);
	ret->kvm = kvm;
	return 0;
}

static int try_all(const struct vmm_driver *only, bool kvm, const char *why, int run_fd,
		   struct vmm_choice *ret, struct err *e)
{
	struct err last = ERR_INIT;

	if (only)
		return try_driver(only, kvm, why, run_fd, ret, e);
	for (size_t i = 0; vmm_drivers[i]; i++) {
		if (vmm_can(vmm_drivers[i], VMM_CAP_BY_NAME))
			continue;
		err_clear(&last);
		if (try_driver(vmm_drivers[i], kvm, why, run_fd, ret, &last) == 0)
			return 0;
	}
	return err_move(e, &last);
}

static int find_wanted(const char *name, const struct vmm_driver **ret, struct err *e)
{
	auto_str struct str known = STR_INIT(1024);

	if (strcmp(name, "auto") == 0) {
		*ret = NULL;
		return 0;
	}
	*ret = vmm_driver_find(name);
	if (*ret)
		return 0;
	for (size_t i = 0; vmm_drivers[i]; i++)
		if (!vmm_can(vmm_drivers[i], VMM_CAP_BY_NAME))
			str_addf(&known, ", %s", vmm_drivers[i]->name);
	return err_set(e, ERR_INVALID, "unknown VMM '%s': auto%s", name, known.buf);
}

int vmm_name_check(const char *name, struct err *e)
{
	const struct vmm_driver *driver;

	return find_wanted(name, &driver, e);
}

int vmm_select(const struct vmm_wish *wish, struct vmm_choice *ret, struct err *e)
{
	struct kvm_state kvm = { false, "software emulation was asked for" };
	struct vmm_choice choice = VMM_CHOICE_INIT;
	const struct vmm_driver *only = NULL;
	enum accel accel = ACCEL_AUTO;

	if (find_wanted(wanted(wish->vmm, "KVBOX_VMM"), &only, e) < 0 ||
	    accel_parse(wanted(wish->accel, "KVBOX_ACCEL"), &accel, e) < 0)
		return -1;
	if (accel == ACCEL_AUTO)
		kvm_check(wish->run_fd, &kvm);
	else if (accel == ACCEL_KVM)
		kvm.usable = true;
	if (try_all(only, kvm.usable, kvm.reason, wish->run_fd, &choice, e) < 0)
		return -1;
	choice.forced = accel == ACCEL_KVM || (only && !vmm_can(only, VMM_CAP_SOFTWARE));
	if (accel == ACCEL_AUTO)
		choice.reason = xasprintf(kvm.usable ? "KVM works (%s)" : "no KVM: %s", kvm.reason);
	else
		choice.reason = xstrdup(kvm.usable ? "KVM was asked for" : kvm.reason);
	*ret = choice;
	return 0;
}

const char *vmm_choice_accel(const struct vmm_choice *c)
{
	return accel_name[c->kvm ? ACCEL_KVM : ACCEL_TCG];
}

void vmm_choice_release(struct vmm_choice *c)
{
	free(c->binary);
	free(c->reason);
	*c = (struct vmm_choice)VMM_CHOICE_INIT;
}
