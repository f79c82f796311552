/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The init of the bare machine that kvbox is compared with: it does nothing but end. What is left is
 * the time that VMM, devices and kernel take by themselves, which no tool on top can save.
 *
 * Like the agent it restarts the machine instead of powering it off when the command line says
 * "kvbox.off=reboot": such a VM has no power-off, and its VMM ends at a reset.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	char words[4096];
	ssize_t n = 0;
	int fd;

	if (mount("proc", "/proc", "proc", 0, NULL) == 0) {
		fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			n = read(fd, words, sizeof(words) - 1);
	}
	words[n > 0 ? n : 0] = '\0';
	return reboot(strstr(words, "kvbox.off=reboot") ? RB_AUTOBOOT : RB_POWER_OFF);
}
