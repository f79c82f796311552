# SPDX-License-Identifier: Apache-2.0
# Written by `make gen` out of completions/kvbox.bash.in and the option tables; edits here are lost.
# shellcheck shell=bash
#
# bash completion for kvbox. It needs no other package: `source kvbox.bash`, or put it in
# ~/.local/share/bash-completion/completions/kvbox.

# How the program is called, with the words that choose a store.
_kvbox_ask() {
	"$kvbox" "${store[@]}" "$@" 2>/dev/null
}

# _kvbox_tables COMMAND sets, for "run", "image ls", a family such as "image", or "" (the program):
#	options		every option; a "=" at its end means that a value follows, and behind that stands
#			what the value is: file, dir, image, container, signal. "~" before one hides it
#	commands	the words that may follow
#	operands	what operands are: as values, or running, stopped (containers)
#	places		how many of them, -1: any number
#	stops		not empty when options have to stand before the first operand
_kvbox_containers() {
	_kvbox_ask ps "$@" --format '{{.Names}}'
}

_kvbox_images() {
	_kvbox_ask images --format '{{.Repository}}:{{.Tag}}' | sed '/<none>/d'
}

_kvbox_tables() {
	case $1 in
	'')
		options=(
			--config=dir -D --debug --root=dir --runroot=dir -v --version --help
		)
		commands=(
			run exec ps pull images version info attach create events history inspect kill load logs
			pause rename restart rm rmi start stats stop tag top unpause wait container image system
			help
		)
		stops=yes
		;;
	container)
		commands=(
			attach create exec inspect kill logs ls list ps pause rename restart prune rm remove run
			start stats stop top unpause wait
		)
		options=(--help)
		;;
	image)
		commands=(
			history inspect load ls list prune pull rm remove tag
		)
		options=(--help)
		;;
	system)
		commands=(
			check template events info
		)
		options=(--help)
		;;
	'run' | 'container run')
		options=(
			--add-host= --annotation= -a= --attach= --blkio-weight= --blkio-weight-device= --cap-add=
			--cap-drop= --cgroup-parent= --cgroupns= --cidfile=file --cpu-period= --cpu-quota=
			--cpu-rt-period= --cpu-rt-runtime= -c= --cpu-shares= --cpus= --cpuset-cpus=
			--cpuset-mems= -d --detach --detach-keys= --device= --device-cgroup-rule=
			--device-read-bps= --device-read-iops= --device-write-bps= --device-write-iops=
			~--disable-content-trust --dns= ~--dns-opt= --dns-option= --dns-search= --domainname=
			--entrypoint= -e= --env= --env-file=file --expose= --group-add= --health-cmd=
			--health-interval= --health-retries= --health-start-interval= --health-start-period=
			--health-timeout= -h= --hostname= --init -i --interactive --ipc= ~--kernel-memory= -l=
			--label= --label-file=file --log-driver= --log-opt= -m= --memory= --memory-reservation=
			--memory-swap= --memory-swappiness= --name= ~--net= --network= --no-healthcheck
			--oom-kill-disable --oom-score-adj= --pid= --pids-limit= --platform= --privileged --pull=
			-q --quiet --read-only --restart= --rm --runtime= --security-opt= --shm-size= --sig-proxy
			--stop-signal=signal --stop-timeout= --storage-opt= --sysctl= --tmpfs= --trace=file -t
			--tty --ulimit= -u= --user= --userns= --uts= --vmm= -w= --workdir= --help
		)
		operands=image places=1
		stops=yes
		;;
	'exec' | 'container exec')
		options=(
			-d --detach --detach-keys= -e= --env= --env-file=file -i --interactive --privileged -t
			--tty -u= --user= -w= --workdir= --help
		)
		operands=running places=1
		stops=yes
		;;
	'ps' | 'container ls' | 'container list' | 'container ps')
		options=(
			-a --all -f= --filter= --format= -n= --last= -l --latest --no-trunc -q --quiet -s --size
			--help
		)
		;;
	'pull' | 'image pull')
		options=(
			--platform= -q --quiet --help
		)
		operands=image places=1
		;;
	'images' | 'image ls' | 'image list')
		options=(
			-a --all --digests -f= --filter= --format= --no-trunc -q --quiet --help
		)
		operands=image places=1
		;;
	'version')
		options=(
			-f= --format= --help
		)
		;;
	'info' | 'system info')
		options=(
			-f= --format= --help
		)
		;;
	'attach' | 'container attach')
		options=(
			--detach-keys= --no-stdin --sig-proxy --help
		)
		operands=running places=1
		;;
	'create' | 'container create')
		options=(
			--add-host= --annotation= -a= --attach= --blkio-weight= --blkio-weight-device= --cap-add=
			--cap-drop= --cgroup-parent= --cgroupns= --cidfile=file --cpu-period= --cpu-quota=
			--cpu-rt-period= --cpu-rt-runtime= -c= --cpu-shares= --cpus= --cpuset-cpus=
			--cpuset-mems= --device= --device-cgroup-rule= --device-read-bps= --device-read-iops=
			--device-write-bps= --device-write-iops= ~--disable-content-trust --dns= ~--dns-opt=
			--dns-option= --dns-search= --domainname= --entrypoint= -e= --env= --env-file=file
			--expose= --group-add= --health-cmd= --health-interval= --health-retries=
			--health-start-interval= --health-start-period= --health-timeout= -h= --hostname= --init
			-i --interactive --ipc= ~--kernel-memory= -l= --label= --label-file=file --log-driver=
			--log-opt= -m= --memory= --memory-reservation= --memory-swap= --memory-swappiness=
			--name= ~--net= --network= --no-healthcheck --oom-kill-disable --oom-score-adj= --pid=
			--pids-limit= --platform= --privileged --pull= -q --quiet --read-only --restart= --rm
			--runtime= --security-opt= --shm-size= --stop-signal=signal --stop-timeout=
			--storage-opt= --sysctl= --tmpfs= -t --tty --ulimit= -u= --user= --userns= --uts= --vmm=
			-w= --workdir= --help
		)
		operands=image places=1
		stops=yes
		;;
	'events' | 'system events')
		options=(
			-f= --filter= --format= --since= --until= --help
		)
		;;
	'history' | 'image history')
		options=(
			--format= -H --human --no-trunc --platform= -q --quiet --help
		)
		operands=image places=1
		;;
	'inspect')
		options=(
			-f= --format= -s --size --type= --help
		)
		operands=container places=-1
		;;
	'kill' | 'container kill')
		options=(
			-s=signal --signal=signal --help
		)
		operands=running places=-1
		;;
	'load' | 'image load')
		options=(
			-i=file --input=file -q --quiet --help
		)
		;;
	'logs' | 'container logs')
		options=(
			--details -f --follow --since= -n= --tail= -t --timestamps --until= --help
		)
		operands=container places=1
		;;
	'pause' | 'container pause')
		options=(
			--help
		)
		operands=running places=-1
		;;
	'rename' | 'container rename')
		options=(
			--help
		)
		operands=container places=2
		;;
	'restart' | 'container restart')
		options=(
			-s=signal --signal=signal ~--time= -t= --timeout= --help
		)
		operands=container places=-1
		;;
	'rm' | 'container rm' | 'container remove')
		options=(
			-f --force -l --link -v --volumes --help
		)
		operands=container places=-1
		;;
	'rmi' | 'image rm' | 'image remove')
		options=(
			-f --force --no-prune --help
		)
		operands=image places=-1
		;;
	'start' | 'container start')
		options=(
			-a --attach --detach-keys= -i --interactive --help
		)
		operands=stopped places=-1
		;;
	'stats' | 'container stats')
		options=(
			-a --all --format= --no-stream --no-trunc --help
		)
		operands=running places=-1
		;;
	'stop' | 'container stop')
		options=(
			-s=signal --signal=signal ~--time= -t= --timeout= --help
		)
		operands=running places=-1
		;;
	'tag' | 'image tag')
		options=(
			--help
		)
		operands=image places=1
		stops=yes
		;;
	'top' | 'container top')
		options=(
			--help
		)
		operands=running places=1
		stops=yes
		;;
	'unpause' | 'container unpause')
		options=(
			--help
		)
		operands=container places=-1
		;;
	'wait' | 'container wait')
		options=(
			--help
		)
		operands=container places=-1
		;;
	'container inspect')
		options=(
			-f= --format= -s --size --help
		)
		operands=container places=-1
		;;
	'container prune')
		options=(
			--filter= -f --force --help
		)
		;;
	'image inspect')
		options=(
			-f= --format= --help
		)
		operands=image places=-1
		;;
	'image prune')
		options=(
			-a --all --filter= -f --force --help
		)
		;;
	'system check')
		options=(
			--deep --repair --help
		)
		;;
	'system template')
		options=(
			--cpus= -m= --memory= --rm --vmm= --help
		)
		;;
	esac
}

# The words of the line up to the cursor, as the program would get them: bash breaks "--name=v" and
# "alpine:3" apart. Sets `words`, and `cut`: the part of the last word that bash will not replace.
_kvbox_words() {
	local line=${COMP_LINE:0:COMP_POINT} rest part i

	words=() cut=''
	for ((i = 0; i <= COMP_CWORD; i++)); do
		rest=${line#"${line%%[![:space:]]*}"}
		part=${COMP_WORDS[i]}
		((i < COMP_CWORD)) || part=$rest
		if ((i > 0)) && [[ $rest == "$line" && -n $rest ]]; then
			cut=${words[-1]}
			words[-1]+=$part
		else
			cut=''
			words+=("$part")
		fi
		line=${rest#"$part"}
	done
	# A break character on its own stays as well.
	[[ $part != [=:] ]] || cut=${words[-1]}
}

# True when `options` has $1; sets `value` to what its value is, or to "none" when it takes none.
_kvbox_option() {
	local option

	for option in "${options[@]}"; do
		option=${option#\~}
		[[ ${option%%=*} == "$1" ]] || continue
		value=none
		[[ $option != *=* ]] || value=${option#*=}
		return 0
	done
	return 1
}

# Reads the option in $1. Sets `pending` to 1 when the next word is its value, which `value` describes.
_kvbox_read_option() {
	local i

	pending=
	case $1 in
	--*=*) ;;
	--*) _kvbox_option "$1" && [[ $value != none ]] && pending=1 ;;
	*)
		for ((i = 1; i < ${#1}; i++)); do
			_kvbox_option "-${1:i:1}" || return
			[[ $value == none ]] && continue
			((i + 1 < ${#1})) || pending=1
			return
		done
		;;
	esac
}

# Reads the words before the last one. Sets `command`, `count` (of operands), `pending`, `ended` (no
# more options) and `store`, and leaves the tables of the command in place.
_kvbox_read() {
	local i word

	_kvbox_tables ''
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		if [[ $pending ]]; then
			[[ -n $command || ${words[i - 1]} != --@(root|runroot) ]] ||
				 store+=("${words[i - 1]}" "$word")
			pending=
		elif [[ ! $ended && $word == -- ]]; then
			ended=yes
		elif [[ ! $ended && $word == -?* ]]; then
			[[ -n $command || $word != --@(root|runroot)=* ]] || store+=("$word")
			_kvbox_read_option "$word"
		elif ((${#commands[@]})); then
			[[ -z $command && $word == help ]] && continue
			command+=${command:+ }$word
			options=() commands=() operands='' places=0 stops='' ended=''
			_kvbox_tables "$command"
		else
			count=$((count + 1))
			ended=${ended:-$stops}
		fi
	done
}

_kvbox_offer() { # PREFIX TYPED, candidates on standard input
	local candidate

	while IFS= read -r candidate; do
		[[ $candidate != "$2"* ]] || COMPREPLY+=("$1$candidate")
	done
}

# Offers what is called KIND for the part of the word behind PREFIX.
_kvbox_values() { # KIND PREFIX TYPED
	case $1 in
	file)
		compopt -o filenames
		_kvbox_offer "$2" "" < <(compgen -f -- "$3")
		;;
	dir)
		compopt -o filenames
		_kvbox_offer "$2" "" < <(compgen -d -- "$3")
		;;
	image) _kvbox_offer "$2" "$3" < <(_kvbox_images) ;;
	container) _kvbox_offer "$2" "$3" < <(_kvbox_containers -a) ;;
	running) _kvbox_offer "$2" "$3" < <(_kvbox_containers) ;;
	stopped)
		_kvbox_offer "$2" "$3" < <(_kvbox_containers -a --filter status=created \
			--filter status=exited)
		;;
	signal)
		_kvbox_offer "$2" "$3" < <(printf '%s\n' HUP INT QUIT KILL USR1 USR2 TERM CONT STOP \
			WINCH)
		;;
	none) _kvbox_offer "$2" "$3" < <(printf '%s\n' true false) ;;
	esac
}

_kvbox_option_names() { # TYPED
	local option shown=()

	for option in "${options[@]}"; do
		[[ $option == \~* ]] || shown+=("${option%%=*}")
	done
	_kvbox_offer '' "$1" < <(printf '%s\n' "${shown[@]}")
}

_kvbox() {
	local kvbox=${COMP_WORDS[0]} words cut last i
	local store=() options=() commands=() operands='' places=0 stops=''
	local command='' count=0 pending='' ended='' value=''

	COMPREPLY=()
	_kvbox_words
	_kvbox_read
	last=${words[-1]}
	if [[ $pending ]]; then
		_kvbox_values "$value" '' "$last"
	elif [[ ! $ended && $last == --*=* ]]; then
		_kvbox_option "${last%%=*}" && _kvbox_values "$value" "${last%%=*}=" "${last#*=}"
	elif [[ ! $ended && $last == -* ]]; then
		_kvbox_option_names "$last"
	elif ((${#commands[@]})); then
		_kvbox_offer '' "$last" < <(printf '%s\n' "${commands[@]}")
	elif ((places < 0 || count < places)); then
		_kvbox_values "$operands" '' "$last"
	elif [[ $stops ]]; then
		_kvbox_values file '' "$last"
	fi
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
	done
}

complete -F _kvbox kvbox
