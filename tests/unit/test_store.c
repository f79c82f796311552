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

/* What version 2 had and 4 has not. */
static void make_old(struct fixture *f)
{
	static const char *const sql[] = {
		"CREATE INDEX intents_subject ON intents(subject)",
		"CREATE TABLE networks (id TEXT PRIMARY KEY)",
		"CREATE TABLE leases (network TEXT REFERENCES networks(id),"
		" container TEXT REFERENCES containers(id) ON DELETE CASCADE)",
		"CREATE INDEX leases_container ON leases(container)",
		"CREATE TABLE volumes (name TEXT PRIMARY KEY)",
		"CREATE INDEX containers_chain ON containers(chain)",
		"CREATE INDEX containers_image ON containers(image)",
		"INSERT INTO intents (kind, subject, data, created_ns)"
		" VALUES ('container.create', 'x', '', 1), ('container.run', 'x', '', 1)",
		"INSERT INTO intents (kind, subject, data, created_ns)"
		" SELECT 'container.run', id, '', 1 FROM containers WHERE name = 'dead'",
		"PRAGMA user_version = 2",
	};

	for (size_t i = 0; i < ARRAY_LEN(sql); i++)
		fixture_sql(f, sql[i]);
}

static void an_older_store_keeps_its_rows(void **state)
{
	static const char tables[] = "SELECT count(*) FROM sqlite_schema WHERE name IN"
				     " ('intents_subject', 'networks', 'leases', 'volumes',"
				     " 'containers_chain', 'containers_image')";
	struct fixture *f = *state;
	auto_store struct store *again = NULL;
	struct err e = ERR_INIT;
	char dead[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	/* Runs with --rm were "created", and known by an intent. */
	fixture_create(f, "dead", true, dead);
	fixture_create(f, "other", true, other);
	assert_ok(intent_add(f->store, "k", "one", NULL, NULL, &e));
	make_old(f);
	assert_int_equal(fixture_count(f, tables), 6);
	assert_ok(store_open(&f->paths, &again, &e));
	assert_int_equal(fixture_count(f, tables), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM chains"), 1);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 1);
	assert_int_equal(fixture_state(f, dead), ST_STARTING);
	assert_int_equal(fixture_state(f, other), ST_CREATED);
	assert_int_equal(fixture_count(f, "SELECT user_version FROM pragma_user_version"), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(intents_are_listed_by_subject_and_ended),
		TEST(an_intent_joins_the_transaction_that_is_open),
		TEST(the_collector_waits_for_writers_and_keeps_them_out),
		TEST(a_root_that_does_not_exist_is_an_empty_store),
		TEST(an_older_store_keeps_its_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
