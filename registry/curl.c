/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/curl.h"

#include "base/dl.h"

struct curl_api curl;

static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct curl_api, global_init, curl_global_init),
	DL_SYMBOL(struct curl_api, easy_init, curl_easy_init),
	DL_SYMBOL(struct curl_api, easy_setopt, curl_easy_setopt),
	DL_SYMBOL(struct curl_api, easy_getinfo, curl_easy_getinfo),
	DL_SYMBOL(struct curl_api, easy_cleanup, curl_easy_cleanup),
	DL_SYMBOL(struct curl_api, easy_strerror, curl_easy_strerror),
	DL_SYMBOL(struct curl_api, multi_init, curl_multi_init),
	DL_SYMBOL(struct curl_api, multi_cleanup, curl_multi_cleanup),
	DL_SYMBOL(struct curl_api, multi_add_handle, curl_multi_add_handle),
	DL_SYMBOL(struct curl_api, multi_remove_handle, curl_multi_remove_handle),
	DL_SYMBOL(struct curl_api, multi_perform, curl_multi_perform),
	DL_SYMBOL(struct curl_api, multi_poll, curl_multi_poll),
	DL_SYMBOL(struct curl_api, multi_info_read, curl_multi_info_read),
	DL_SYMBOL(struct curl_api, slist_append, curl_slist_append),
	DL_SYMBOL(struct curl_api, slist_free_all, curl_slist_free_all),
};
static struct dl_library library = DL_LIBRARY("libcurl.so.4", "libcurl4", symbols, &curl);

int curl_load(struct err *e)
{
	static bool ready;

	if (ready)
		return 0;
	if (dl_open(&library, e) < 0)
		return -1;
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_UNAVAILABLE, "cannot initialise libcurl");
	ready = true;
	return 0;
}
