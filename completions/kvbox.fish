# SPDX-License-Identifier: Apache-2.0
# Written by `make gen` out of completions/kvbox.fish.in and the option tables; edits here are lost.
#
# fish completion for kvbox: to be found as kvbox.fish in a folder of $fish_complete_path.

# Reads the words before the cursor. Sets __kvbox_command ("run", "image ls", "image", ""),
# __kvbox_count (operands), __kvbox_ended (options may not follow) and __kvbox_store.
function __kvbox_read
	set -l words (commandline -opc)
	set -l pending ''
	set -l literal ''
	set -g __kvbox_program $words[1]
	set -g __kvbox_command ''
	set -g __kvbox_count 0
	set -g __kvbox_ended ''
	set -g __kvbox_store
	__kvbox_tables ''
	for word in $words[2..]
		if test -n "$pending"
			if test -z "$__kvbox_command"; and string match -qr '^--(run)?root$' -- $pending
				set -a __kvbox_store $pending $word
			end
			set pending ''
		else if test -z "$__kvbox_ended"; and test "$word" = --
			set __kvbox_ended yes
			set literal yes
		else if test -z "$__kvbox_ended"; and string match -q -- '-?*' $word
			if test -z "$__kvbox_command"; and string match -qr '^--(run)?root=' -- $word
				set -a __kvbox_store $word
			end
			set pending (__kvbox_pending $word)
		else if __kvbox_is_name
			test "$word" = help; and continue
			set __kvbox_command (string trim -- "$__kvbox_command $word")
			set __kvbox_ended ''
			__kvbox_tables $__kvbox_command
		else
			set __kvbox_count (math $__kvbox_count + 1)
			test -n "$literal"; or set __kvbox_ended $__kvbox_stops
		end
	end
end

# True when the next operand is the name of a command.
function __kvbox_is_name
	test -z "$__kvbox_command"; or contains -- "$__kvbox_command" $__kvbox_families
end

# Prints the option of a word when its value is the next word.
function __kvbox_pending
	if string match -q -- '--*' $argv[1]
		contains -- $argv[1] $__kvbox_valued; and echo -- $argv[1]
		return
	end
	set -l letters (string split '' -- (string sub -s 2 -- $argv[1]))
	while set -q letters[1]
		if contains -- -$letters[1] $__kvbox_valued
			set -q letters[2]; or echo -- -$letters[1]
			return
		end
		set -e letters[1]
	end
end

function __kvbox_wants_command # FAMILY
	__kvbox_read
	test "$__kvbox_command" = "$argv[1]"
end

function __kvbox_wants_option # COMMAND...
	__kvbox_read
	test -z "$__kvbox_ended"; and contains -- "$__kvbox_command" $argv
end

function __kvbox_wants_operand # PLACES COMMAND...
	__kvbox_read
	contains -- "$__kvbox_command" $argv[2..]
	and test $argv[1] -lt 0 -o $__kvbox_count -lt $argv[1]
end

function __kvbox_wants_rest # COMMAND...
	__kvbox_read
	contains -- "$__kvbox_command" $argv; and test $__kvbox_count -gt 0
end

# The program, with the words that choose a store.
function __kvbox_ask
	__kvbox_read
	$__kvbox_program $__kvbox_store $argv 2>/dev/null
end

function __kvbox_signals
	printf '%s\n' HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH
end

# __kvbox_tables COMMAND sets __kvbox_valued, the options whose value is in the next word, and
# __kvbox_stops, not empty when options have to stand before the first operand.
function __kvbox_containers
	__kvbox_ask ps $argv --format '{{.Names}}'
end

function __kvbox_images
	__kvbox_ask images --format '{{.Repository}}:{{.Tag}}' | sed '/<none>/d'
end

function __kvbox_tables
	set -g __kvbox_stops
	switch $argv[1]
		case ''
			set -g __kvbox_valued --config --root --runroot
			set -g __kvbox_stops yes
		case 'run' 'container run'
			set -g __kvbox_valued --add-host --annotation -a --attach --blkio-weight --blkio-weight-device --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime -c --cpu-shares --cpus --cpuset-cpus --cpuset-mems --detach-keys --device --device-cgroup-rule --device-read-bps --device-read-iops --device-write-bps --device-write-iops --dns --dns-opt --dns-option --dns-search --domainname --entrypoint -e --env --env-file --expose --group-add --health-cmd --health-interval --health-retries --health-start-interval --health-start-period --health-timeout -h --hostname --ipc --kernel-memory -l --label --label-file --log-driver --log-opt -m --memory --memory-reservation --memory-swap --memory-swappiness --name --net --network --oom-score-adj --pid --pids-limit --platform --pull --restart --runtime --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --trace --ulimit -u --user --userns --uts --vmm -w --workdir
			set -g __kvbox_stops yes
		case 'exec' 'container exec'
			set -g __kvbox_valued --detach-keys -e --env --env-file -u --user -w --workdir
			set -g __kvbox_stops yes
		case 'ps' 'container ls' 'container list' 'container ps'
			set -g __kvbox_valued -f --filter --format -n --last
		case 'pull' 'image pull'
			set -g __kvbox_valued --platform
		case 'images' 'image ls' 'image list'
			set -g __kvbox_valued -f --filter --format
		case 'version'
			set -g __kvbox_valued -f --format
		case 'info' 'system info'
			set -g __kvbox_valued -f --format
		case 'attach' 'container attach'
			set -g __kvbox_valued --detach-keys
		case 'create' 'container create'
			set -g __kvbox_valued --add-host --annotation -a --attach --blkio-weight --blkio-weight-device --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime -c --cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --device-cgroup-rule --device-read-bps --device-read-iops --device-write-bps --device-write-iops --dns --dns-opt --dns-option --dns-search --domainname --entrypoint -e --env --env-file --expose --group-add --health-cmd --health-interval --health-retries --health-start-interval --health-start-period --health-timeout -h --hostname --ipc --kernel-memory -l --label --label-file --log-driver --log-opt -m --memory --memory-reservation --memory-swap --memory-swappiness --name --net --network --oom-score-adj --pid --pids-limit --platform --pull --restart --runtime --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u --user --userns --uts --vmm -w --workdir
			set -g __kvbox_stops yes
		case 'events' 'system events'
			set -g __kvbox_valued -f --filter --format --since --until
		case 'history' 'image history'
			set -g __kvbox_valued --format --platform
		case 'inspect'
			set -g __kvbox_valued -f --format --type
		case 'kill' 'container kill'
			set -g __kvbox_valued -s --signal
		case 'load' 'image load'
			set -g __kvbox_valued -i --input
		case 'logs' 'container logs'
			set -g __kvbox_valued --since -n --tail --until
		case 'pause' 'container pause'
			set -g __kvbox_valued
		case 'rename' 'container rename'
			set -g __kvbox_valued
		case 'restart' 'container restart'
			set -g __kvbox_valued -s --signal --time -t --timeout
		case 'rm' 'container rm' 'container remove'
			set -g __kvbox_valued
		case 'rmi' 'image rm' 'image remove'
			set -g __kvbox_valued
		case 'start' 'container start'
			set -g __kvbox_valued --detach-keys
		case 'stats' 'container stats'
			set -g __kvbox_valued --format
		case 'stop' 'container stop'
			set -g __kvbox_valued -s --signal --time -t --timeout
		case 'tag' 'image tag'
			set -g __kvbox_valued
			set -g __kvbox_stops yes
		case 'top' 'container top'
			set -g __kvbox_valued
			set -g __kvbox_stops yes
		case 'unpause' 'container unpause'
			set -g __kvbox_valued
		case 'wait' 'container wait'
			set -g __kvbox_valued
		case 'container inspect'
			set -g __kvbox_valued -f --format
		case 'container prune'
			set -g __kvbox_valued --filter
		case 'image inspect'
			set -g __kvbox_valued -f --format
		case 'image prune'
			set -g __kvbox_valued --filter
		case 'system check'
			set -g __kvbox_valued
		case 'system template'
			set -g __kvbox_valued --cpus -m --memory --vmm
	end
end

set -g __kvbox_families container image system

complete -c kvbox -f

complete -c kvbox -n '__kvbox_wants_option \'\'' -l config -x -a '(__fish_complete_directories)' -d 'Folder of Docker\'s config.json, for passwords of registries (DOCKER_CONFIG)'
complete -c kvbox -n '__kvbox_wants_option \'\'' -s D -l debug -d 'Tell on stderr what is being done'
complete -c kvbox -n '__kvbox_wants_option \'\'' -l root -x -a '(__fish_complete_directories)' -d 'Folder for images and containers (KVBOX_ROOT)'
complete -c kvbox -n '__kvbox_wants_option \'\'' -l runroot -x -a '(__fish_complete_directories)' -d 'Folder for what ends with the machine (KVBOX_RUNROOT)'
complete -c kvbox -n '__kvbox_wants_option \'\'' -s v -l version -d 'Print the version and quit'
complete -c kvbox -n '__kvbox_wants_option \'\'' -l help -d 'Tell how it is used'

complete -c kvbox -n '__kvbox_wants_command \'\'' -a run -d 'Run a command in a new container'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a exec -d 'Run a command in a running container'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a ps -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a pull -d 'Get an image from a registry'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a images -d 'List images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a version -d 'Show the version'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a info -d 'Show what this machine has for kvbox'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a attach -d 'Connect to the input and output of a running container'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a create -d 'Create a container without starting it'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a events -d 'Show what happens to containers and images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a history -d 'Show the steps that made an image'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a inspect -d 'Show all about containers and images as JSON'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a kill -d 'Send a signal to running containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a load -d 'Get images out of an archive'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a logs -d 'Show what a container has written'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a pause -d 'Make everything in containers stand still'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a rename -d 'Give a container another name'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a restart -d 'Stop containers and start them again'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a rm -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a rmi -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a start -d 'Start containers that do not run'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a stats -d 'Show what containers use of processor, memory, disk and network'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a stop -d 'Stop running containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a tag -d 'Give an image one more name'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a top -d 'Show the processes of a container'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a unpause -d 'Let containers that stand still go on'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a wait -d 'Wait until containers have ended and print their exit codes'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a attach -d 'Connect to the input and output of a running container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a create -d 'Create a container without starting it'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a exec -d 'Run a command in a running container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a inspect -d 'Show all about containers as JSON'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a kill -d 'Send a signal to running containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a logs -d 'Show what a container has written'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a ls -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a list -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a ps -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a pause -d 'Make everything in containers stand still'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a rename -d 'Give a container another name'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a restart -d 'Stop containers and start them again'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a prune -d 'Remove all containers that do not run'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a rm -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a remove -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a run -d 'Run a command in a new container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a start -d 'Start containers that do not run'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a stats -d 'Show what containers use of processor, memory, disk and network'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a stop -d 'Stop running containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a top -d 'Show the processes of a container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a unpause -d 'Let containers that stand still go on'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a wait -d 'Wait until containers have ended and print their exit codes'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a history -d 'Show the steps that made an image'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a inspect -d 'Show all about images as JSON'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a load -d 'Get images out of an archive'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a ls -d 'List images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a list -d 'List images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a prune -d 'Remove images that nobody uses'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a pull -d 'Get an image from a registry'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a rm -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a remove -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a tag -d 'Give an image one more name'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a check -d 'Look for damage and for what was left behind'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a template -d 'Save a booted virtual machine that containers can start from'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a events -d 'Show what happens to containers and images'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a info -d 'Show what this machine has for kvbox'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a container -d 'Manage containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a image -d 'Manage images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a system -d 'Look after kvbox itself'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a help -d 'Tell how a command is used'

# run
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l add-host -x -d 'Line for /etc/hosts: <name>:<address>'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l annotation -x -d 'Note on the container for others to read: <key>=<value>'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s a -l attach -x -d 'Attach to STDIN, STDOUT or STDERR'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l blkio-weight -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l blkio-weight-device -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cap-add -x -d 'Add a Linux capability'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cap-drop -x -d 'Drop a Linux capability'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cgroup-parent -x -d 'Without effect: the cgroup is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cgroupns -x -d 'Cgroup namespace to use: private'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cidfile -r -F -d 'Write the container\'s ID to this file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpu-period -x -d 'Length of a period of --cpu-quota, in microseconds'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpu-quota -x -d 'CPU time in each period, in microseconds'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpu-rt-period -x -d 'Without effect: there is no real-time CPU time to share out'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpu-rt-runtime -x -d 'Without effect: there is no real-time CPU time to share out'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s c -l cpu-shares -x -d 'CPU time in relation to others (1024: the usual share)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpus -x -d 'Most CPU time, in processors'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpuset-cpus -x -d 'Processors to run on (0-3, 0,1)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpuset-mems -x -d 'Memory nodes to use (0-3, 0,1)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s d -l detach -d 'Run in the background and print the container\'s ID'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l detach-keys -x -d 'Keys that leave the container running in the background'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device -x -d 'Device of the container\'s virtual machine: /dev/fuse, /dev/net/tun, others'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device-cgroup-rule -x -d 'Allow a kind of devices: "<type> <major>:<minor> <rwm>"'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device-read-bps -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device-read-iops -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device-write-bps -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l device-write-iops -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l dns -x -d 'Name server to ask'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l dns-option -x -d 'Option of the resolver, as in resolv.conf'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l dns-search -x -d 'Domain to look short names up in'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l domainname -x -d 'The container\'s NIS domain name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l entrypoint -x -d 'Program to run instead of the image\'s entrypoint'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s e -l env -x -d 'Set an environment variable'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l env-file -r -F -d 'Set environment variables from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l expose -x -d 'Port, or range of ports, that the container listens on'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l group-add -x -d 'Group to be in as well, by name or number'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-cmd -x -d 'Command that tells whether all is well'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-interval -x -d 'Time between two checks (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-retries -x -d 'How many checks fail in a row before the container is unhealthy'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-start-interval -x -d 'Time between two checks while the container starts (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-start-period -x -d 'Time at the start in which failed checks do not count (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l health-timeout -x -d 'Most time for one check (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s h -l hostname -x -d 'The container\'s host name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l init -d 'Run an init that passes signals on and collects processes'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s i -l interactive -d 'Keep STDIN open, also when not attached'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l ipc -x -d 'IPC namespace to use: private, shareable or none'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s l -l label -x -d 'Set a label on the container'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l label-file -r -F -d 'Set labels from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l log-driver -x -d 'Where the log goes: json-file, local or none'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l log-opt -x -d 'Setting of the log: max-size=<size>, max-file=<number>'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s m -l memory -x -d 'Most memory that the container can use'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l memory-reservation -x -d 'Memory that the container keeps when memory is short'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l memory-swap -x -d 'Most memory and swap together (-1: not limited)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l memory-swappiness -x -d 'Without effect: version 2 of cgroups has no such setting'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l name -x -d 'The container\'s name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l network -x -d 'Network to connect to: only none so far'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l no-healthcheck -d 'Do without the image\'s health check'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l oom-kill-disable -d 'Without effect: version 2 of cgroups has no such setting'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l oom-score-adj -x -d 'Which process is killed first when memory runs out (-1000 to 1000)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l pid -x -d 'PID namespace to use: only the container\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l pids-limit -x -d 'Most processes and threads (-1: not limited)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l privileged -d 'Allow everything inside the container\'s virtual machine'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l pull -x -d 'When to pull the image: always, missing or never'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s q -l quiet -d 'Do not show the progress of a pull'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l read-only -d 'Make the root file system read-only'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l restart -x -d 'When to start it again: no, always, unless-stopped, on-failure[:<n>]'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l rm -d 'Remove the container when it has ended'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l runtime -x -d 'Without effect: there is one way to run a container'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l security-opt -x -d 'seccomp=<file|builtin|unconfined>, no-new-privileges[=<bool>] or systempaths=unconfined'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l shm-size -x -d 'Size of /dev/shm'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l sig-proxy -d 'Pass signals on to the process'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l stop-signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l stop-timeout -x -d 'Seconds until a container that is stopped is killed'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l storage-opt -x -d 'size=<size>: of the container\'s writable disk'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l sysctl -x -d 'Set a parameter of the container\'s kernel: <name>=<value>'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l tmpfs -x -d 'Mount a file system in memory: <path>[:<options>]'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l trace -r -F -d 'Write a timeline of the start to this file (Chrome trace)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s t -l tty -d 'Give the container a terminal'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l ulimit -x -d 'Resource limit of the processes: <name>=<soft>[:<hard>]'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s u -l user -x -d 'User to run as: <name|uid>[:<group|gid>]'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l userns -x -d 'User namespace to use: only the container\'s own'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l uts -x -d 'UTS namespace to use: host gives it the host\'s name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l vmm -x -d 'What runs the virtual machine: auto, cloud-hypervisor or qemu'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s w -l workdir -x -d 'Folder to start in'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'run\' \'container run\'' -a '(__kvbox_images)'
complete -c kvbox -n '__kvbox_wants_rest \'run\' \'container run\'' -F

# exec
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s d -l detach -d 'Leave the command running in the background'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -l detach-keys -x -d 'Keys that leave the command running in the background'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s e -l env -x -d 'Set an environment variable'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -l env-file -r -F -d 'Set environment variables from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s i -l interactive -d 'Keep STDIN open'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -l privileged -d 'Give the command all capabilities and no system call filter'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s t -l tty -d 'Give the command a terminal'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s u -l user -x -d 'User to run as: <name|uid>[:<group|gid>]'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -s w -l workdir -x -d 'Folder to start in'
complete -c kvbox -n '__kvbox_wants_option \'exec\' \'container exec\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'exec\' \'container exec\'' -a '(__kvbox_containers)'
complete -c kvbox -n '__kvbox_wants_rest \'exec\' \'container exec\'' -F

# ps
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s a -l all -d 'Show all containers, not only those that run'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s f -l filter -x -d 'Show only what fits the condition'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -l format -x -d 'Format output using a Go template, or \'table\', \'table TEMPLATE\', \'json\''
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s n -l last -x -d 'Show the last n that were created, in any state'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s l -l latest -d 'Show the last one that was created, in any state'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -l no-trunc -d 'Do not shorten what is shown'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s q -l quiet -d 'Only show IDs'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -s s -l size -d 'Show sizes on the host\'s disk'
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -l help -d 'Tell how it is used'

# pull
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -s q -l quiet -d 'Only print the image\'s name'
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'pull\' \'image pull\'' -a '(__kvbox_images)'

# images
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -s a -l all -d 'Also show intermediate images (there are none)'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -l digests -d 'Show digests'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -s f -l filter -x -d 'Show only what fits the condition'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -l format -x -d 'Format output using a Go template, or \'table\', \'table TEMPLATE\', \'json\''
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -l no-trunc -d 'Show whole IDs'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -s q -l quiet -d 'Only show IDs'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'images\' \'image ls\' \'image list\'' -a '(__kvbox_images)'

# version
complete -c kvbox -n '__kvbox_wants_option \'version\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'version\'' -l help -d 'Tell how it is used'

# info
complete -c kvbox -n '__kvbox_wants_option \'info\' \'system info\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'info\' \'system info\'' -l help -d 'Tell how it is used'

# attach
complete -c kvbox -n '__kvbox_wants_option \'attach\' \'container attach\'' -l detach-keys -x -d 'Keys that leave the container running in the background'
complete -c kvbox -n '__kvbox_wants_option \'attach\' \'container attach\'' -l no-stdin -d 'Do not attach STDIN'
complete -c kvbox -n '__kvbox_wants_option \'attach\' \'container attach\'' -l sig-proxy -d 'Pass signals on to the process'
complete -c kvbox -n '__kvbox_wants_option \'attach\' \'container attach\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'attach\' \'container attach\'' -a '(__kvbox_containers)'

# create
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l add-host -x -d 'Line for /etc/hosts: <name>:<address>'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l annotation -x -d 'Note on the container for others to read: <key>=<value>'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s a -l attach -x -d 'Attach to STDIN, STDOUT or STDERR'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l blkio-weight -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l blkio-weight-device -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cap-add -x -d 'Add a Linux capability'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cap-drop -x -d 'Drop a Linux capability'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cgroup-parent -x -d 'Without effect: the cgroup is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cgroupns -x -d 'Cgroup namespace to use: private'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cidfile -r -F -d 'Write the container\'s ID to this file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpu-period -x -d 'Length of a period of --cpu-quota, in microseconds'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpu-quota -x -d 'CPU time in each period, in microseconds'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpu-rt-period -x -d 'Without effect: there is no real-time CPU time to share out'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpu-rt-runtime -x -d 'Without effect: there is no real-time CPU time to share out'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s c -l cpu-shares -x -d 'CPU time in relation to others (1024: the usual share)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpus -x -d 'Most CPU time, in processors'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpuset-cpus -x -d 'Processors to run on (0-3, 0,1)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpuset-mems -x -d 'Memory nodes to use (0-3, 0,1)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device -x -d 'Device of the container\'s virtual machine: /dev/fuse, /dev/net/tun, others'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device-cgroup-rule -x -d 'Allow a kind of devices: "<type> <major>:<minor> <rwm>"'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device-read-bps -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device-read-iops -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device-write-bps -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l device-write-iops -x -d 'Without effect: the disk is the virtual machine\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l dns -x -d 'Name server to ask'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l dns-option -x -d 'Option of the resolver, as in resolv.conf'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l dns-search -x -d 'Domain to look short names up in'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l domainname -x -d 'The container\'s NIS domain name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l entrypoint -x -d 'Program to run instead of the image\'s entrypoint'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s e -l env -x -d 'Set an environment variable'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l env-file -r -F -d 'Set environment variables from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l expose -x -d 'Port, or range of ports, that the container listens on'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l group-add -x -d 'Group to be in as well, by name or number'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-cmd -x -d 'Command that tells whether all is well'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-interval -x -d 'Time between two checks (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-retries -x -d 'How many checks fail in a row before the container is unhealthy'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-start-interval -x -d 'Time between two checks while the container starts (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-start-period -x -d 'Time at the start in which failed checks do not count (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l health-timeout -x -d 'Most time for one check (ms|s|m|h)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s h -l hostname -x -d 'The container\'s host name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l init -d 'Run an init that passes signals on and collects processes'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s i -l interactive -d 'Keep STDIN open, also when not attached'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l ipc -x -d 'IPC namespace to use: private, shareable or none'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s l -l label -x -d 'Set a label on the container'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l label-file -r -F -d 'Set labels from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l log-driver -x -d 'Where the log goes: json-file, local or none'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l log-opt -x -d 'Setting of the log: max-size=<size>, max-file=<number>'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s m -l memory -x -d 'Most memory that the container can use'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l memory-reservation -x -d 'Memory that the container keeps when memory is short'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l memory-swap -x -d 'Most memory and swap together (-1: not limited)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l memory-swappiness -x -d 'Without effect: version 2 of cgroups has no such setting'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l name -x -d 'The container\'s name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l network -x -d 'Network to connect to: only none so far'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l no-healthcheck -d 'Do without the image\'s health check'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l oom-kill-disable -d 'Without effect: version 2 of cgroups has no such setting'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l oom-score-adj -x -d 'Which process is killed first when memory runs out (-1000 to 1000)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l pid -x -d 'PID namespace to use: only the container\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l pids-limit -x -d 'Most processes and threads (-1: not limited)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l privileged -d 'Allow everything inside the container\'s virtual machine'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l pull -x -d 'When to pull the image: always, missing or never'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s q -l quiet -d 'Do not show the progress of a pull'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l read-only -d 'Make the root file system read-only'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l restart -x -d 'When to start it again: no, always, unless-stopped, on-failure[:<n>]'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l rm -d 'Remove the container when it has ended'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l runtime -x -d 'Without effect: there is one way to run a container'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l security-opt -x -d 'seccomp=<file|builtin|unconfined>, no-new-privileges[=<bool>] or systempaths=unconfined'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l shm-size -x -d 'Size of /dev/shm'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l stop-signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l stop-timeout -x -d 'Seconds until a container that is stopped is killed'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l storage-opt -x -d 'size=<size>: of the container\'s writable disk'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l sysctl -x -d 'Set a parameter of the container\'s kernel: <name>=<value>'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l tmpfs -x -d 'Mount a file system in memory: <path>[:<options>]'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s t -l tty -d 'Give the container a terminal'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l ulimit -x -d 'Resource limit of the processes: <name>=<soft>[:<hard>]'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s u -l user -x -d 'User to run as: <name|uid>[:<group|gid>]'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l userns -x -d 'User namespace to use: only the container\'s own'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l uts -x -d 'UTS namespace to use: host gives it the host\'s name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l vmm -x -d 'What runs the virtual machine: auto, cloud-hypervisor or qemu'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s w -l workdir -x -d 'Folder to start in'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'create\' \'container create\'' -a '(__kvbox_images)'
complete -c kvbox -n '__kvbox_wants_rest \'create\' \'container create\'' -F

# events
complete -c kvbox -n '__kvbox_wants_option \'events\' \'system events\'' -s f -l filter -x -d 'Show only what fits the condition'
complete -c kvbox -n '__kvbox_wants_option \'events\' \'system events\'' -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'events\' \'system events\'' -l since -x -d 'Begin with what happened at this time, or that long ago'
complete -c kvbox -n '__kvbox_wants_option \'events\' \'system events\'' -l until -x -d 'End at this time'
complete -c kvbox -n '__kvbox_wants_option \'events\' \'system events\'' -l help -d 'Tell how it is used'

# history
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -l format -x -d 'Format output using a Go template, or \'table\', \'table TEMPLATE\', \'json\''
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -s H -l human -d 'Sizes and dates for people'
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -l no-trunc -d 'Do not shorten what is shown'
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -l platform -x -d 'Of this platform\'s image (os/arch); the store has one for each name'
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -s q -l quiet -d 'Only show IDs'
complete -c kvbox -n '__kvbox_wants_option \'history\' \'image history\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'history\' \'image history\'' -a '(__kvbox_images)'

# inspect
complete -c kvbox -n '__kvbox_wants_option \'inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'inspect\'' -s s -l size -d 'Show the size of a container\'s files'
complete -c kvbox -n '__kvbox_wants_option \'inspect\'' -l type -x -d 'Only look among these: container or image'
complete -c kvbox -n '__kvbox_wants_option \'inspect\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'inspect\'' -a '(__kvbox_containers -a)'

# kill
complete -c kvbox -n '__kvbox_wants_option \'kill\' \'container kill\'' -s s -l signal -x -a '(__kvbox_signals)' -d 'Signal to send'
complete -c kvbox -n '__kvbox_wants_option \'kill\' \'container kill\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'kill\' \'container kill\'' -a '(__kvbox_containers)'

# load
complete -c kvbox -n '__kvbox_wants_option \'load\' \'image load\'' -s i -l input -r -F -d 'Read this archive instead of STDIN'
complete -c kvbox -n '__kvbox_wants_option \'load\' \'image load\'' -s q -l quiet -d 'Do not show the progress'
complete -c kvbox -n '__kvbox_wants_option \'load\' \'image load\'' -l help -d 'Tell how it is used'

# logs
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l details -d 'Show the labels and variables that --log-opt has chosen'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s f -l follow -d 'Go on as long as the container runs'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l since -x -d 'Only what came after this time ("2026-01-02T13:23:37Z") or so long ago ("42m")'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s n -l tail -x -d 'Only that many of the last lines'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s t -l timestamps -d 'Show when each line was written'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l until -x -d 'Only what came before this time ("2026-01-02T13:23:37Z") or so long ago ("42m")'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'logs\' \'container logs\'' -a '(__kvbox_containers -a)'

# pause
complete -c kvbox -n '__kvbox_wants_option \'pause\' \'container pause\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'pause\' \'container pause\'' -a '(__kvbox_containers)'

# rename
complete -c kvbox -n '__kvbox_wants_option \'rename\' \'container rename\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 2 \'rename\' \'container rename\'' -a '(__kvbox_containers -a)'

# restart
complete -c kvbox -n '__kvbox_wants_option \'restart\' \'container restart\'' -s s -l signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'restart\' \'container restart\'' -s t -l timeout -x -d 'Seconds until it is killed'
complete -c kvbox -n '__kvbox_wants_option \'restart\' \'container restart\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'restart\' \'container restart\'' -a '(__kvbox_containers -a)'

# rm
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -s f -l force -d 'Kill the container first if it runs'
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -s l -l link -d 'Remove the link of that name'
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -s v -l volumes -d 'Remove its anonymous volumes as well'
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'rm\' \'container rm\' \'container remove\'' -a '(__kvbox_containers -a)'

# rmi
complete -c kvbox -n '__kvbox_wants_option \'rmi\' \'image rm\' \'image remove\'' -s f -l force -d 'Remove it though stopped containers were made from it'
complete -c kvbox -n '__kvbox_wants_option \'rmi\' \'image rm\' \'image remove\'' -l no-prune -d 'Keep untagged parents (images have none here)'
complete -c kvbox -n '__kvbox_wants_option \'rmi\' \'image rm\' \'image remove\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'rmi\' \'image rm\' \'image remove\'' -a '(__kvbox_images)'

# start
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -s a -l attach -d 'Attach STDOUT and STDERR and pass signals on'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -l detach-keys -x -d 'Keys that leave the container running in the background'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -s i -l interactive -d 'Attach STDIN'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'start\' \'container start\'' -a '(__kvbox_containers -a --filter status=created --filter status=exited)'

# stats
complete -c kvbox -n '__kvbox_wants_option \'stats\' \'container stats\'' -s a -l all -d 'Show also containers that do not run'
complete -c kvbox -n '__kvbox_wants_option \'stats\' \'container stats\'' -l format -x -d 'Format output using a Go template, or \'table\', \'table TEMPLATE\', \'json\''
complete -c kvbox -n '__kvbox_wants_option \'stats\' \'container stats\'' -l no-stream -d 'Show the first result and end'
complete -c kvbox -n '__kvbox_wants_option \'stats\' \'container stats\'' -l no-trunc -d 'Do not shorten what is shown'
complete -c kvbox -n '__kvbox_wants_option \'stats\' \'container stats\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'stats\' \'container stats\'' -a '(__kvbox_containers)'

# stop
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -s s -l signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -s t -l timeout -x -d 'Seconds until it is killed'
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'stop\' \'container stop\'' -a '(__kvbox_containers)'

# tag
complete -c kvbox -n '__kvbox_wants_option \'tag\' \'image tag\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'tag\' \'image tag\'' -a '(__kvbox_images)'
complete -c kvbox -n '__kvbox_wants_rest \'tag\' \'image tag\'' -F

# top
complete -c kvbox -n '__kvbox_wants_option \'top\' \'container top\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'top\' \'container top\'' -a '(__kvbox_containers)'
complete -c kvbox -n '__kvbox_wants_rest \'top\' \'container top\'' -F

# unpause
complete -c kvbox -n '__kvbox_wants_option \'unpause\' \'container unpause\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'unpause\' \'container unpause\'' -a '(__kvbox_containers -a)'

# wait
complete -c kvbox -n '__kvbox_wants_option \'wait\' \'container wait\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'wait\' \'container wait\'' -a '(__kvbox_containers -a)'

# inspect
complete -c kvbox -n '__kvbox_wants_option \'container inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'container inspect\'' -s s -l size -d 'Show the size of a container\'s files'
complete -c kvbox -n '__kvbox_wants_option \'container inspect\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'container inspect\'' -a '(__kvbox_containers -a)'

# prune
complete -c kvbox -n '__kvbox_wants_option \'container prune\'' -l filter -x -d 'Remove only what fits the condition (until=, label=, label!=)'
complete -c kvbox -n '__kvbox_wants_option \'container prune\'' -s f -l force -d 'Do not ask'
complete -c kvbox -n '__kvbox_wants_option \'container prune\'' -l help -d 'Tell how it is used'

# inspect
complete -c kvbox -n '__kvbox_wants_option \'image inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'image inspect\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'image inspect\'' -a '(__kvbox_images)'

# prune
complete -c kvbox -n '__kvbox_wants_option \'image prune\'' -s a -l all -d 'Also those with a name that no container was made from'
complete -c kvbox -n '__kvbox_wants_option \'image prune\'' -l filter -x -d 'Remove only what fits the condition (until=, label=, label!=)'
complete -c kvbox -n '__kvbox_wants_option \'image prune\'' -s f -l force -d 'Do not ask'
complete -c kvbox -n '__kvbox_wants_option \'image prune\'' -l help -d 'Tell how it is used'

# check
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l deep -d 'Read every blob and compare it with its digest'
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l repair -d 'Remove what was left behind'
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l help -d 'Tell how it is used'

# template
complete -c kvbox -n '__kvbox_wants_option \'system template\'' -l cpus -x -d 'Of VMs for containers with this limit'
complete -c kvbox -n '__kvbox_wants_option \'system template\'' -s m -l memory -x -d 'Of VMs for containers with this limit'
complete -c kvbox -n '__kvbox_wants_option \'system template\'' -l rm -d 'Remove all templates'
complete -c kvbox -n '__kvbox_wants_option \'system template\'' -l vmm -x -d 'Virtual machine monitor: auto, cloud-hypervisor or qemu'
complete -c kvbox -n '__kvbox_wants_option \'system template\'' -l help -d 'Tell how it is used'
