/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/inspect_json.h"
#include "cmd/run_spec.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define S  INT64_C(1000000000)

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

/* Parses what was written back, so that the tests look at values and not at blanks. */
static struct json *parse(const struct str *text)
{
	struct err e = ERR_INIT;
	struct json *j = NULL;

	assert_ok(json_parse(text->buf, text->len, &j, &e));
	return j;
}

static struct json *container_json(struct container *row, struct container_spec *spec, int64_t pid)
{
	char driver[] = "qemu", confinement[] = "{\"Applied\":[\"landlock\"]}";
	const struct vmstate vm = { .vmm_pid = pid, .driver = driver, .confinement = confinement };
	const struct inspect_container c = {
		.row = row,
		.spec = spec,
		.log_path = "/log",
		.disk_path = "/disk",
		.vm = pid ? &vm : NULL,
	};
	auto_str struct str out = STR_INIT(65536);
	struct json_writer w;

	jw_init(&w, &out, 4);
	inspect_container_json(&w, &c);
	return parse(&out);
}

static const struct json *at(const struct json *j, const char *first, const char *second)
{
	j = json_get(j, first);
	return second ? json_get(j, second) : j;
}

static void a_running_container_has_dockers_fields(void **state)
{
	struct container row = {
		.id = ID, .state = ST_RUNNING, .created_ns = 1 * S, .started_ns = 2 * S
	};
	auto_spec struct container_spec spec;
	auto_json struct json *j = NULL;

	(void)state;
	row.name = xstrdup("web");
	spec_init(&spec);
	strv_add(&spec.args, "/bin/sh");
	strv_add(&spec.args, "-c");
	strv_add(&spec.cmd, "-c");
	strv_add(&spec.entrypoint, "/bin/sh");
	strv_add(&spec.env, RUN_PATH_DEFAULT);
	strv_add(&spec.env, "HOSTNAME=h");
	strv_add(&spec.env, "A=1");
	strv_add(&spec.labels, "k=v=w");
	set_text(&spec.hostname, "h");
	set_text(&spec.image_ref, "img");
	set_text(&spec.image_id, "sha256:" ID);
	spec.memory = 64;
	j = container_json(&row, &spec, 77);
	assert_string_equal(json_str(at(j, "Id", NULL)), ID);
	assert_string_equal(json_str(at(j, "Name", NULL)), "/web");
	assert_string_equal(json_str(at(j, "Path", NULL)), "/bin/sh");
	assert_string_equal(json_str(json_at(at(j, "Args", NULL), 0)), "-c");
	assert_string_equal(json_str(at(j, "Created", NULL)), "1970-01-01T00:00:01Z");
	assert_string_equal(json_str(at(j, "State", "Status")), "running");
	assert_true(json_bool(at(j, "State", "Running")));
	assert_int_equal(json_int(at(j, "State", "Pid"), 0), 77);
	assert_string_equal(json_str(at(j, "State", "StartedAt")), "1970-01-01T00:00:02Z");
	assert_string_equal(json_str(at(j, "State", "FinishedAt")), "0001-01-01T00:00:00Z");
	assert_string_equal(json_str(at(j, "Config", "Image")), "img");
	assert_int_equal(json_len(at(j, "Config", "Env")), 2);
	assert_string_equal(json_str(json_at(at(j, "Config", "Env"), 1)), "A=1");
	assert_string_equal(json_str(json_get(at(j, "Config", "Labels"), "k")), "v=w");
	assert_null(json_str(at(j, "Config", "StopSignal")));
	assert_int_equal(json_int(at(j, "HostConfig", "Memory"), 0), 64);
	assert_string_equal(json_str(at(j, "HostConfig", "NetworkMode")), "none");
	assert_true(json_is_object(json_get(at(j, "NetworkSettings", "Networks"), "none")));
	assert_string_equal(json_str(json_get(at(j, "Kvbox", "Vmm"), "Driver")), "qemu");
	assert_string_equal(
		json_str(json_at(json_get(at(j, "Kvbox", "Confinement"), "Applied"), 0)),
		"landlock");
	container_release(&row);
}

static void states_are_told_in_dockers_words(void **state)
{
	static const struct {
		enum state st;
		const char *word;
		bool running, paused;
	} cases[] = {
		{ ST_CREATED, "created", false, false },
		{ ST_STARTING, "created", false, false },
		{ ST_PAUSED, "paused", true, true },
		{ ST_STOPPING, "running", true, false },
		{ ST_RESTARTING, "restarting", true, false },
		{ ST_EXITED, "exited", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container row = { .id = ID, .state = cases[i].st };
		auto_spec struct container_spec spec;
		auto_json struct json *j = NULL;

		spec_init(&spec);
		row.name = xstrdup("x");
		j = container_json(&row, &spec, 0);
		assert_null(at(j, "Kvbox", NULL));
		assert_string_equal(json_str(at(j, "State", "Status")), cases[i].word);
		assert_int_equal(json_bool(at(j, "State", "Running")), cases[i].running);
		assert_int_equal(json_bool(at(j, "State", "Paused")), cases[i].paused);
		container_release(&row);
	}
}

/* "a,b,c" */
static void keys_of(const struct json *j, struct str *ret)
{
	const struct json *value;
	const char *key;

	for (size_t i = 0; json_entry(j, i, &key, &value); i++)
		str_addf(ret, "%s%s", i ? "," : "", key);
}

static void assert_keys(const struct json *j, const char *want)
{
	auto_str struct str got = STR_INIT(65536);

	keys_of(j, &got);
	assert_string_equal(got.buf, want);
}

/* Docker 28's, in its order: who reads them positionally or compares whole objects finds the same. */
static void members_and_their_order_are_dockers(void **state)
{
	struct container row = { .id = ID, .state = ST_CREATED };
	auto_spec struct container_spec spec;
	auto_json struct json *j = NULL;

	(void)state;
	spec_init(&spec);
	row.name = xstrdup("x");
	j = container_json(&row, &spec, 0);
	assert_keys(j, "Id,Created,Path,Args,State,Image,ResolvConfPath,HostnamePath,HostsPath,"
		       "LogPath,Name,RestartCount,Driver,Platform,MountLabel,ProcessLabel,"
		       "AppArmorProfile,ExecIDs,HostConfig,GraphDriver,Mounts,Config,"
		       "NetworkSettings");
	assert_keys(at(j, "State", NULL),
		    "Status,Running,Paused,Restarting,OOMKilled,Dead,Pid,ExitCode,Error,StartedAt,"
		    "FinishedAt");
	assert_keys(at(j, "HostConfig", NULL),
		    "Binds,ContainerIDFile,LogConfig,NetworkMode,PortBindings,RestartPolicy,"
		    "AutoRemove,VolumeDriver,VolumesFrom,ConsoleSize,CapAdd,CapDrop,CgroupnsMode,"
		    "Dns,DnsOptions,DnsSearch,ExtraHosts,GroupAdd,IpcMode,Cgroup,Links,OomScoreAdj,"
		    "PidMode,Privileged,PublishAllPorts,ReadonlyRootfs,SecurityOpt,UTSMode,"
		    "UsernsMode,ShmSize,Runtime,Isolation,CpuShares,Memory,NanoCpus,CgroupParent,"
		    "BlkioWeight,BlkioWeightDevice,BlkioDeviceReadBps,BlkioDeviceWriteBps,"
		    "BlkioDeviceReadIOps,BlkioDeviceWriteIOps,CpuPeriod,CpuQuota,CpuRealtimePeriod,"
		    "CpuRealtimeRuntime,CpusetCpus,CpusetMems,Devices,DeviceCgroupRules,"
		    "DeviceRequests,MemoryReservation,MemorySwap,MemorySwappiness,OomKillDisable,"
		    "PidsLimit,Ulimits,CpuCount,CpuPercent,IOMaximumIOps,IOMaximumBandwidth,"
		    "MaskedPaths,ReadonlyPaths");
	assert_keys(at(j, "Config", NULL),
		    "Hostname,Domainname,User,AttachStdin,AttachStdout,AttachStderr,Tty,OpenStdin,"
		    "StdinOnce,Env,Cmd,Image,Volumes,WorkingDir,Entrypoint,OnBuild,Labels");
	assert_keys(at(j, "NetworkSettings", NULL),
		    "Bridge,SandboxID,SandboxKey,Ports,HairpinMode,LinkLocalIPv6Address,"
		    "LinkLocalIPv6PrefixLen,SecondaryIPAddresses,SecondaryIPv6Addresses,EndpointID,"
		    "Gateway,IPAddress,IPPrefixLen,IPv6Gateway,GlobalIPv6Address,"
		    "GlobalIPv6PrefixLen,MacAddress,Networks");
	assert_keys(
		json_get(at(j, "NetworkSettings", "Networks"), "none"),
		"IPAMConfig,Links,Aliases,MacAddress,DriverOpts,GwPriority,NetworkID,EndpointID,"
		"Gateway,IPAddress,IPPrefixLen,IPv6Gateway,GlobalIPv6Address,"
		"GlobalIPv6PrefixLen,DNSNames");
	container_release(&row);
}

static void health_is_shown_where_there_is_a_check(void **state)
{
	static const char log[] = "{\"Status\":\"healthy\",\"FailingStreak\":0,\"Log\":[]}";
	static const struct {
		const char *test, *health;
		int64_t started;
		const char *want; /* State.Health.Status, NULL: no State.Health */
	} cases[] = {
		{ NULL, "", 1, NULL },	      { "CMD", "", 0, NULL },  { "CMD", "", 1, "starting" },
		{ "CMD", log, 1, "healthy" }, { "NONE", "", 1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container row = { .id = ID,
					 .state = ST_RUNNING,
					 .started_ns = cases[i].started };
		auto_spec struct container_spec spec;
		auto_json struct json *j = NULL;
		const struct json *health;

		spec_init(&spec);
		row.name = xstrdup("x");
		row.health = xstrdup(cases[i].health);
		if (cases[i].test)
			strv_add(&spec.health.test, cases[i].test);
		j = container_json(&row, &spec, 0);
		health = at(j, "State", "Health");
		if (cases[i].want)
			assert_string_equal(json_str(json_get(health, "Status")), cases[i].want);
		else
			assert_null(health);
		container_release(&row);
	}
}

static void sizes_are_shown_when_asked_for(void **state)
{
	struct container row = { .id = ID, .name = xstrdup("x") };
	auto_spec struct container_spec spec;
	const struct inspect_container c = { .row = &row,
					     .spec = &spec,
					     .log_path = "",
					     .disk_path = "/disk",
					     .size = true,
					     .size_rw = 5,
					     .size_root = 7 };
	auto_str struct str out = STR_INIT(65536);
	auto_json struct json *j = NULL;
	struct json_writer w;

	(void)state;
	spec_init(&spec);
	jw_init(&w, &out, 0);
	inspect_container_json(&w, &c);
	j = parse(&out);
	assert_int_equal(json_int(at(j, "SizeRw", NULL), 0), 5);
	assert_int_equal(json_int(at(j, "SizeRootFs", NULL), 0), 7);
	assert_string_equal(json_str(json_get(at(j, "GraphDriver", "Data"), "UpperDisk")), "/disk");
	container_release(&row);
}

static void an_image_has_dockers_fields(void **state)
{
	auto_str struct str out = STR_INIT(65536);
	auto_image struct image image;
	auto_json struct json *j = NULL;
	struct json_writer w;

	(void)state;
	image_init(&image);
	set_text(&image.id, "sha256:" ID);
	image.created = 1 * S;
	image.size = 42;
	strv_add(&image.tags, "a:b");
	strv_add(&image.config.layers, "sha256:" ID);
	strv_add(&image.config.exposed_ports, "80/tcp");
	image.config.history = xstrdup("[{\"comment\":\"old\"},{\"comment\":\"buildkit\"}]");
	strcpy(image.config.platform.os, "linux");
	strcpy(image.config.platform.arch, "amd64");
	jw_init(&w, &out, 4);
	inspect_image_json(&w, &image);
	j = parse(&out);
	assert_string_equal(json_str(at(j, "Id", NULL)), "sha256:" ID);
	assert_string_equal(json_str(json_at(at(j, "RepoTags", NULL), 0)), "a:b");
	assert_int_equal(json_len(at(j, "RepoDigests", NULL)), 0);
	assert_string_equal(json_str(at(j, "Comment", NULL)), "buildkit");
	assert_keys(j, "Id,RepoTags,RepoDigests,Parent,Comment,Created,DockerVersion,Author,Config,"
		       "Architecture,Os,Size,GraphDriver,RootFS,Metadata");
	assert_keys(at(j, "Config", NULL),
		    "User,ExposedPorts,Env,Cmd,Volumes,WorkingDir,Entrypoint,OnBuild,Labels");
	assert_int_equal(json_int(at(j, "Size", NULL), 0), 42);
	assert_string_equal(json_str(at(j, "Architecture", NULL)), "amd64");
	assert_string_equal(json_str(json_at(at(j, "RootFS", "Layers"), 0)), "sha256:" ID);
	assert_true(json_is_object(json_get(at(j, "Config", "ExposedPorts"), "80/tcp")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_container_has_dockers_fields),
		cmocka_unit_test(states_are_told_in_dockers_words),
		cmocka_unit_test(members_and_their_order_are_dockers),
		cmocka_unit_test(health_is_shown_where_there_is_a_check),
		cmocka_unit_test(sizes_are_shown_when_asked_for),
		cmocka_unit_test(an_image_has_dockers_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
