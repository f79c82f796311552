# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# An image of 40 layers: joined where the VMM does that, else in one file that is made once.
CASE=40-layers
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

kvbox images -q layers 2> /dev/null | grep -q . || kvbox load -i /lab/layers.tar > /dev/null 2> "$ERR"
# shellcheck disable=SC2016 # for the container's shell
expect "all layers are there" 0 "39 40 2" \
	kvbox run --rm layers sh -c 'echo $(ls /layers | wc -l) $(cat /layers/40) $(cat /layers/2)'
joined=$(find /var/lib/kvbox/chains -name '*.joined')
if kvbox info | grep -q "^  $LAB_VMM: .*joins layers"; then
	is "nothing was copied" "" "$joined"
else
	is "they were copied into one file" 1 "$(printf '%s' "$joined" | grep -c .)"
	stamp=$(stat -c '%i %Y' "$joined")
	expect "another container uses it" 0 "40" kvbox run --rm layers cat /layers/40
	is "which was not made again" "$stamp" "$(stat -c '%i %Y' "$joined")"
fi
kvbox rmi layers > /dev/null 2> "$ERR"
is "the image can be removed" 0 $?
is "with the copy" "" "$(find /var/lib/kvbox/chains -name '*.joined')"
finished
