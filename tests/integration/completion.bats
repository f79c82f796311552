#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the shells offer: the written completions, read by the real shells on a terminal, or as bash calls
# them. The containers of these tests never run, so no test here needs a virtual machine.

load helpers

# Two containers that were never started, and files for the shells to find.
prepare()
{
	kvbox create --name web hello true > "$BATS_TEST_TMPDIR/created"
	kvbox create --name wiki hello true >> "$BATS_TEST_TMPDIR/created"
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/files"
	ln -s "$BINARY" "$BATS_TEST_TMPDIR/bin/kvbox"
	touch "$BATS_TEST_TMPDIR/files/note"
}

# The environment of a shell that completes; kvbox is found there and uses the test's store.
in_shell()
{
	(cd -- "$BATS_TEST_TMPDIR/files" && with_store PATH="$BATS_TEST_TMPDIR/bin:$PATH" \
		HOME="$BATS_TEST_TMPDIR" INPUTRC="$BATS_TEST_TMPDIR/.inputrc" timeout -k 5 280 "$@")
}

# Lines, each with what has to be shown for it (an extended regular expression; a shell may draw the line twice).
lines()
{
	cat <<-'END'
		kvbox ru	kvbox run
		kvbox help sto	kvbox help stop
		kvbox image tag hel	kvbox image tag hello:latest
		kvbox run --entr	kvbox run --entrypoint=?
		kvbox run -it hel	kvbox run -it hello:latest
		kvbox run --name x --rm hello:latest not	kvbox run --name x --rm hello:latest note
		kvbox run --cidfile no	kvbox run --cidfile note
		kvbox --root /nonexistent start we	kvbox --root /nonexistent start we
		kvbox --debug container start we	kvbox --debug container start web
		kvbox start web wik	kvbox start web wiki
		kvbox exec w	kvbox exec w
		kvbox stop --signal QU	kvbox stop --signal QUIT
		kvbox rm -f w	kvbox rm -f w.*web +wiki.*
	END
}

# expect_lines COMMAND...: its output has one line for each of lines().
expect_lines()
{
	local shown expected

	lines | cut -f 1 | in_shell "$@" > "$BATS_TEST_TMPDIR/shown"
	paste -d '\t' <(lines) "$BATS_TEST_TMPDIR/shown" > "$BATS_TEST_TMPDIR/compared"
	while IFS=$'\t' read -r typed expected shown; do
		echo "$shown" | grep -qE -- "(^| )$expected *\$" || fail "'$typed' shows '$shown', not '$expected'"
	done < "$BATS_TEST_TMPDIR/compared"
}

@test "a tab in bash completes commands, options, images, files and containers" {
	prepare
	echo "set show-all-if-ambiguous on" > "$BATS_TEST_TMPDIR/.inputrc"
	expect_lines "$REPO/tests/integration/tab.py" "PS1=; source '$REPO/completions/kvbox.bash'" \
		bash --norc --noprofile -i
}

@test "a tab in zsh completes commands, options, images, files and containers" {
	local setup="fpath=('$REPO/completions' \$fpath); autoload -U compinit; compinit -u -D; PS1="

	command -v zsh || skip "no zsh"
	prepare
	expect_lines "$REPO/tests/integration/tab.py" "$setup" zsh -f -i
}

# fish_offers LINE: what fish would offer, without the descriptions.
fish_offers()
{
	# shellcheck disable=SC2016 # for fish
	in_shell fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$REPO/completions/kvbox.fish" "$1" 2>&1 | cut -f 1
}

@test "fish offers commands, options, images, files and containers" {
	command -v fish || skip "no fish"
	prepare
	[ "$(fish_offers 'kvbox ru')" = run ]
	[ "$(fish_offers 'kvbox help sto')" = stop ]
	[ "$(fish_offers 'kvbox image tag hel')" = hello:latest ]
	[ "$(fish_offers 'kvbox run --entr')" = --entrypoint ]
	[ "$(fish_offers 'kvbox run -it hel')" = hello:latest ]
	[ "$(fish_offers 'kvbox run --name x --rm hello:latest not')" = note ]
	[ "$(fish_offers 'kvbox run hello:latest --r')" = '' ]
	[ "$(fish_offers 'kvbox run --cidfile no')" = note ]
	[ "$(fish_offers 'kvbox --root /nonexistent start we')" = '' ]
	[ "$(fish_offers 'kvbox --debug container start we')" = web ]
	[ "$(fish_offers 'kvbox exec w')" = '' ]
	[ "$(fish_offers 'kvbox stop --signal QU')" = QUIT ]
	[ "$(fish_offers 'kvbox rm -f w' | tr '\n' ' ')" = 'web wiki ' ]
	fish_offers 'kvbox stop -' | grep -qx -- -s
}

# bash_offers LINE: COMP_WORDS as bash makes them of the line, with the cursor at its end.
bash_offers()
{
	# shellcheck disable=SC2016 # for the other bash
	in_shell bash --norc -c '
		compopt() { :; }
		source "$1"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=() rest=$2
		while [[ $rest =~ ^([[:space:]]+|[=:]+|[^[:space:]=:]+) ]]; do
			part=${BASH_REMATCH[0]} rest=${rest#"${BASH_REMATCH[0]}"}
			[[ $part == [[:space:]]* ]] || COMP_WORDS+=("$part")
		done
		[[ $2 != *[[:space:]] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_kvbox
		printf "%s\n" "${COMPREPLY[@]}"' bash "$REPO/completions/kvbox.bash" "$1" | tr '\n' ' '
}

@test "bash replaces only what it takes for the last word" {
	prepare
	[ "$(bash_offers 'kvbox run hello:')" = 'latest ' ]
	[ "$(bash_offers 'kvbox run --rm=')" = 'true false ' ]
	[ "$(bash_offers 'kvbox run --rm=t')" = 'true ' ]
	[ "$(bash_offers 'kvbox run --cidfile=no')" = 'note ' ]
	[ "$(bash_offers 'kvbox run --stop-signal=QU')" = 'QUIT ' ]
}

@test "bash knows where options end" {
	prepare
	[ "$(bash_offers 'kvbox run hello:latest --r')" = ' ' ]
	[ "$(bash_offers 'kvbox run -- --r')" = ' ' ]
	[ "$(bash_offers 'kvbox run -e')" = '-e ' ]
	[ "$(bash_offers 'kvbox run -e --rm hel')" = 'hello:latest ' ]
	[ "$(bash_offers 'kvbox run -itu me hel')" = 'hello:latest ' ]
	[ "$(bash_offers 'kvbox run -itume hel')" = 'hello:latest ' ]
	[ "$(bash_offers 'kvbox rm web -')" = '-f --force -l --link -v --volumes --help ' ]
	[ "$(bash_offers 'kvbox run --ne')" = '--network ' ]
}

@test "the written files are what the shells and mandoc take without complaint" {
	bash -n "$REPO/completions/kvbox.bash"
	shellcheck "$REPO/completions/kvbox.bash"
	command -v zsh || skip "no zsh"
	zsh -n "$REPO/completions/_kvbox"
	command -v fish || skip "no fish"
	fish --no-config -n "$REPO/completions/kvbox.fish"
	for page in "$REPO"/docs/man/kvbox*.1; do
		mandoc -T lint -W warning "$page" || fail "$page"
	done
}

@test "every page that another one names is there" {
	sed -n 's/^\.\(It \)\{0,1\}Xr \(kvbox[^ ]*\) 1.*/\2/p' "$REPO"/docs/man/kvbox*.1 | sort -u > \
		"$BATS_TEST_TMPDIR/named"
	[ -s "$BATS_TEST_TMPDIR/named" ]
	while read -r page; do
		[ -f "$REPO/docs/man/$page.1" ] || fail "no page $page"
	done < "$BATS_TEST_TMPDIR/named"
}

# gen_that COMMAND: checks the written files with the output of gen passed through COMMAND.
gen_that()
{
	local gen

	gen=$(dirname -- "$BINARY")/gen
	[ -x "$gen" ] || fail "no $gen (make integration builds it)"
	printf '#!/bin/sh\n"%s" "$@" | %s\n' "$gen" "$1" > "$BATS_TEST_TMPDIR/gen"
	chmod +x "$BATS_TEST_TMPDIR/gen"
	try "$REPO/scripts/gen" --check "$BATS_TEST_TMPDIR/gen"
}

@test "the written files are up to date and each of Docker's options is there or has a reason" {
	gen_that cat
	expect 0 ''
	[ -z "$err" ] || fail "complaints"
}

@test "an option that went, came or changed is noticed" {
	gen_that 'sed "/^rm\t--force\t/d"'
	expect_error 1 'rm -f, --force is not there and has no reason'
	gen_that 'sed "s/^rm\t--force\t/&/; t more; b; : more; p; s/--force\t-f/--gently\t-/"'
	expect_error 1 'rm --gently is in no list'
	gen_that 'sed "s/^\(rm\t--force\t\)-f/\1-x/"'
	expect_error 1 'rm --force has another short form: -x'
	gen_that 'sed "s/^\(rm\t--force\t-f\t\)bool/\1value/"'
	expect_error 1 'rm --force is of another kind: value'
	gen_that 'sed "s/List containers/List them/"'
	expect 1
	# shellcheck disable=SC2154 # of try
	[[ $out == *'completions/_kvbox is not up to date: make gen'* ]] || fail "not noticed"
	[[ $out == *'docs/man/kvbox-ps.1 is not up to date: make gen'* ]] || fail "not noticed"
}
