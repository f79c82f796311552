/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/transport.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "registry/curl.h"

#define REDIRECTS_MAX	10u
#define ERROR_BODY_MAX	((size_t)64 << 10)
#define HEADER_MAX	8192u
#define WAIT_FDS_MAX	32u
#define CONNECT_SECONDS 30L
#define STALL_SECONDS	60L
#define BUFFER_BYTES	(256L << 10)

struct transport {
	CURLM *multi;
	int cancel_fd;
	struct transfer *first; /* all that were not freed */
};

struct transfer {
	struct transport *t;
	struct transfer *next;
	CURL *easy;
	struct curl_slist *headers;
	char *url;    /* where it is now */
	char *asked;  /* where it began, for messages */
	char *secret; /* the Authorization header, or NULL */
	char *form;
	int (*data)(void *ctx, const void *p, size_t n, struct err *e);
	void *ctx;
	struct http_response response;
	unsigned redirects;
	bool added; /* is in the multi handle */
	bool done;
	CURLcode code;
	struct err err; /* of the data callback or of a redirect */
	char reason[CURL_ERROR_SIZE];
};

/* ---- URLs ---- */

/* Where the authority starts and how long it is. */
static const char *authority_of(const char *url, size_t *n)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	*n = strcspn(p, "/?#");
	return p;
}

static bool same_origin(const char *a, const char *b)
{
	size_t na, nb;
	const char *pa = authority_of(a, &na), *pb = authority_of(b, &nb);

	na += (size_t)(pa - a);
	nb += (size_t)(pb - b);
	return na == nb && strncasecmp(a, b, na) == 0;
}

bool transport_is_loopback(const char *authority)
{
	size_t n = strcspn(authority, "/?#");
	size_t host = authority[0] == '[' ? strcspn(authority, "]") + 1
					  : strcspn(authority, ":/?#");
	unsigned dots = 0;

	if (host > n || memchr(authority, '@', n))
		return false;
	if (host == 9 && strncasecmp(authority, "localhost", 9) == 0)
		return true;
	if (host == 5 && strncmp(authority, "[::1]", 5) == 0)
		return true;
	if (host < 9 || strncmp(authority, "127.", 4) != 0)
		return false;
	/* An address, and not a name that begins like one. */
	for (size_t i = 0; i < host; i++) {
		if (authority[i] == '.')
			dots++;
		else if (authority[i] < '0' || authority[i] > '9')
			return false;
	}
	return dots == 3;
}

/* Strangers' text as it may be shown on a terminal. */
static void add_clean(struct str *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n && text[i]; i++)
		str_addc(out, text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
}

/* The URL as it may be shown: without query and user. */
static void show_url(const char *url, struct str *out)
{
	size_t n;
	const char *authority = authority_of(url, &n);
	const char *at = memchr(authority, '@', n);

	add_clean(out, url, (size_t)(authority - url));
	if (at) {
		n -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	add_clean(out, authority, n + strcspn(authority + n, "?#"));
}

static bool is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

static int check_url(const char *url, struct err *e)
{
	auto_str struct str shown = STR_INIT(256);
	size_t n;

	if (is_https(url))
		return 0;
	if (strncasecmp(url, "http://", 7) == 0 && transport_is_loopback(authority_of(url, &n)))
		return 0;
	show_url(url, &shown);
	return err_set(e, ERR_DENIED, "refusing to use '%s': it is not https", shown.buf);
}

void transport_add_encoded(struct str *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= '0' && *c <= '9') || strchr("-._~", *c);

		if (plain)
			str_addc(out, *c);
		else
			str_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
	}
}

/* ---- responses ---- */

void http_response_init(struct http_response *r)
{
	*r = (struct http_response){ .from = -1, .body = STR_INIT(ERROR_BODY_MAX) };
}

void http_response_release(struct http_response *r)
{
	free(r->content_type);
	free(r->digest);
	auth_challenges_release(&r->challenges);
	str_release(&r->body);
	http_response_init(r);
}

static void set_header(struct http_response *r, const char *name, const char *value)
{
	struct err ignored = ERR_INIT;
	uint64_t from;

	if (strcasecmp(name, "content-type") == 0) {
		free(r->content_type);
		r->content_type = xstrndup(value, strcspn(value, "; "));
	} else if (strcasecmp(name, "docker-content-digest") == 0) {
		free(r->digest);
		r->digest = xstrdup(value);
	} else if (strcasecmp(name, "www-authenticate") == 0) {
		auth_challenges_add(&r->challenges, value);
	} else if (strcasecmp(name, "content-range") == 0 && str_has_prefix(value, "bytes ")) {
		auto_free char *first = xstrndup(value + 6, strcspn(value + 6, "-"));

		if (parse_u64(first, INT64_MAX, &from, &ignored) == 0)
			r->from = (int64_t)from;
	}
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *tr = ctx;
	auto_free char *line = NULL;
	char *colon, *value;
	size_t len = size * n;

	if (len > HEADER_MAX)
		return len;
	/* A new head (after 100 Continue, or of a further response) makes the one before void. */
	if (len > 5 && memcmp(p, "HTTP/", 5) == 0) {
		http_response_release(&tr->response);
		return len;
	}
	line = xstrndup(p, len);
	line[strcspn(line, "\r\n")] = '\0';
	colon = strchr(line, ':');
	if (!colon)
		return len;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	set_header(&tr->response, line, value);
	return len;
}

static size_t on_data(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *tr = ctx;
	struct http_response *r = &tr->response;
	size_t len = size * n;
	long status = 0;

	if (!r->status) {
		curl.easy_getinfo(tr->easy, CURLINFO_RESPONSE_CODE, &status);
		r->status = (int)status;
	}
	if (r->status < 200 || r->status > 299) {
		size_t room = r->body.limit - r->body.len;

		str_addn(&r->body, p, len < room ? len : room);
		return len;
	}
	if (len == 0)
		return 0;
	return tr->data(tr->ctx, p, len, &tr->err) < 0 ? 0 : len;
}

/* ---- errors ---- */

static const char *certificate_trouble(const struct transfer *tr)
{
	long result = 0;

	curl.easy_getinfo(tr->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case 2:	 /* no issuer */
	case 18: /* self-signed */
	case 19: /* self-signed in the chain */
	case 20: /* issuer not known here */
	case 21: /* first one cannot be verified */
		return "certificate signed by unknown authority";
	case 9:
	case 10:
		return "certificate has expired or is not yet valid";
	default:
		return tr->reason[0] ? tr->reason : "certificate is not valid";
	}
}

/* As Go's programs say it, since that is what people search for. */
static int network_error(const struct transfer *tr, struct err *e)
{
	auto_str struct str url = STR_INIT(256), host = STR_INIT(256);
	const char *authority;
	long sys = 0;
	size_t n;

	show_url(tr->asked, &url);
	authority = authority_of(tr->url, &n);
	add_clean(&host, authority, n);
	curl.easy_getinfo(tr->easy, CURLINFO_OS_ERRNO, &sys);
	if (tr->code == CURLE_COULDNT_RESOLVE_HOST) {
		if (host.buf[0] != '[')
			str_truncate(&host, strcspn(host.buf, ":"));
		return err_set(e, ERR_UNAVAILABLE, "Get \"%s\": dial tcp: lookup %s: no such host",
			       url.buf, host.buf);
	}
	if (tr->code == CURLE_COULDNT_CONNECT && sys)
		return err_set(e, ERR_UNAVAILABLE, "Get \"%s\": dial tcp %s: connect: %s", url.buf,
			       host.buf,
			       sys == ECONNREFUSED ? "connection refused" : strerror((int)sys));
	if (tr->code == CURLE_PEER_FAILED_VERIFICATION)
		return err_set(e, ERR_UNAVAILABLE, "Get \"%s\": x509: %s", url.buf,
			       certificate_trouble(tr));
	if (tr->code == CURLE_PARTIAL_FILE || tr->code == CURLE_GOT_NOTHING)
		return err_set(e, ERR_UNAVAILABLE, "Get \"%s\": unexpected EOF", url.buf);
	return err_set(e, ERR_UNAVAILABLE, "Get \"%s\": %s", url.buf,
		       tr->reason[0] ? tr->reason : curl.easy_strerror(tr->code));
}

static enum http_trouble trouble_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return HTTP_TROUBLE_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return HTTP_TROUBLE_UNREACHABLE;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TROUBLE_BROKEN;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_TROUBLE_NOT_TLS;
	default:
		return HTTP_TROUBLE_OTHER;
	}
}

int transfer_result(struct transfer *tr, enum http_trouble *ret, struct err *e)
{
	if (ret)
		*ret = err_is_set(&tr->err) ? HTTP_TROUBLE_OTHER : trouble_of(tr->code);
	if (err_is_set(&tr->err)) {
		*e = tr->err;
		return -1;
	}
	return tr->code == CURLE_OK ? 0 : network_error(tr, e);
}

/* ---- transfers ---- */

static void set_str(struct transfer *tr, CURLoption option, const char *value)
{
	if (curl.easy_setopt(tr->easy, option, value) == CURLE_OUT_OF_MEMORY)
		abort();
}

static void set_int(struct transfer *tr, CURLoption option, long value)
{
	curl.easy_setopt(tr->easy, option, value);
}

/* What depends on where the transfer goes. */
static void set_target(struct transfer *tr)
{
	size_t n;

	set_str(tr, CURLOPT_URL, tr->url);
	/* This machine is never behind a proxy. */
	if (transport_is_loopback(authority_of(tr->url, &n)))
		set_str(tr, CURLOPT_PROXY, "");
	else
		set_str(tr, CURLOPT_PROXY, NULL);
	curl.easy_setopt(tr->easy, CURLOPT_HTTPHEADER, tr->headers);
}

static void add_header(struct transfer *tr, const char *line)
{
	struct curl_slist *list = curl.slist_append(tr->headers, line);

	if (!list)
		abort();
	tr->headers = list;
}

static void set_certificates(struct transfer *tr)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *folder = getenv("SSL_CERT_DIR");

	if (file && file[0])
		set_str(tr, CURLOPT_CAINFO, file);
	if (folder && folder[0])
		set_str(tr, CURLOPT_CAPATH, folder);
}

static void set_options(struct transfer *tr)
{
	curl.easy_setopt(tr->easy, CURLOPT_PRIVATE, tr);
	curl.easy_setopt(tr->easy, CURLOPT_ERRORBUFFER, tr->reason);
	curl.easy_setopt(tr->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(tr->easy, CURLOPT_HEADERDATA, tr);
	curl.easy_setopt(tr->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl.easy_setopt(tr->easy, CURLOPT_WRITEDATA, tr);
	set_str(tr, CURLOPT_USERAGENT, "kvbox");
	/* Too new for some libcurl; check_url has looked already. */
	set_str(tr, CURLOPT_PROTOCOLS_STR, "http,https");
	set_int(tr, CURLOPT_NOSIGNAL, 1);
	set_int(tr, CURLOPT_FOLLOWLOCATION, 0);
	set_int(tr, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
	set_int(tr, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
	set_int(tr, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	set_int(tr, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	set_int(tr, CURLOPT_LOW_SPEED_LIMIT, 1);
	set_int(tr, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	set_int(tr, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	set_int(tr, CURLOPT_TCP_KEEPALIVE, 1);
	set_certificates(tr);
}

/* "name:password" would do, but libcurl encodes it into the header by itself. */
static void set_basic(struct transfer *tr, const struct auth_credentials *c)
{
	set_int(tr, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	set_str(tr, CURLOPT_USERNAME, c->username);
	set_str(tr, CURLOPT_PASSWORD, c->password);
}

static void set_request(struct transfer *tr, const struct http_request *r)
{
	char range[32];

	for (const char *const *type = r->accept; type && *type; type++) {
		auto_free char *line = xasprintf("Accept: %s", *type);

		add_header(tr, line);
	}
	if (r->bearer) {
		tr->secret = xasprintf("Authorization: Bearer %s", r->bearer);
		add_header(tr, tr->secret);
	} else if (r->basic && r->basic->username) {
		set_basic(tr, r->basic);
	}
	if (r->form) {
		tr->form = xstrdup(r->form);
		set_str(tr, CURLOPT_POSTFIELDS, tr->form);
	}
	if (r->from) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)r->from);
		set_str(tr, CURLOPT_RANGE, range);
	}
}

int transfer_start(struct transport *t, const struct http_request *r, struct transfer **ret,
		   struct err *e)
{
	struct transfer *tr;

	if (check_url(r->url, e) < 0)
		return -1;
	tr = xcalloc(1, sizeof(*tr));
	tr->t = t;
	tr->url = xstrdup(r->url);
	tr->asked = xstrdup(r->url);
	tr->data = r->data;
	tr->ctx = r->ctx;
	http_response_init(&tr->response);
	tr->next = t->first;
	t->first = tr;
	tr->easy = curl.easy_init();
	if (!tr->easy) {
		transfer_free(tr);
		err_set(e, ERR_UNAVAILABLE, "cannot start an HTTP request");
		return -1;
	}
	set_options(tr);
	set_request(tr, r);
	set_target(tr);
	curl.multi_add_handle(t->multi, tr->easy);
	tr->added = true;
	*ret = tr;
	return 0;
}

void transfer_free(struct transfer *tr)
{
	if (!tr)
		return;
	for (struct transfer **at = &tr->t->first; *at; at = &(*at)->next) {
		if (*at == tr) {
			*at = tr->next;
			break;
		}
	}
	if (tr->added)
		curl.multi_remove_handle(tr->t->multi, tr->easy);
	curl.easy_cleanup(tr->easy);
	curl.slist_free_all(tr->headers);
	free(tr->url);
	free(tr->asked);
	auth_free_secret(tr->secret);
	auth_free_secret(tr->form);
	http_response_release(&tr->response);
	free(tr);
}

void transfer_free_ptr(struct transfer **tr)
{
	transfer_free(*tr);
}

bool transfer_is_done(const struct transfer *tr)
{
	return tr->done;
}

const struct http_response *transfer_response(const struct transfer *tr)
{
	return &tr->response;
}

/* The same request without its credentials. */
static void drop_credentials(struct transfer *tr)
{
	struct curl_slist *kept = NULL;

	for (struct curl_slist *h = tr->headers; h; h = h->next) {
		if (strncasecmp(h->data, "authorization:", 14) == 0)
			continue;
		kept = curl.slist_append(kept, h->data);
		if (!kept)
			abort();
	}
	curl.slist_free_all(tr->headers);
	tr->headers = kept;
	set_str(tr, CURLOPT_USERNAME, NULL);
	set_str(tr, CURLOPT_PASSWORD, NULL);
	set_int(tr, CURLOPT_HTTPAUTH, 0);
}

/* 1 when the transfer goes on elsewhere, 0 when it is at its end, -1 when it may not go there. */
static int follow(struct transfer *tr, int status, struct err *e)
{
	char *to = NULL;

	if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
		return 0;
	curl.easy_getinfo(tr->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to || tr->form)
		return 0;
	if (++tr->redirects > REDIRECTS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "stopped after %u redirects", REDIRECTS_MAX);
	if (check_url(to, e) < 0)
		return -1;
	if (is_https(tr->url) && !is_https(to))
		return err_set(e, ERR_DENIED, "refusing a redirect from https to http");
	if (!same_origin(to, tr->url))
		drop_credentials(tr);
	free(tr->url);
	tr->url = xstrdup(to);
	http_response_release(&tr->response);
	set_target(tr);
	return 1;
}

static void finished(struct transfer *tr, CURLcode code)
{
	auto_str struct str shown = STR_INIT(512);
	long status = 0;

	curl.multi_remove_handle(tr->t->multi, tr->easy);
	tr->added = false;
	curl.easy_getinfo(tr->easy, CURLINFO_RESPONSE_CODE, &status);
	if (log_is_on()) {
		show_url(tr->url, &shown);
		log_debug("http: %s: status %ld, result %d", shown.buf, status, (int)code);
	}
	if (code == CURLE_OK && follow(tr, (int)status, &tr->err) > 0) {
		curl.multi_add_handle(tr->t->multi, tr->easy);
		tr->added = true;
		return;
	}
	tr->response.status = (int)status;
	tr->code = code;
	tr->done = true;
}

/* ---- the loop ---- */

int transport_new(int cancel_fd, struct transport **ret, struct err *e)
{
	struct transport *t;

	if (curl_load(e) < 0)
		return -1;
	t = xcalloc(1, sizeof(*t));
	t->cancel_fd = cancel_fd;
	t->multi = curl.multi_init();
	if (!t->multi) {
		free(t);
		return err_set(e, ERR_UNAVAILABLE, "cannot start HTTP");
	}
	*ret = t;
	return 0;
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	assert(!t->first);
	curl.multi_cleanup(t->multi);
	free(t);
}

void transport_free_ptr(struct transport **t)
{
	transport_free(*t);
}

/* Moves everything on. True when a transfer is done that nobody has freed. */
static bool perform(struct transport *t)
{
	struct transfer *tr = NULL;
	CURLMsg *m;
	int n;

	curl.multi_perform(t->multi, &n);
	while ((m = curl.multi_info_read(t->multi, &n))) {
		CURLcode code = m->data.result;

		if (m->msg == CURLMSG_DONE &&
		    curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &tr) == CURLE_OK)
			finished(tr, code);
	}
	for (tr = t->first; tr; tr = tr->next)
		if (tr->done)
			return true;
	return false;
}

static int wait_fds(struct transport *t, struct pollfd *fds, size_t n, int timeout, struct err *e)
{
	struct curl_waitfd wait[WAIT_FDS_MAX] = { { 0 } };
	unsigned used = (unsigned)n;
	CURLMcode code;

	for (size_t i = 0; i < n; i++)
		wait[i] = (struct curl_waitfd){
			.fd = fds[i].fd,
			.events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
					  (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
		};
	if (t->cancel_fd >= 0)
		wait[used++] = (struct curl_waitfd){ .fd = t->cancel_fd,
						     .events = CURL_WAIT_POLLIN };
	/* libcurl cuts it short by itself where it has timers. */
	code = curl.multi_poll(t->multi, wait, used, timeout < 0 ? 60000 : timeout, NULL);
	if (code != CURLM_OK)
		return err_set(e, ERR_UNAVAILABLE, "cannot wait for HTTP (%d)", (int)code);
	/* libcurl does not tell errors and hang-ups, which it wakes up for nevertheless. */
	if (n > 0 && poll(fds, n, 0) < 0 && errno != EINTR)
		return err_sys(e, "cannot poll");
	if (t->cancel_fd >= 0 && wait[n].revents)
		return err_set(e, ERR_CANCELLED, "interrupted");
	return 0;
}

int transport_wait(struct transport *t, struct pollfd *fds, size_t n, int timeout, struct err *e)
{
	bool done = perform(t);

	if (n + 1 > WAIT_FDS_MAX)
		return err_set(e, ERR_INVALID, "too many descriptors to wait for");
	if (wait_fds(t, fds, n, done ? 0 : timeout, e) < 0)
		return -1;
	perform(t);
	return 0;
}

static int call_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct str *body = ctx;

	str_addn(body, p, n);
	if (body->over)
		return err_set(e, ERR_CORRUPT, "the registry's answer is larger than %zu bytes",
			       body->limit);
	return 0;
}

int transport_call(struct transport *t, const struct http_request *r, struct str *body,
		   struct http_response *ret, struct err *e)
{
	auto_transfer struct transfer *tr = NULL;
	struct http_request with_body = *r;

	with_body.data = call_data;
	with_body.ctx = body;
	if (transfer_start(t, &with_body, &tr, e) < 0)
		return -1;
	while (!transfer_is_done(tr))
		if (transport_wait(t, NULL, 0, -1, e) < 0)
			return -1;
	if (transfer_result(tr, NULL, e) < 0)
		return -1;
	http_response_release(ret);
	*ret = tr->response;
	http_response_init(&tr->response);
	return 0;
}
