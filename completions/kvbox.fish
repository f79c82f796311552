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
			set -g __kvbox_valued -a --attach --cidfile --cpus --detach-keys --entrypoint -e --env --env-file -h --hostname -l --label --label-file -m --memory --name --net --network --platform --pull --stop-signal --stop-timeout --trace -u --user -w --workdir
			set -g __kvbox_stops yes
		case 'exec' 'container exec'
			set -g __kvbox_valued --detach-keys -e --env --env-file -u --user -w --workdir
			set -g __kvbox_stops yes
		case 'ps' 'container ls' 'container list' 'container ps'
			set -g __kvbox_valued -f --filter --format -n --last
		case 'pull' 'image pull'
			set -g __kvbox_valued --platform
		case 'images' 'image ls' 'image list'
			set -g __kvbox_valued --format
		case 'version'
			set -g __kvbox_valued -f --format
		case 'info' 'system info'
			set -g __kvbox_valued -f --format
		case 'create' 'container create'
			set -g __kvbox_valued -a --attach --cidfile --cpus --entrypoint -e --env --env-file -h --hostname -l --label --label-file -m --memory --name --net --network --platform --pull --stop-signal --stop-timeout -u --user -w --workdir
			set -g __kvbox_stops yes
		case 'inspect'
			set -g __kvbox_valued -f --format --type
		case 'kill' 'container kill'
			set -g __kvbox_valued -s --signal
		case 'load' 'image load'
			set -g __kvbox_valued -i --input
		case 'logs' 'container logs'
			set -g __kvbox_valued --since -n --tail --until
		case 'rm' 'container rm' 'container remove'
			set -g __kvbox_valued
		case 'rmi' 'image rm' 'image remove'
			set -g __kvbox_valued
		case 'start' 'container start'
			set -g __kvbox_valued --detach-keys
		case 'stop' 'container stop'
			set -g __kvbox_valued -s --signal --time -t --timeout
		case 'tag' 'image tag'
			set -g __kvbox_valued
		case 'wait' 'container wait'
			set -g __kvbox_valued
		case 'container inspect'
			set -g __kvbox_valued -f --format
		case 'image inspect'
			set -g __kvbox_valued -f --format
		case 'system check'
			set -g __kvbox_valued
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
complete -c kvbox -n '__kvbox_wants_command \'\'' -a create -d 'Create a container without starting it'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a inspect -d 'Show all about containers and images as JSON'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a kill -d 'Send a signal to running containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a load -d 'Get images out of an archive'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a logs -d 'Show what a container has written'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a rm -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a rmi -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a start -d 'Start containers that do not run'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a stop -d 'Stop running containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a tag -d 'Give an image one more name'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a wait -d 'Wait until containers have ended and print their exit codes'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a create -d 'Create a container without starting it'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a exec -d 'Run a command in a running container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a inspect -d 'Show all about containers as JSON'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a kill -d 'Send a signal to running containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a logs -d 'Show what a container has written'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a ls -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a list -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a ps -d 'List containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a rm -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a remove -d 'Remove containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a run -d 'Run a command in a new container'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a start -d 'Start containers that do not run'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a stop -d 'Stop running containers'
complete -c kvbox -n '__kvbox_wants_command \'container\'' -a wait -d 'Wait until containers have ended and print their exit codes'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a inspect -d 'Show all about images as JSON'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a load -d 'Get images out of an archive'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a ls -d 'List images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a list -d 'List images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a pull -d 'Get an image from a registry'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a rm -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a remove -d 'Remove images'
complete -c kvbox -n '__kvbox_wants_command \'image\'' -a tag -d 'Give an image one more name'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a check -d 'Look for damage and for what was left behind'
complete -c kvbox -n '__kvbox_wants_command \'system\'' -a info -d 'Show what this machine has for kvbox'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a container -d 'Manage containers'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a image -d 'Manage images'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a system -d 'Look after kvbox itself'
complete -c kvbox -n '__kvbox_wants_command \'\'' -a help -d 'Tell how a command is used'

# run
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s a -l attach -x -d 'Attach to STDIN, STDOUT or STDERR'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cidfile -r -F -d 'Write the container\'s ID to this file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l cpus -x -d 'Most CPU time, in processors'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s d -l detach -d 'Run in the background and print the container\'s ID'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l detach-keys -x -d 'Keys that leave the container running in the background'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l entrypoint -x -d 'Program to run instead of the image\'s entrypoint'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s e -l env -x -d 'Set an environment variable'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l env-file -r -F -d 'Set environment variables from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s h -l hostname -x -d 'The container\'s host name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s i -l interactive -d 'Keep STDIN open, also when not attached'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s l -l label -x -d 'Set a label on the container'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l label-file -r -F -d 'Set labels from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s m -l memory -x -d 'Most memory that the container can use'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l name -x -d 'The container\'s name'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l network -x -d 'Network to connect to: only none so far'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l pull -x -d 'When to pull the image: always, missing or never'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s q -l quiet -d 'Do not show the progress of a pull'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l rm -d 'Remove the container when it has ended'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l sig-proxy -d 'Pass signals on to the process'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l stop-signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l stop-timeout -x -d 'Seconds until a container that is stopped is killed'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -l trace -r -F -d 'Write a timeline of the start to this file (Chrome trace)'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s t -l tty -d 'Give the container a terminal'
complete -c kvbox -n '__kvbox_wants_option \'run\' \'container run\'' -s u -l user -x -d 'User to run as: <name|uid>[:<group|gid>]'
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
complete -c kvbox -n '__kvbox_wants_option \'ps\' \'container ls\' \'container list\' \'container ps\'' -l help -d 'Tell how it is used'

# pull
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -s q -l quiet -d 'Only print the image\'s name'
complete -c kvbox -n '__kvbox_wants_option \'pull\' \'image pull\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'pull\' \'image pull\'' -a '(__kvbox_images)'

# images
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -s a -l all -d 'Also show intermediate images (there are none)'
complete -c kvbox -n '__kvbox_wants_option \'images\' \'image ls\' \'image list\'' -l digests -d 'Show digests'
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

# create
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s a -l attach -x -d 'Attach to STDIN, STDOUT or STDERR'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cidfile -r -F -d 'Write the container\'s ID to this file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l cpus -x -d 'Most CPU time, in processors'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l entrypoint -x -d 'Program to run instead of the image\'s entrypoint'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s e -l env -x -d 'Set an environment variable'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l env-file -r -F -d 'Set environment variables from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s h -l hostname -x -d 'The container\'s host name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s i -l interactive -d 'Keep STDIN open, also when not attached'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s l -l label -x -d 'Set a label on the container'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l label-file -r -F -d 'Set labels from the lines of a file'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s m -l memory -x -d 'Most memory that the container can use'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l name -x -d 'The container\'s name'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l network -x -d 'Network to connect to: only none so far'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l platform -x -d 'Which platform\'s image to take (os/arch)'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l pull -x -d 'When to pull the image: always, missing or never'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s q -l quiet -d 'Do not show the progress of a pull'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l rm -d 'Remove the container when it has ended'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l stop-signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l stop-timeout -x -d 'Seconds until a container that is stopped is killed'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s t -l tty -d 'Give the container a terminal'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s u -l user -x -d 'User to run as: <name|uid>[:<group|gid>]'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -s w -l workdir -x -d 'Folder to start in'
complete -c kvbox -n '__kvbox_wants_option \'create\' \'container create\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'create\' \'container create\'' -a '(__kvbox_images)'
complete -c kvbox -n '__kvbox_wants_rest \'create\' \'container create\'' -F

# inspect
complete -c kvbox -n '__kvbox_wants_option \'inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
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
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s f -l follow -d 'Go on as long as the container runs'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l since -x -d 'Only what came after this time ("2026-01-02T13:23:37Z") or so long ago ("42m")'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s n -l tail -x -d 'Only that many of the last lines'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -s t -l timestamps -d 'Show when each line was written'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l until -x -d 'Only what came before this time ("2026-01-02T13:23:37Z") or so long ago ("42m")'
complete -c kvbox -n '__kvbox_wants_option \'logs\' \'container logs\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 1 \'logs\' \'container logs\'' -a '(__kvbox_containers -a)'

# rm
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -s f -l force -d 'Kill the container first if it runs'
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -s v -l volumes -d 'Remove its anonymous volumes as well'
complete -c kvbox -n '__kvbox_wants_option \'rm\' \'container rm\' \'container remove\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'rm\' \'container rm\' \'container remove\'' -a '(__kvbox_containers -a)'

# rmi
complete -c kvbox -n '__kvbox_wants_option \'rmi\' \'image rm\' \'image remove\'' -s f -l force -d 'Remove it though stopped containers were made from it'
complete -c kvbox -n '__kvbox_wants_option \'rmi\' \'image rm\' \'image remove\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'rmi\' \'image rm\' \'image remove\'' -a '(__kvbox_images)'

# start
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -s a -l attach -d 'Attach STDOUT and STDERR and pass signals on'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -l detach-keys -x -d 'Keys that leave the container running in the background'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -s i -l interactive -d 'Attach STDIN'
complete -c kvbox -n '__kvbox_wants_option \'start\' \'container start\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'start\' \'container start\'' -a '(__kvbox_containers -a --filter status=created --filter status=exited)'

# stop
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -s s -l signal -x -a '(__kvbox_signals)' -d 'Signal that asks the container to end'
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -s t -l timeout -x -d 'Seconds until it is killed'
complete -c kvbox -n '__kvbox_wants_option \'stop\' \'container stop\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'stop\' \'container stop\'' -a '(__kvbox_containers)'

# tag
complete -c kvbox -n '__kvbox_wants_option \'tag\' \'image tag\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand 2 \'tag\' \'image tag\'' -a '(__kvbox_images)'

# wait
complete -c kvbox -n '__kvbox_wants_option \'wait\' \'container wait\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'wait\' \'container wait\'' -a '(__kvbox_containers -a)'

# inspect
complete -c kvbox -n '__kvbox_wants_option \'container inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'container inspect\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'container inspect\'' -a '(__kvbox_containers -a)'

# inspect
complete -c kvbox -n '__kvbox_wants_option \'image inspect\'' -s f -l format -x -d 'Format output using a Go template, or \'json\''
complete -c kvbox -n '__kvbox_wants_option \'image inspect\'' -l help -d 'Tell how it is used'
complete -c kvbox -n '__kvbox_wants_operand -1 \'image inspect\'' -a '(__kvbox_images)'

# check
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l deep -d 'Read every blob and compare it with its digest'
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l repair -d 'Remove what was left behind'
complete -c kvbox -n '__kvbox_wants_option \'system check\'' -l help -d 'Tell how it is used'
