# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # what registry_start sets is for the caller
# Registries for bats tests. Everything started here is ended by registries_stop (call it in teardown).

registry_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# free_port [TAKEN]: a port that was free a moment ago, and is not TAKEN.
free_port()
{
	python3 -c 'import socket, sys
held = []
while True:
    held.append(socket.socket()); held[-1].bind(("127.0.0.1", 0))
    port = held[-1].getsockname()[1]
    if str(port) not in sys.argv[1:]: break
print(port)' "$@"
}

# wait_port PORT: until somebody listens.
wait_port()
{
	local i

	for ((i = 0; i < 2000; i++)); do
		if (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then
			return 0
		fi
		sleep 0.05
	done
	echo "nobody listens on port $1" >&2
	return 1
}

# registry_spawn LOG COMMAND...: in the background, its pid remembered.
registry_spawn()
{
	local log=$1

	shift
	"$@" > "$log" 2>&1 3>&- &
	registry_pids+=("$!")
}

registry_pids=()
registries_stop()
{
	local pid

	for pid in "${registry_pids[@]}"; do
		kill "$pid" 2> /dev/null || true
		wait "$pid" 2> /dev/null || true
	done
	registry_pids=()
}

# registry_certificate FOLDER: ca.pem, and key.pem and cert.pem for localhost and 127.0.0.1.
registry_certificate()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=kvbox test CA" \
		-keyout "$1/ca.key" -out "$1/ca.pem" 2> /dev/null
	openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$1/key.pem" \
		-out "$1/request.pem" 2> /dev/null
	openssl x509 -req -in "$1/request.pem" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial \
		-days 2 -extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) \
		-out "$1/cert.pem" 2> /dev/null
}

# registry_start FOLDER [plain|tls|htpasswd|token]: a real docker-registry; sets $registry (host:port)
# and $registry_url. "htpasswd" and "token" know alice, whose password is "s3cret".
registry_start()
{
	local folder=$1 kind=${2:-plain} port scheme=http token_port

	port=$(free_port)
	mkdir -p "$folder"
	{
		printf 'version: 0.1\nlog: {level: error}\n'
		printf 'storage: {filesystem: {rootdirectory: %s/data}}\n' "$folder"
		printf 'http:\n  addr: 127.0.0.1:%s\n' "$port"
		case $kind in
		tls)
			registry_certificate "$folder"
			printf '  tls: {certificate: %s/cert.pem, key: %s/key.pem}\n' \
				"$folder" "$folder"
			;;
		htpasswd)
			htpasswd -Bbc "$folder/htpasswd" alice s3cret 2> /dev/null
			printf 'auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n' "$folder"
			;;
		token)
			registry_certificate "$folder"
			token_port=$(free_port "$port")
			printf 'auth: {token: {realm: "http://127.0.0.1:%s/token", ' "$token_port"
			printf 'service: test, issuer: kvbox, rootcertbundle: %s/ca.pem}}\n' \
				"$folder"
			;;
		esac
	} > "$folder/config.yml"
	if [ "$kind" = token ]; then
		registry_spawn "$folder/token.log" "$registry_here/token-server" "$token_port" \
			"$folder/key.pem" "$folder/cert.pem" kvbox
		wait_port "$token_port"
	fi
	[ "$kind" = tls ] && scheme=https
	registry_spawn "$folder/log" docker-registry serve "$folder/config.yml"
	wait_port "$port"
	registry=localhost:$port
	registry_url=$scheme://127.0.0.1:$port
}

# layer_tar FILE NAME...: a small layer with those files, whose content is their name.
layer_tar()
{
	local out=$1 tmp name

	shift
	tmp=$(mktemp -d)
	for name in "$@"; do
		mkdir -p "$tmp/$(dirname "$name")"
		echo "$name" > "$tmp/$name"
	done
	tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$tmp" -f "$out" .
	rm -rf -- "$tmp"
}
