/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of ACPI that tells a guest of devices that come and go: a program for QEMU's hotplug registers.
 *
 * All of them are behind one PCI bridge at a known address of the first bus, each at a slot of its own; the
 * guest rescans a slot, or lets go of what is there, when the program says so. The other way, hotplug of PCI
 * Express, waits five seconds before a device goes, for people who press buttons.
 */
#ifndef KVBOX_VMM_ACPI_HOTPLUG_H
#define KVBOX_VMM_ACPI_HOTPLUG_H

#include "base/str.h"

#define ACPI_HOTPLUG_BRIDGE 0x1eu /* slot of the bridge on the first bus */
#define ACPI_HOTPLUG_FIRST  1u	  /* slot of the first device behind it; the next ones follow */

/* The general purpose events: where q35 has them. */
#define ACPI_HOTPLUG_GPE      0x620
#define ACPI_HOTPLUG_GPE_SIZE 16

/* Appends what belongs into \_SB.PCI0, and what belongs beside it; 1 to 30 slots. */
void acpi_hotplug_bridge(unsigned slots, struct str *aml);
void acpi_hotplug_event(struct str *aml);

/* For whoever writes AML: begins a package with `op` (of 1 or 2 bytes), ends it with its length, which is
 * below 4096. */
size_t acpi_begin(struct str *aml, const char *op);
void acpi_end(struct str *aml, size_t begin);

#endif
