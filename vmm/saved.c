/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/saved.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

int vmm_ram_new(uint64_t size, int *ret, struct err *e)
{
	auto_close int fd = -1;

	if (fd_memfd("ram", &fd, e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, "cannot make the memory of a VM");
	*ret = take_fd(&fd);
	return 0;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

bool vmm_ram_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

int vmm_ram_load(int fd, int *ret, struct err *e)
{
	auto_close int ram = -1;

	if (fd_memfd("ram", &ram, e) < 0)
		return -1;
	if (fd_copy_sparse(fd, ram, e) < 0)
		return err_wrap(e, "cannot read the memory of a saved VM");
	if (fcntl(ram, F_ADD_SEALS, SEALS) < 0)
		return err_sys(e, "cannot seal the memory of a saved VM");
	*ret = take_fd(&ram);
	return 0;
}
