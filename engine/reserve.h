/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for the database on a full disk: a file without contents that has its blocks, beside it.
 *
 * A database needs room also for deleting. So that containers end and can be removed when nothing
 * else works any more, commands that give room back may use the reserve (db_urgent_begin). A part
 * of its blocks goes over to the database's log in one step, before anybody else who waits for
 * room (a guest, say) gets them. It is made again by the next command that finds room.
 */
#ifndef KVBOX_ENGINE_RESERVE_H
#define KVBOX_ENGINE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_FILE  "reserve"
#define RESERVE_BYTES ((int64_t)4 << 20)

/* Makes the reserve in `folder` if it is not there and would be a small part of the room that is
 * left. Where that fails there is none. */
void reserve_keep(const char *folder);
/*
 * On a full disk, gives the reserve up for the file `log`, and says true; with room or without a
 * reserve nothing is done.
 */
bool reserve_use(const char *folder, const char *log);

#endif
