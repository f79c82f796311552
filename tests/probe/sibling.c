/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program for inside a container: what its parent did not start becomes that one's child. Prints its pid; it
 * waits for ever.
 */
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0L);

	if (pid < 0) {
		perror("clone");
		return 1;
	}
	if (pid == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		for (;;)
			pause();
	}
	printf("%ld\n", pid);
	return 0;
}
