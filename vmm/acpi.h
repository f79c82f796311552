/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least ACPI that Linux needs on QEMU's q35: processors, timers, power-off and reset.
 *
 * QEMU's own tables describe each device by a program (AML) that the guest has to interpret. In software
 * emulation, where the interpreter itself is interpreted, that takes a fifth of the boot, and says
 * nothing that the PCI bus does not say as well. Without any ACPI there would be no power-off, and no
 * timer that lets an idle guest sleep for longer than 27 ms.
 *
 * The tables are handed over as QEMU hands over its own: two files of fw_cfg, the tables and a list of
 * commands for the firmware, which puts them into memory and fills in addresses and checksums. The guest
 * needs "pci=nocrs" on its command line: the tables say that there is a PCI bus, and nothing of its windows.
 * ("pci=noacpi" would ignore the interrupt controllers as well, and not every kernel finds them in another
 * way: Debian's does not.)
 */
#ifndef KVBOX_VMM_ACPI_H
#define KVBOX_VMM_ACPI_H

#include "base/str.h"

/* Names in fw_cfg. */
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_LOADER "etc/table-loader"

/* Either text is well below that. */
#define ACPI_TEXT_MAX 16384

/* Appends both files for a machine of 1 to 255 processors, with so many slots for devices that come later
 * (vmm/acpi_hotplug.h; 0: none, up to 30). */
void acpi_build(unsigned vcpus, unsigned slots, struct str *tables, struct str *loader);

#endif
