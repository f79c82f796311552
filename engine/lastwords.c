/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lastwords.h"

#include <stdbool.h>
#include <string.h>

#include "base/fd.h"

#define READ_MAX       8192
#define LINE_MAX_SHOWN 120

/* "\033[...m" and its like, of which a kernel's console has none but a container may write some. */
static size_t skip_escape(const char *p, size_t n)
{
	size_t i = 1;

	if (n < 2 || p[1] != '[')
		return 1;
	for (i = 2; i < n && !(p[i] >= '@' && p[i] <= '~'); i++)
		;
	return i < n ? i + 1 : n;
}

/* One line, cleaned and cut; returns its length in `ret`. */
static size_t clean(const char *p, size_t n, char ret[LINE_MAX_SHOWN])
{
	size_t i = 0, k = 0;

	while (i < n && k < LINE_MAX_SHOWN) {
		unsigned char c = (unsigned char)p[i];

		if (c == 0x1b) {
			i += skip_escape(p + i, n - i);
			continue;
		}
		if (c >= 0x7f)
			ret[k++] = '?';
		else if (c >= ' ')
			ret[k++] = (char)c;
		else if (c == '\t')
			ret[k++] = ' ';
		i++;
	}
	while (k > 0 && ret[k - 1] == ' ')
		k--;
	return k;
}

/* QEMU says so of what it does not mind. */
static bool is_warning(const char *line, size_t n)
{
	static const char mark[] = ": warning: ";

	return memmem(line, n, mark, sizeof(mark) - 1) != NULL;
}

/* Where the line of the last panic ends; what a kernel prints after it is a trace for its developers. */
static size_t panic_end(const char *p, size_t n)
{
	static const char mark[] = "Kernel panic - ";
	const char *at = NULL, *next = p, *line_end;

	while ((next = memmem(next, n - (size_t)(next - p), mark, sizeof(mark) - 1))) {
		at = next;
		next += sizeof(mark) - 1;
	}
	if (!at)
		return n;
	line_end = memchr(at, '\n', n - (size_t)(at - p));
	return line_end ? (size_t)(line_end - p) : n;
}

void lastwords_read(int dirfd, const char *name, struct str *out)
{
	char line[LASTWORDS_LINES][LINE_MAX_SHOWN], buf[READ_MAX];
	size_t length[LASTWORDS_LINES], n = 0, total = 0, end, begin;
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	uint64_t size;
	ssize_t got;

	if (fd_open(dirfd, name, O_RDONLY | O_NOCTTY, 0, &fd, &e) < 0 || fd_size(fd, &size, &e) < 0)
		return;
	got = fd_pread_full(fd, buf, sizeof(buf), size > READ_MAX ? (off_t)(size - READ_MAX) : 0,
			    &e);
	for (end = got > 0 ? panic_end(buf, (size_t)got) : 0; end > 0 && n < LASTWORDS_LINES;
	     end = begin ? begin - 1 : 0) {
		for (begin = end; begin > 0 && buf[begin - 1] != '\n'; begin--)
			;
		length[n] = clean(buf + begin, end - begin, line[n]);
		if (length[n] == 0 || is_warning(line[n], length[n]))
			continue;
		if (total + length[n] + sizeof(LASTWORDS_BETWEEN) > LASTWORDS_MAX)
			break;
		total += length[n++] + sizeof(LASTWORDS_BETWEEN) - 1;
	}
	while (n-- > 0) {
		str_addn(out, line[n], length[n]);
		if (n > 0)
			str_add(out, LASTWORDS_BETWEEN);
	}
}
