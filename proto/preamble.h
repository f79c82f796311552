/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a session begins on a virtio-serial port, which has no connections and may still hold bytes
 * of an earlier session: the host sends a magic and a random nonce; the guest drops everything
 * until it has seen the magic, then sends magic and nonce back and after them its first frame; the
 * host drops everything before its own magic and nonce.
 *
 * Host:					Guest:
 *	unsigned char mine[PREAMBLE_SIZE];	preamble_scan_init(&s, NULL);
 *	preamble_make(mine);			... preamble_scan(&s, p, n, &used) until true
 *	write(fd, mine, sizeof(mine));		conn_send_raw(conn, s.buf, PREAMBLE_SIZE);
 *	preamble_scan_init(&s, mine);		conn_send_message(conn, hello)
 *	... preamble_scan(&s, p, n, &used) until true; conn_feed(conn, p + used, n - used)
 *
 * On vsock there is no preamble.
 */
#ifndef KVBOX_PROTO_PREAMBLE_H
#define KVBOX_PROTO_PREAMBLE_H

#include <stdbool.h>
#include <stddef.h>

#define PREAMBLE_MAGIC	    "KVBOX-CHANNEL-1\n"
#define PREAMBLE_MAGIC_SIZE 16
#define PREAMBLE_SIZE	    32

/* Magic and a fresh nonce. */
void preamble_make(unsigned char ret[PREAMBLE_SIZE]);

struct preamble_scan {
	unsigned char buf[PREAMBLE_SIZE]; /* what was found, once it was */
	size_t n;
	unsigned char want[PREAMBLE_SIZE];
	size_t nwant; /* how much of `want` must be met exactly */
};

/* `want` NULL: any nonce will do. */
void preamble_scan_init(struct preamble_scan *s, const unsigned char want[PREAMBLE_SIZE]);

/*
 * Looks at `n` more bytes. True when the preamble is complete; *used then is how many of them
 * belong to it or came before it. False: all were used.
 */
bool preamble_scan(struct preamble_scan *s, const void *p, size_t n, size_t *used);

#endif
