/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/db.h"

static const char *const one_step[] = { "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER) STRICT" };
static const char *const two_steps[] = { "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER) STRICT",
					 "ALTER TABLE t ADD COLUMN more TEXT" };
static const struct db_schema schema_1 = { one_step, 1 };
static const struct db_schema schema_2 = { two_steps, 2 };

struct place {
	char dir[64];
	int prepared;
};

static int up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/kvbox-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	*state = p;
	return 0;
}

static int down(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	assert_ok(dir_remove_tree(AT_FDCWD, p->dir, &e));
	free(p);
	return 0;
}

static int count_call(void *ctx, struct err *e)
{
	(void)e;
	(*(int *)ctx)++;
	return 0;
}

static struct db *open_db(struct place *p, const struct db_schema *schema)
{
	struct db_spec spec = { p->dir, schema, count_call, &p->prepared };
	struct err e = ERR_INIT;
	struct db *db = NULL;

	assert_ok(db_open(&spec, &db, &e));
	return db;
}

static void insert(struct db *db, const char *key, int64_t n)
{
	auto_stmt struct stmt s = STMT_INIT;
	struct err e = ERR_INIT;

	stmt_prepare(&s, db, "INSERT INTO t (k, n) VALUES (?, ?)");
	stmt_bind_text(&s, 1, key);
	stmt_bind_int(&s, 2, n);
	assert_ok(stmt_run(&s, &e));
}

static void put(struct db *db, const char *key, int64_t n)
{
	auto_tx struct tx tx = TX_INIT;
	struct err e = ERR_INIT;

	assert_ok(tx_begin(&tx, db, &e));
	insert(db, key, n);
	assert_ok(tx_commit(&tx, &e));
}

static int64_t count(struct db *db)
{
	auto_stmt struct stmt s = STMT_INIT;
	struct err e = ERR_INIT;

	stmt_prepare(&s, db, "SELECT count(*) FROM t");
	assert_int_equal(stmt_step(&s, &e), 1);
	return stmt_int(&s, 0);
}

static bool has_file(struct place *p, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", p->dir, name);

	return file_exists(AT_FDCWD, path);
}

static void reading_what_does_not_exist_reads_nothing_and_makes_nothing(void **state)
{
	struct place *p = *state;
	struct db *db = open_db(p, &schema_1);

	assert_int_equal(count(db), 0);
	assert_false(db_exists(db));
	db_close(db);
	assert_int_equal(p->prepared, 0);
	assert_false(has_file(p, "kvbox.db"));
}

static void the_first_transaction_creates(void **state)
{
	struct place *p = *state;
	struct db *db = open_db(p, &schema_1);

	assert_int_equal(count(db), 0);
	put(db, "a", 1);
	assert_int_equal(p->prepared, 1);
	assert_true(db_exists(db));
	assert_int_equal(count(db), 1);
	put(db, "b", 2);
	db_close(db);
	db = open_db(p, &schema_1);
	assert_int_equal(count(db), 2);
	db_close(db);
	assert_int_equal(p->prepared, 1);
}

/* Its only step works in memory and not on disk. */
static const char *const memory_steps[] = {
	"CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER CHECK (n = 1));"
	"INSERT INTO t SELECT 'x', file = '' FROM pragma_database_list WHERE name = 'main'",
};
static const struct db_schema memory_schema = { memory_steps, 1 };

static void a_database_that_cannot_be_made_leaves_no_files(void **state)
{
	struct place *p = *state;
	struct db *db = open_db(p, &memory_schema);
	struct err e = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		auto_tx struct tx tx = TX_INIT;

		assert_fails(tx_begin(&tx, db, &e), "schema step 1");
		assert_false(db_exists(db));
		assert_int_equal(count(db), 1);
		assert_false(has_file(p, "kvbox.db"));
		assert_false(has_file(p, "kvbox.db-wal"));
		assert_false(has_file(p, "kvbox.db-shm"));
	}
	db_close(db);
	db = open_db(p, &schema_1);
	put(db, "a", 1);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static void closing_keeps_the_log_and_does_not_checkpoint(void **state)
{
	struct place *p = *state;
	struct db *db = open_db(p, &schema_1);
	auto_free char *wal = xasprintf("%s/kvbox.db-wal", p->dir);
	struct err e = ERR_INIT;
	struct stat before, after;

	put(db, "a", 1);
	assert_int_equal(stat(wal, &before), 0);
	assert_true(before.st_size > 0);
	db_close(db);
	assert_int_equal(stat(wal, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_mode & 0777, 0600);
	/* Nor does a checkpoint that is not due. */
	db = open_db(p, &schema_1);
	put(db, "b", 1);
	assert_ok(db_checkpoint(db, 1000, &e));
	assert_ok(db_checkpoint(db, 1, &e));
	db_close(db);
}

static int64_t size_of_log(struct place *p)
{
	auto_free char *path = xasprintf("%s/kvbox.db-wal", p->dir);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void a_log_that_was_copied_is_emptied_unless_somebody_reads_it(void **state)
{
	struct place *p = *state;
	struct db *db = open_db(p, &schema_1), *other;
	struct stmt reading = STMT_INIT;
	struct err e = ERR_INIT;
	struct tx tx = TX_INIT;

	put(db, "a", 1);
	put(db, "b", 2);
	assert_true(size_of_log(p) > 0);
	/* Not what holds a checkpoint up: a reader, or a writer. */
	other = open_db(p, &schema_1);
	stmt_prepare(&reading, other, "SELECT k FROM t ORDER BY k");
	assert_int_equal(stmt_step(&reading, &e), 1);
	put(db, "c", 3);
	assert_ok(db_checkpoint(db, 1, &e));
	assert_true(size_of_log(p) > 0);
	assert_int_equal(stmt_step(&reading, &e), 1);
	assert_int_equal(stmt_step(&reading, &e), 0);
	stmt_release(&reading);
	assert_ok(tx_begin(&tx, other, &e));
	assert_ok(db_checkpoint(db, 1, &e));
	assert_true(size_of_log(p) > 0);
	tx_rollback(&tx);
	assert_ok(db_checkpoint(db, 1, &e));
	assert_int_equal(size_of_log(p), 0);
	assert_int_equal(count(other), 3);
	put(other, "d", 4);
	db_close(other);
	assert_int_equal(count(db), 4);
	db_close(db);
	db = open_db(p, &schema_1);
	assert_int_equal(count(db), 4);
	db_close(db);
}

static void a_statement_used_again_begins_anew(void **state)
{
	static const char sql[] = "SELECT k, ?1 FROM t ORDER BY k";
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;

	put(db, "a", 1);
	put(db, "b", 2);
	for (int i = 0; i < 3; i++) {
		auto_stmt struct stmt s = STMT_INIT, again = STMT_INIT;

		stmt_prepare(&s, db, sql);
		if (i == 0)
			stmt_bind_text(&s, 1, "bound");
		assert_int_equal(stmt_step(&s, &e), 1);
		assert_string_equal(stmt_text0(&s, 0), "a");
		assert_string_equal(stmt_text0(&s, 1), i == 0 ? "bound" : "");
		/* While the one is in use, the same text is another. */
		stmt_prepare(&again, db, sql);
		assert_int_equal(stmt_step(&again, &e), 1);
		assert_string_equal(stmt_text0(&again, 0), "a");
		assert_int_equal(stmt_step(&s, &e), 1);
		assert_string_equal(stmt_text0(&s, 0), "b");
	}
	db_close(db);
}

static void more_statements_than_are_kept_work_as_well(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;

	put(db, "a", 1);
	for (int i = 0; i < 100; i++) {
		auto_stmt struct stmt s = STMT_INIT;
		char sql[32];

		snprintf(sql, sizeof(sql), "SELECT n + %d FROM t", i % 40);
		stmt_prepare(&s, db, sql);
		assert_int_equal(stmt_step(&s, &e), 1);
		assert_int_equal(stmt_int(&s, 0), 1 + i % 40);
	}
	db_close(db);
}

static void leaving_without_commit_rolls_back(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;

	put(db, "a", 1);
	{
		auto_tx struct tx tx = TX_INIT;

		assert_ok(tx_begin(&tx, db, &e));
		insert(db, "b", 2);
		assert_true(db_in_tx(db));
	}
	assert_false(db_in_tx(db));
	assert_int_equal(count(db), 1);
	put(db, "b", 3);
	db_close(db);
}

static void a_failed_inner_transaction_spoils_the_outer_one(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;
	struct tx outer = TX_INIT;

	put(db, "a", 1);
	assert_ok(tx_begin(&outer, db, &e));
	insert(db, "b", 2);
	{
		auto_tx struct tx inner = TX_INIT;

		assert_ok(tx_begin_lazy(&inner, db, &e));
		insert(db, "c", 3);
	}
	assert_fails(tx_commit(&outer, &e), "a part of the change failed");
	assert_int_equal(count(db), 1);
	assert_ok(tx_begin(&outer, db, &e));
	{
		auto_tx struct tx inner = TX_INIT;

		assert_ok(tx_begin(&inner, db, &e));
		insert(db, "c", 3);
		assert_ok(tx_commit(&inner, &e));
	}
	assert_ok(tx_commit(&outer, &e));
	assert_int_equal(count(db), 2);
	db_close(db);
}

static void a_broken_constraint_is_a_conflict(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;
	auto_stmt struct stmt s = STMT_INIT;
	struct tx tx = TX_INIT;

	put(db, "a", 1);
	assert_ok(tx_begin(&tx, db, &e));
	stmt_prepare(&s, db, "INSERT INTO t (k) VALUES ('a')");
	assert_int_equal(stmt_run(&s, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	tx_rollback(&tx);
	stmt_release(&s);
	db_close(db);
}

static void bad_sql_and_bad_binds_are_reported_by_the_step(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;
	auto_stmt struct stmt s = STMT_INIT;

	stmt_prepare(&s, db, "SELEKT");
	stmt_bind_text(&s, 1, "x");
	assert_fails(stmt_step(&s, &e), "SELEKT");
	stmt_release(&s);
	stmt_prepare(&s, db, "SELECT k FROM t WHERE k = ?");
	stmt_bind_int(&s, 2, 1);
	assert_fails(stmt_step(&s, &e), "out of range");
	stmt_release(&s);
	db_close(db);
}

static void an_older_database_is_migrated_and_keeps_its_rows(void **state)
{
	struct db *db = open_db(*state, &schema_1);
	struct err e = ERR_INIT;
	auto_stmt struct stmt s = STMT_INIT;

	put(db, "a", 1);
	db_close(db);
	db = open_db(*state, &schema_2);
	stmt_prepare(&s, db, "SELECT n, more FROM t");
	assert_int_equal(stmt_step(&s, &e), 1);
	assert_int_equal(stmt_int(&s, 0), 1);
	assert_null(stmt_text(&s, 1));
	assert_string_equal(stmt_text0(&s, 1), "");
	stmt_release(&s);
	db_close(db);
}

static void a_newer_database_is_refused(void **state)
{
	struct place *p = *state;
	struct db_spec spec = { p->dir, &schema_1, NULL, NULL };
	struct db *db = open_db(p, &schema_2);
	struct err e = ERR_INIT;

	put(db, "a", 1);
	db_close(db);
	db = NULL;
	assert_int_equal(db_open(&spec, &db, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "newer kvbox"));
	assert_null(db);
}

static void garbage_is_reported_as_damage(void **state)
{
	struct place *p = *state;
	struct db_spec spec = { p->dir, &schema_1, NULL, NULL };
	auto_free char *path = xasprintf("%s/kvbox.db", p->dir);
	struct db *db = NULL;
	struct err e = ERR_INIT;
	char junk[8192];

	memset(junk, 'x', sizeof(junk));
	assert_ok(file_write_replace(AT_FDCWD, path, junk, sizeof(junk), 0600, &e));
	assert_int_equal(db_open(&spec, &db, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

/* Several processes that create and write at the same time lose nothing and never see "busy". */
static void writers_queue(void **state)
{
	enum { WRITERS = 6, ROWS = 25 };
	struct place *p = *state;
	pid_t pids[WRITERS];
	struct db *db;

	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		assert_true(pids[w] >= 0);
		if (pids[w] > 0)
			continue;
		db = open_db(p, &schema_1);
		for (int i = 0; i < ROWS; i++) {
			char key[32];

			snprintf(key, sizeof(key), "%d-%d", w, i);
			put(db, key, i);
		}
		db_close(db);
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		int status;

		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	db = open_db(p, &schema_1);
	assert_int_equal(count(db), WRITERS * ROWS);
	db_close(db);
}

static void a_reader_is_not_held_up_by_a_writer(void **state)
{
	struct db *writer = open_db(*state, &schema_1), *reader;
	struct err e = ERR_INIT;
	struct tx tx = TX_INIT;

	put(writer, "a", 1);
	assert_ok(tx_begin(&tx, writer, &e));
	insert(writer, "b", 2);
	reader = open_db(*state, &schema_1);
	assert_int_equal(count(reader), 1);
	assert_ok(tx_commit(&tx, &e));
	assert_int_equal(count(reader), 2);
	db_close(reader);
	db_close(writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(reading_what_does_not_exist_reads_nothing_and_makes_nothing),
		TEST(the_first_transaction_creates),
		TEST(a_database_that_cannot_be_made_leaves_no_files),
		TEST(closing_keeps_the_log_and_does_not_checkpoint),
		TEST(a_log_that_was_copied_is_emptied_unless_somebody_reads_it),
		TEST(a_statement_used_again_begins_anew),
		TEST(more_statements_than_are_kept_work_as_well),
		TEST(leaving_without_commit_rolls_back),
		TEST(a_failed_inner_transaction_spoils_the_outer_one),
		TEST(a_broken_constraint_is_a_conflict),
		TEST(bad_sql_and_bad_binds_are_reported_by_the_step),
		TEST(an_older_database_is_migrated_and_keeps_its_rows),
		TEST(a_newer_database_is_refused),
		TEST(garbage_is_reported_as_damage),
		TEST(writers_queue),
		TEST(a_reader_is_not_held_up_by_a_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
