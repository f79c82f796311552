/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of run_spec have in common. Each part (run_limits, run_security, ...) is a struct of
 * options, a piece of the option table, and
 *
 *	<part>_set	from the options to the definition; errors are what Docker's client finds wrong by
 *			itself, so they are for cmd_refuse
 *	<part>_check	what Docker's engine would refuse (cmd_fail) or warn about: such settings are taken
 *			out of the definition again and told in `warnings`, one line each
 */
#ifndef KVBOX_CMD_RUN_PART_H
#define KVBOX_CMD_RUN_PART_H

/* `value` NULL counts as "". */
void run_text(char **field, const char *value);

#endif
