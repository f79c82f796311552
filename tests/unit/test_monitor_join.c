/* SPDX-License-Identifier: Apache-2.0 */
/* An image of many layers with a VMM that does not join files: they are copied before the boot. */
#include "tests/unit/fixture_monitor.h"

#include "engine/joined.h"

#define LAYERS 30

static void use_many_layers(struct fixture *f)
{
	setenv("KVBOX_FAKE", "apart", 1);
	for (size_t i = f->spec.layers.n; i < LAYERS; i++)
		strv_add(&f->spec.layers, DIGEST);
}

/* Reading it ends when somebody writes, which nobody does. */
static void make_layer_endless(struct fixture *f)
{
	char name[PATH_NAME_SIZE];

	path_layer(DIGEST, name);
	assert_ok(unlinkat(f->paths.root_fd, name, 0));
	assert_ok(mkfifoat(f->paths.root_fd, name, 0600));
}

static void they_are_one_file_when_the_machine_boots(void **state)
{
	struct fixture *f = *state;
	char name[PATH_NAME_SIZE];
	struct stat st;

	use_many_layers(f);
	command(f, "exit 5");
	assert_int_equal(run_attached(f).code, 5);
	assert_final(f, 5);
	assert_int_equal(fstatat(f->paths.root_fd, joined_name(DIGEST, name), &st, 0), 0);
	assert_int_equal(st.st_size, (LAYERS + 1) * 4096);
}

static void what_cannot_be_copied_is_told(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	char name[PATH_NAME_SIZE];

	use_many_layers(f);
	assert_ok(unlinkat(f->paths.root_fd, path_layer(DIGEST, name), 0));
	command(f, "exit 5");
	assert_ok(begin(f));
	assert_true(client_start(f->client, &no_streams, NULL, &e) < 0);
	assert_non_null(strstr(e.msg, "cannot copy the image's layers into one file"));
	assert_non_null(strstr(e.msg, "No such file"));
	err_clear(&e);
	read_final(f, &st);
	assert_int_equal(st.exit_code, 128);
}

static void who_stops_it_meanwhile_does_not_wait_for_the_copy(void **state)
{
	struct fixture *f = *state;
	struct client *other;

	use_many_layers(f);
	make_layer_endless(f);
	command(f, "exit 5");
	assert_ok(begin(f));
	other = connect_again(f);
	assert_ok(client_stop(other, 0, 10, &e));
	client_free(other);
	assert_final(f, 128);
}

static void it_ends_when_the_command_that_starts_it_has_gone(void **state)
{
	struct fixture *f = *state;

	use_many_layers(f);
	make_layer_endless(f);
	command(f, "exit 5");
	assert_ok(begin(f));
	client_free(take_ptr(&f->client));
	assert_final(f, 128);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(they_are_one_file_when_the_machine_boots),
		TEST(what_cannot_be_copied_is_told),
		TEST(who_stops_it_meanwhile_does_not_wait_for_the_copy),
		TEST(it_ends_when_the_command_that_starts_it_has_gone),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
