/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/fd.h"

int uevent_open(int *ret, struct err *e)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	auto_close int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "cannot listen for device events");
	*ret = take_fd(&fd);
	return 0;
}

void uevent_drain(int fd)
{
	char byte;

	/* ENOBUFS tells that events were lost: the caller looks again anyway. */
	while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0 || errno == ENOBUFS)
		;
}
