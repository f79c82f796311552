/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables (schema.c has them with comments) as a list of additive steps. A released step
 * never changes: a change is a new step. Times are nanoseconds of the Unix epoch, 0 for never;
 * digests are "sha256:<hex>"; columns that hold JSON are called `doc` or say so.
 */
#ifndef KVBOX_ENGINE_SCHEMA_H
#define KVBOX_ENGINE_SCHEMA_H

#include "engine/db.h"

extern const struct db_schema store_schema;

#endif
