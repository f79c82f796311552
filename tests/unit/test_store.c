/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

static void intents_are_listed_by_subject_and_ended(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct intent *v;
	int64_t a, b;
	size_t n;

	assert_ok(intent_add(f->store, "k", "one", "data", &a, &e));
	assert_ok(intent_add(f->store, "k", "two", NULL, &b, &e));
	assert_ok(intent_list(f->store, "one", &v, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, a);
	assert_string_equal(v[0].kind, "k");
	assert_string_equal(v[0].data, "data");
	intent_list_free(v, n);
	assert_ok(intent_end(f->store, a, &e));
	assert_ok(intent_end(f->store, a, &e));
	assert_ok(intent_end_subject(f->store, "other", "two", &e));
	assert_ok(intent_list(f->store, NULL, &v, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, b);
	intent_list_free(v, n);
	assert_ok(intent_end_subject(f->store, "k", "two", &e));
	assert_ok(intent_list(f->store, NULL, &v, &n, &e));
	assert_int_equal(n, 0);
	intent_list_free(v, n);
}

static void an_intent_joins_the_transaction_that_is_open(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct tx tx = TX_INIT;

	assert_ok(tx_begin(&tx, store_db(f->store), &e));
	assert_ok(intent_add(f->store, "k", "one", NULL, NULL, &e));
	tx_rollback(&tx);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void the_collector_waits_for_writers_and_keeps_them_out(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct store *other;

	assert_ok(store_open(&f->paths, &other, &e));
	assert_int_equal(store_collector_lock(f->store, LOCK_SHARED, true, &e), 1);
	assert_int_equal(store_collector_lock(f->store, LOCK_SHARED, true, &e), 1);
	assert_int_equal(store_collector_lock(other, LOCK_SHARED, false, &e), 1);
	store_collector_unlock(other);
	assert_int_equal(store_collector_lock(other, LOCK_EXCLUSIVE, false, &e), 0);
	store_collector_unlock(f->store);
	assert_int_equal(store_collector_lock(other, LOCK_EXCLUSIVE, false, &e), 0);
	store_collector_unlock(f->store);
	assert_int_equal(store_collector_lock(other, LOCK_EXCLUSIVE, false, &e), 1);
	assert_int_equal(store_collector_lock(f->store, LOCK_SHARED, false, &e), 0);
	/* Who holds it exclusively may write as well. */
	assert_int_equal(store_collector_lock(other, LOCK_SHARED, true, &e), 1);
	store_collector_unlock(other);
	assert_int_equal(store_collector_lock(f->store, LOCK_SHARED, false, &e), 0);
	store_collector_unlock(other);
	assert_int_equal(store_collector_lock(f->store, LOCK_SHARED, false, &e), 1);
	store_collector_unlock(f->store);
	store_close(other);
}

static void a_root_that_does_not_exist_is_an_empty_store(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_free char *root = xasprintf("%s/none", f->dir);
	auto_free char *run = xasprintf("%s/norun", f->dir);
	auto_paths struct paths p = PATHS_INIT;
	auto_store struct store *s = NULL;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;
	auto_container struct container c = CONTAINER_INIT;

	assert_ok(paths_open(root, run, false, &p, &e));
	assert_ok(store_open(&p, &s, &e));
	assert_ok(store_recover(s, &e));
	assert_ok(container_list(s, NULL, &l, &e));
	assert_int_equal(l.n, 0);
	assert_fails(container_find(s, "x", &c, &e), "No such container: x");
	assert_fails(container_remove(s, "x", REMOVE_FORCE, &e), "No such container: x");
	assert_ok(container_finish(s, "x", &e));
	assert_false(file_exists(AT_FDCWD, root));
	assert_false(file_exists(AT_FDCWD, run));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(intents_are_listed_by_subject_and_ended),
		TEST(an_intent_joins_the_transaction_that_is_open),
		TEST(the_collector_waits_for_writers_and_keeps_them_out),
		TEST(a_root_that_does_not_exist_is_an_empty_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
