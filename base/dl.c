/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dl.h"

#include <dlfcn.h>
#include <string.h>

#include "base/fault.h"

int dl_open(struct dl_library *lib, struct err *e)
{
	void *handle;

	if (lib->handle)
		return 0;
	handle = fault("dl.open") ? NULL : dlopen(lib->soname, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(e, ERR_UNAVAILABLE, "cannot load library '%s' (package %s)",
			       lib->soname, lib->package);
	for (size_t i = 0; i < lib->nsymbols; i++) {
		void *address = dlsym(handle, lib->symbols[i].name);

		if (!address) {
			dlclose(handle);
			return err_set(e, ERR_UNAVAILABLE, "library '%s' has no '%s'", lib->soname,
				       lib->symbols[i].name);
		}
		memcpy((char *)lib->api + lib->symbols[i].offset, &address, sizeof(address));
	}
	lib->handle = handle;
	return 0;
}
