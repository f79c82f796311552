#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images out of registries and archives: real registries where they behave, bad-registry where not.
# shellcheck disable=SC2154 # $registry, $registry_url: registry_start; $stderr...: run

bats_require_minimum_version 1.5.0
load registry

: "${KVBOX:=$BATS_TEST_DIRNAME/../../build/release/kvbox}"

setup()
{
	dir=$(mktemp -d "${TMPDIR:-/tmp}/kvbox-pull-XXXXXX")
	export KVBOX_ROOT=$dir/root KVBOX_RUNROOT=$dir/run DOCKER_CONFIG=$dir/docker
	unset DOCKER_DEFAULT_PLATFORM SSL_CERT_FILE
	layer_tar "$dir/a.tar" bin/a etc/a
	layer_tar "$dir/b.tar" bin/b
	gzip -nk "$dir/a.tar"
	gzip -nk "$dir/b.tar"
}

teardown()
{
	registries_stop
	rm -rf -- "$dir"
}

kvbox()
{
	timeout 100 "$KVBOX" "$@"
}

# Nothing in the store that no row names, and no row without its files.
nothing_left_over()
{
	[ -z "$(find "$KVBOX_ROOT/tmp" -mindepth 1)" ]
	run -0 kvbox system check
}

store_files()
{
	find "$KVBOX_ROOT"/{blobs/sha256,layers,chains,tmp} -type f | wc -l
}

start_bad()
{
	bad=$(free_port)
	registry_spawn "$dir/bad.log" "$BATS_TEST_DIRNAME/bad-registry" "$bad" "$dir/a.tar.gz" \
		"$(free_port "$bad")"
	wait_port "$bad"
}

# bad_pull NAME TEXT: the pull fails with one line that has this text, and leaves nothing.
bad_pull()
{
	run -1 --separate-stderr kvbox pull "localhost:$bad/$1"
	[ "${#stderr_lines[@]}" -eq 1 ] || {
		echo "$stderr"
		return 1
	}
	[[ $stderr == *"$2"* ]] || {
		echo "'$stderr' lacks '$2'"
		return 1
	}
	[[ $stderr != *$'\x1b'* && $stderr != *hush* ]]
	nothing_left_over
}

@test "pull prints what docker prints and images shows it" {
	registry_start "$dir/r"
	digest=$("$BATS_TEST_DIRNAME/registry-push" "$registry_url" a/b:1 \
		"linux/amd64=$dir/a.tar.gz,$dir/b.tar.gz")
	a=$(sha256sum < "$dir/a.tar.gz")
	b=$(sha256sum < "$dir/b.tar.gz")
	run -0 --separate-stderr kvbox pull "$registry/a/b:1"
	[ -z "$stderr" ]
	[ "${lines[0]}" = "1: Pulling from a/b" ]
	[ "${lines[1]}" = "${a:0:12}: Pulling fs layer" ]
	[ "${lines[2]}" = "${b:0:12}: Pulling fs layer" ]
	[[ $output == *"${a:0:12}: Pull complete"* ]]
	[[ $output == *"${b:0:12}: Pull complete"* ]]
	[ "${lines[-3]}" = "Digest: $digest" ]
	[ "${lines[-2]}" = "Status: Downloaded newer image for $registry/a/b:1" ]
	[ "${lines[-1]}" = "$registry/a/b:1" ]
	run -0 kvbox images
	[[ ${lines[1]} == "$registry/a/b "*" 1 "* ]]
	run -0 kvbox pull -q "$registry/a/b:1"
	[ "$output" = "$registry/a/b:1" ]
	run -0 kvbox events --since 1h --until 0s -f event=pull --format '{{.Actor.ID}} {{.Actor.Attributes.name}}'
	[ "${lines[0]}" = "$registry/a/b:1 $registry/a/b" ]
	nothing_left_over
}

@test "a second pull fetches no blob and says that the image is up to date" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:latest "linux/amd64=$dir/a.tar.gz"
	kvbox pull "$registry/x"
	rm -r "$dir/r/data/docker/registry/v2/blobs/sha256/$(sha256sum < "$dir/a.tar.gz" | cut -c 1-2)"
	run -0 kvbox pull "$registry/x"
	[ "${lines[0]}" = "Using default tag: latest" ]
	[[ $output != *"Pull complete"* ]]
	[ "${lines[-2]}" = "Status: Image is up to date for $registry/x:latest" ]
}

@test "images share layers, and a layer that exists is not fetched again" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 "linux/amd64=$dir/a.tar.gz"
	"$BATS_TEST_DIRNAME/registry-push" --docker "$registry_url" x:2 \
		"linux/amd64=$dir/a.tar.gz,$dir/b.tar.gz,$dir/b.tar.gz"
	a=$(sha256sum < "$dir/a.tar.gz")
	kvbox pull "$registry/x:1"
	run -0 kvbox pull "$registry/x:2"
	[[ $output == *"${a:0:12}: Already exists"* ]]
	[ "$(find "$KVBOX_ROOT/layers" -type f | wc -l)" -eq 2 ]
	[ "$(find "$KVBOX_ROOT/chains" -type f | wc -l)" -eq 2 ]
	kvbox rmi "$registry/x:2"
	[ "$(find "$KVBOX_ROOT/layers" -type f | wc -l)" -eq 1 ]
	nothing_left_over
	kvbox rmi "$registry/x:1"
	[ "$(store_files)" -eq 0 ]
	nothing_left_over
}

@test "layers may be plain, gzip or zstd" {
	registry_start "$dir/r"
	zstd -q "$dir/b.tar"
	layer_tar "$dir/c.tar" c
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz,$dir/b.tar.zst,$dir/c.tar"
	run -0 kvbox pull "$registry/x:1"
	[ "$(find "$KVBOX_ROOT/layers" -type f | wc -l)" -eq 3 ]
	nothing_left_over
}

@test "the platform is chosen from an index, by default this machine's" {
	registry_start "$dir/r"
	for kind in "" --docker; do
		"$BATS_TEST_DIRNAME/registry-push" $kind "$registry_url" "x:1$kind" \
			"linux/arm64/v8=$dir/a.tar.gz" "linux/amd64=$dir/b.tar.gz"
		run -0 kvbox pull "$registry/x:1$kind"
		run -0 kvbox image inspect "$registry/x:1$kind"
		[[ $output == *'"Architecture": "amd64"'* ]]
		run -0 kvbox pull --platform linux/arm64 "$registry/x:1$kind"
		run -0 kvbox image inspect "$registry/x:1$kind"
		[[ $output == *'"Architecture": "arm64"'* ]]
		run -1 kvbox pull --platform linux/s390x "$registry/x:1$kind"
		[[ $output == *"no matching manifest for linux/s390x in the manifest list entries"* ]]
	done
	DOCKER_DEFAULT_PLATFORM=linux/arm/v7 run -1 kvbox pull "$registry/x:1"
	[[ $output == *"no matching manifest for linux/arm/v7 in the manifest list entries"* ]]
	nothing_left_over
}

@test "an image of one platform is refused when another was asked for" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 "linux/amd64=$dir/a.tar.gz"
	run -1 kvbox pull --platform linux/arm64 "$registry/x:1"
	[[ $output == *"wanted linux/arm64, actual: linux/amd64"* ]]
}

@test "pull by digest" {
	registry_start "$dir/r"
	digest=$("$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 "linux/amd64=$dir/a.tar.gz")
	run -0 kvbox pull "$registry/x@$digest"
	[ "${lines[0]}" = "$digest: Pulling from x" ]
	[ "${lines[-1]}" = "$registry/x@$digest" ]
	run -0 kvbox image inspect "$registry/x@$digest"
	run -1 kvbox pull "$registry/x@sha256:$(printf '0%.0s' {1..64})"
	[[ $output == *"manifest unknown"* ]]
}

@test "a registry with TLS is found out and its certificate checked" {
	registry_start "$dir/r" tls
	"$BATS_TEST_DIRNAME/registry-push" --ca "$dir/r/ca.pem" "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz"
	run -1 kvbox pull "$registry/x:1"
	[[ $output == *"x509: certificate signed by unknown authority"* ]]
	SSL_CERT_FILE=$dir/r/ca.pem run -0 kvbox pull "$registry/x:1"
	nothing_left_over
}

@test "name and password come from docker's config.json and appear nowhere" {
	registry_start "$dir/r" htpasswd
	"$BATS_TEST_DIRNAME/registry-push" --user alice:s3cret "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz"
	run -1 kvbox pull "$registry/x:1"
	[[ $output == *"no basic auth credentials"* ]]
	mkdir -p "$DOCKER_CONFIG"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" \
		"$(printf alice:wrong | base64)" > "$DOCKER_CONFIG/config.json"
	run -1 kvbox pull "$registry/x:1"
	[[ $output == *"pull access denied for $registry/x"*unauthorized* ]]
	[[ $output != *wrong* ]]
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" \
		"$(printf alice:s3cret | base64)" > "$DOCKER_CONFIG/config.json"
	KVBOX_DEBUG=1 run -0 kvbox pull "$registry/x:1"
	[[ $output != *s3cret* && $output != *"$(printf alice:s3cret | base64)"* ]]
	nothing_left_over
}

@test "tokens: anonymous, with a password, and refused" {
	registry_start "$dir/r" plain
	for name in public/x private/x; do
		"$BATS_TEST_DIRNAME/registry-push" "$registry_url" "$name:1" \
			"linux/amd64=$dir/a.tar.gz"
	done
	registries_stop
	registry_start "$dir/r" token
	run -0 kvbox pull "$registry/public/x:1"
	run -1 kvbox pull "$registry/private/x:1"
	[[ $output == *"pull access denied for $registry/private/x, repository does not exist or may require"* ]]
	mkdir -p "$DOCKER_CONFIG"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" \
		"$(printf alice:s3cret | base64)" > "$DOCKER_CONFIG/config.json"
	run -0 kvbox pull "$registry/private/x:1"
	grep -q '^- repository:public/x:pull$' "$dir/r/token.log"
	grep -q '^alice repository:private/x:pull$' "$dir/r/token.log"
	nothing_left_over
}

@test "what is not there is told in docker's words" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 "linux/amd64=$dir/a.tar.gz"
	run -1 kvbox pull "$registry/x:2"
	[[ $output == *"manifest for $registry/x:2 not found: manifest unknown: manifest unknown"* ]]
	run -1 kvbox pull "$registry/nope"
	[[ $output == *"manifest for $registry/nope:latest not found"* ]]
	run -1 kvbox pull "localhost:$(free_port)/x"
	[[ $output == *"connect: connection refused"* ]]
	run -1 kvbox pull nosuchhost.invalid/x
	[[ $output == *"lookup nosuchhost.invalid: no such host"* ]]
	nothing_left_over
}

@test "a registry that misbehaves gives one clear line and leaves nothing" {
	start_bad
	bad_pull error "received unexpected HTTP status: 500 Internal Server Error"
	bad_pull busy "toomanyrequests: slow down"
	bad_pull nothing "manifest unknown"
	bad_pull page "manifest: invalid JSON"
	bad_pull endless "larger than"
	bad_pull schema1 "schema 1"
	bad_pull liar "manifest verification failed for digest sha256:000"
	bad_pull private "no basic auth credentials"
	bad_pull circle "stopped after 10 redirects"
	bad_pull outside "refusing to use 'http://registry.example/v2/x': it is not https"
	bad_pull wrong-digest "filesystem layer verification failed for digest sha256:222"
	bad_pull wrong-diffid "does not unpack to what the image's configuration says"
	bad_pull missing-layer "blob of localhost:$bad/missing-layer not found"
	bad_pull truncated "unexpected EOF"
	bad_pull too-long "is larger than the"
	bad_pull too-short "instead of the"
	bad_pull confused "another part"
	[ "$(store_files)" -eq 0 ] || kvbox system check --repair
	[ "$(store_files)" -eq 0 ]
}

@test "a broken connection is taken up again where it broke" {
	start_bad
	size=$(stat -c %s "$dir/a.tar.gz")
	run -0 kvbox pull "localhost:$bad/flaky"
	grep -q "bytes=$((size / 2))-" "$dir/bad.log"
	run -0 kvbox rmi "localhost:$bad/flaky"
	run -0 kvbox pull "localhost:$bad/forgetful"
	nothing_left_over
}

@test "credentials do not follow a redirect to another host" {
	start_bad
	mkdir -p "$DOCKER_CONFIG"
	printf '{"auths":{"localhost:%s":{"auth":"%s"}}}' "$bad" \
		"$(printf alice:s3cret | base64)" > "$DOCKER_CONFIG/config.json"
	run -0 kvbox pull "localhost:$bad/private"
	grep -q '^GET /v2/private/blobs/.* secret$' "$dir/bad.log"
	grep -q '^GET /v2/private/elsewhere/.* -$' "$dir/bad.log"
	run -1 grep -q '^GET /v2/private/elsewhere/.* secret$' "$dir/bad.log"
}

@test "two pulls of one image at a time both succeed" {
	registry_start "$dir/r"
	head -c 20000000 /dev/urandom > "$dir/random"
	tar -C "$dir" -czf "$dir/big.tar.gz" random
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz,$dir/big.tar.gz"
	kvbox pull "$registry/x:1" > "$dir/1" 2>&1 3>&- &
	first=$!
	kvbox pull "$registry/x:1" > "$dir/2" 2>&1 3>&-
	wait "$first"
	tail -n 1 "$dir/1" "$dir/2"
	nothing_left_over
}

@test "a pull that is killed leaves nothing that the next does not clean up" {
	registry_start "$dir/r"
	head -c 30000000 /dev/urandom > "$dir/random"
	tar -C "$dir" -czf "$dir/big.tar.gz" random
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz,$dir/big.tar.gz"
	for delay in 0.02 0.05 0.1 0.2; do
		"$KVBOX" pull "$registry/x:1" > /dev/null 2>&1 3>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2> /dev/null || true
		wait "$pid" || true
		kvbox images > /dev/null
	done
	run kvbox system check --repair
	run -0 kvbox system check
	run -0 kvbox pull "$registry/x:1"
	nothing_left_over
}

@test "interrupting a pull ends it at once and leaves nothing" {
	local slow

	slow=$(free_port)
	# A registry that never answers, and tells of each connection whether something came on it.
	registry_spawn "$dir/asked" python3 -c 'import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen()
calls = []
while True:
    calls.append(s.accept()[0]); print(len(calls[-1].recv(1)), flush=True)' "$slow"
	wait_port "$slow"
	# A shell without job control starts what is in the background deaf to SIGINT.
	env --default-signal=INT "$KVBOX" pull "localhost:$slow/x" > "$dir/out" 2>&1 3>&- &
	pid=$!
	# shellcheck disable=SC2016 # for the other shell
	timeout 100 sh -c 'until grep -q 1 "$1"; do sleep 0.05; done' sh "$dir/asked"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
}

@test "load takes what skopeo writes, plain or compressed, from a file or a pipe" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 \
		"linux/amd64=$dir/a.tar.gz,$dir/b.tar.gz"
	skopeo copy -q --src-tls-verify=false "docker://$registry/x:1" \
		"docker-archive:$dir/docker.tar:some/name:2"
	skopeo copy -q --src-tls-verify=false "docker://$registry/x:1" \
		"oci-archive:$dir/oci.tar:other/name:3"
	run -0 kvbox load -i "$dir/docker.tar"
	[ "$output" = "Loaded image: some/name:2" ]
	nothing_left_over
	kvbox rmi some/name:2
	[ "$(store_files)" -eq 0 ]
	gzip -k "$dir/docker.tar"
	run -0 kvbox load -i "$dir/docker.tar.gz"
	[ "$output" = "Loaded image: some/name:2" ]
	run -0 kvbox load < <(cat "$dir/oci.tar")
	[ "$output" = "Loaded image: other/name:3" ]
	run -0 kvbox image inspect some/name:2 other/name:3
	nothing_left_over
}

@test "load takes several images of one archive and tells what loses its name" {
	registry_start "$dir/r"
	for n in a b; do
		"$BATS_TEST_DIRNAME/registry-push" "$registry_url" "$n:1" "linux/amd64=$dir/$n.tar.gz"
	done
	skopeo copy -q --src-tls-verify=false "docker://$registry/a:1" \
		"docker-archive:$dir/one.tar:x:1"
	skopeo copy -q --src-tls-verify=false "docker://$registry/b:1" \
		"docker-archive:$dir/two.tar:x:1"
	mkdir "$dir/all"
	tar -C "$dir/all" -xf "$dir/one.tar"
	mv "$dir/all/manifest.json" "$dir/one.json"
	tar -C "$dir/all" -xf "$dir/two.tar"
	python3 - "$dir" <<- 'END'
		import json, sys
		d = sys.argv[1]
		one, two = (json.load(open(f"{d}/{n}")) for n in ("one.json", "all/manifest.json"))
		two[0]["RepoTags"] = None
		json.dump(one + two, open(f"{d}/all/manifest.json", "w"))
	END
	tar -C "$dir/all" -cf "$dir/all.tar" .
	run -0 kvbox load -i "$dir/all.tar"
	[ "${lines[0]}" = "Loaded image: x:1" ]
	[[ ${lines[1]} == "Loaded image ID: sha256:"* ]]
	run -0 kvbox load -i "$dir/two.tar"
	[[ ${lines[0]} == "The image x:1 already exists, renaming the old one with ID sha256:"* ]]
	[ "${lines[1]}" = "Loaded image: x:1" ]
	nothing_left_over
}

@test "a bad archive gives one clear line and leaves nothing" {
	registry_start "$dir/r"
	"$BATS_TEST_DIRNAME/registry-push" "$registry_url" x:1 "linux/amd64=$dir/a.tar.gz"
	skopeo copy -q --src-tls-verify=false "docker://$registry/x:1" \
		"docker-archive:$dir/good.tar:x:1"
	mkdir "$dir/t"
	tar -C "$dir/t" -xf "$dir/good.tar"
	layer=$(cd "$dir/t" && find . -name '*.tar' -type f)
	declare -A bad=(
		[empty.tar]="neither manifest.json nor index.json"
		[text]="cannot read the archive"
		[cut.tar]="cannot read the archive"
		[missing.tar]="is missing"
		[wrong.tar]="does not unpack to what the image's configuration says"
		[sparse.tar]="the archive has a sparse file"
		[huge.tar]="is larger than 68719476736 bytes"
	)
	tar -cf "$dir/empty.tar" -T /dev/null
	seq 100000 > "$dir/text"
	head -c 3000 "$dir/good.tar" > "$dir/cut.tar"
	tar -C "$dir/t" -cf "$dir/missing.tar" --exclude "$layer" .
	cp "$dir/b.tar" "$dir/t/$layer"
	tar -C "$dir/t" -cf "$dir/wrong.tar" .
	# one that is mostly holes, and one whose size is a lie
	truncate -s 1T "$dir/t/holes"
	tar -C "$dir/t" -cSf "$dir/sparse.tar" .
	python3 -c '
import sys, tarfile
info = tarfile.TarInfo("blobs/sha256/big")
info.size = 1 << 50
sys.stdout.buffer.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))' > "$dir/huge.tar"
	for name in "${!bad[@]}"; do
		run -1 --separate-stderr kvbox load -i "$dir/$name"
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"${bad[$name]}"* ]] || {
			echo "$name: '$stderr'"
			return 1
		}
		nothing_left_over
		[ "$(store_files)" -eq 0 ]
	done
}
