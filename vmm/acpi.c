/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See acpi.h. Layouts: ACPI specification 6.4, chapter 5; the commands: docs/specs/acpi_bios_linker of
 * QEMU's interface to its firmware (BIOS linker/loader). All numbers are little-endian.
 */
#include "vmm/acpi.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vmm/acpi_hotplug.h"

/* Where q35 has its things once the firmware has run. */
#define PM_BASE	     0x600
#define PM_CONTROL   (PM_BASE + 4)
#define PM_TIMER     (PM_BASE + 8)
#define RESET_PORT   0xcf9
#define RESET_VALUE  0x0f
#define LOCAL_APIC   0xfee00000u
#define IO_APIC	     0xfec00000u
#define HPET	     0xfed00000u
#define HPET_ID	     0x8086a201u
#define ACPI_IRQ     9
#define CMOS_CENTURY 0x32

/* FADT: "control method buttons" means that there are no fixed ones to look for. */
#define FADT_WBINVD	  (1u << 0)
#define FADT_C1		  (1u << 2)
#define FADT_POWER_METHOD (1u << 4)
#define FADT_SLEEP_METHOD (1u << 5)
#define FADT_RTC_S4	  (1u << 7)
#define FADT_RESET	  (1u << 10)
#define FADT_BOOT_LEGACY  (1u << 0)
#define FADT_BOOT_NO_VGA  (1u << 2)
#define FADT_FACS_AT	  36
#define FADT_DSDT_AT	  40

#define HEADER_LENGTH_AT   4
#define HEADER_CHECKSUM_AT 9
#define RSDP_SIZE	   20
#define RSDP_CHECKSUM_AT   8
#define RSDP_RSDT_AT	   16

static void add_number(struct str *s, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		str_addc(s, (char)(value >> (8 * i)));
}

static void put_number(struct str *s, size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		s->buf[at + i] = (char)(value >> (8 * i));
}

static void add_zeros(struct str *s, size_t n)
{
	while (n-- > 0)
		str_addc(s, '\0');
}

/* ---- the loader's commands ----------------------------------------------------------------------- */

#define COMMAND_SIZE 128
#define NAME_SIZE    56
#define ZONE_LOW     2 /* below 1 MiB, where the first table is searched for */

enum command { COMMAND_ALLOCATE = 1, COMMAND_POINTER = 2, COMMAND_CHECKSUM = 3 };

static void add_name(struct str *s)
{
	str_add(s, ACPI_FILE_TABLES);
	add_zeros(s, NAME_SIZE - strlen(ACPI_FILE_TABLES));
}

static void end_command(struct str *s, size_t begin)
{
	add_zeros(s, COMMAND_SIZE - (s->len - begin));
}

static void command_allocate(struct str *s)
{
	size_t begin = s->len;

	add_number(s, COMMAND_ALLOCATE, 4);
	add_name(s);
	add_number(s, 64, 4); /* alignment, for the FACS */
	add_number(s, ZONE_LOW, 1);
	end_command(s, begin);
}

/* The four bytes at `at` are an offset in the tables, and become an address. */
static void command_pointer(struct str *s, size_t at)
{
	size_t begin = s->len;

	add_number(s, COMMAND_POINTER, 4);
	add_name(s);
	add_name(s);
	add_number(s, at, 4);
	add_number(s, 4, 1);
	end_command(s, begin);
}

static void command_checksum(struct str *s, size_t at, size_t start, size_t n)
{
	size_t begin = s->len;

	add_number(s, COMMAND_CHECKSUM, 4);
	add_name(s);
	add_number(s, at, 4);
	add_number(s, start, 4);
	add_number(s, n, 4);
	end_command(s, begin);
}

/* ---- the tables ---------------------------------------------------------------------------------- */

/* Begins a table on a good address and returns where that is. */
static size_t begin_table(struct str *s, const char *signature, unsigned revision)
{
	size_t begin;

	add_zeros(s, -s->len % 16);
	begin = s->len;
	str_addn(s, signature, 4);
	add_number(s, 0, 4); /* length */
	add_number(s, revision, 1);
	add_number(s, 0, 1); /* checksum */
	str_addn(s, "KVBOX ", 6);
	str_addn(s, "KVBOX   ", 8);
	add_number(s, 1, 4);
	str_addn(s, "KVBX", 4);
	add_number(s, 1, 4);
	return begin;
}

static void end_table(struct str *s, size_t begin, struct str *loader)
{
	put_number(s, begin + HEADER_LENGTH_AT, (uint32_t)(s->len - begin));
	command_checksum(loader, begin + HEADER_CHECKSUM_AT, begin, s->len - begin);
}

/*
 * The only words of AML, but for what hotplug needs: how to power off, Name (\_S5, Package () { 0, 0, 0, 0 }),
 * and that there is a PCI bus, Scope (\_SB) { Device (PCI0) { Name (_HID, EisaId ("PNP0A03")) } }.
 */
static size_t add_dsdt(struct str *s, unsigned slots, struct str *loader)
{
	static const char power[] = "\x08_S5_\x12\x06\x04\0\0\0\0";
	static const char bus[] = "PCI0\x08_HID\x0c\x41\xd0\x0a\x03";
	size_t begin = begin_table(s, "DSDT", 1), scope, device;

	str_addn(s, power, sizeof(power) - 1);
	scope = acpi_begin(s, "\x10");
	str_add(s, "_SB_");
	device = acpi_begin(s, "\x5b\x82");
	str_addn(s, bus, sizeof(bus) - 1);
	if (slots > 0)
		acpi_hotplug_bridge(slots, s);
	acpi_end(s, device);
	acpi_end(s, scope);
	if (slots > 0)
		acpi_hotplug_event(s);
	end_table(s, begin, loader);
	return begin;
}

static size_t add_facs(struct str *s)
{
	size_t begin;

	add_zeros(s, -s->len % 64);
	begin = s->len;
	str_add(s, "FACS");
	add_number(s, 64, 4);
	add_zeros(s, 24);
	add_number(s, 1, 1); /* version */
	add_zeros(s, 31);
	return begin;
}

static size_t add_fadt(struct str *s, size_t facs, size_t dsdt, bool events, struct str *loader)
{
	size_t begin = begin_table(s, "FACP", 3);

	add_number(s, facs, 4);
	add_number(s, dsdt, 4);
	add_number(s, 1, 1); /* interrupt model: APIC */
	add_number(s, 0, 1); /* profile: unspecified */
	add_number(s, ACPI_IRQ, 2);
	add_zeros(s, 8); /* no SMI command: ACPI is always on */
	add_number(s, PM_BASE, 4);
	add_number(s, 0, 4);
	add_number(s, PM_CONTROL, 4);
	add_zeros(s, 8);
	add_number(s, PM_TIMER, 4);
	add_number(s, events ? ACPI_HOTPLUG_GPE : 0, 4); /* general purpose events */
	add_number(s, 0, 4);
	add_number(s, 4, 1);
	add_number(s, 2, 1);
	add_number(s, 0, 1);
	add_number(s, 4, 1);
	add_number(s, events ? ACPI_HOTPLUG_GPE_SIZE : 0, 1);
	add_zeros(s, 3);
	add_number(s, 0xfff, 2); /* neither C2 ... */
	add_number(s, 0xfff, 2); /* ... nor C3 */
	add_zeros(s, 8);
	add_number(s, CMOS_CENTURY, 1);
	add_number(s, FADT_BOOT_LEGACY | FADT_BOOT_NO_VGA, 2);
	add_number(s, 0, 1);
	add_number(s,
		   FADT_WBINVD | FADT_C1 | FADT_POWER_METHOD | FADT_SLEEP_METHOD | FADT_RTC_S4 |
			   FADT_RESET,
		   4);
	add_number(s, 1, 1); /* reset register: an I/O port, 8 bits */
	add_number(s, 8, 1);
	add_number(s, 0, 1);
	add_number(s, 1, 1);
	add_number(s, RESET_PORT, 8);
	add_number(s, RESET_VALUE, 1);
	add_zeros(s, 244 - (s->len - begin)); /* the wide addresses: unused */
	command_pointer(loader, begin + FADT_FACS_AT);
	command_pointer(loader, begin + FADT_DSDT_AT);
	end_table(s, begin, loader);
	return begin;
}

/* An interrupt of the old bus that arrives elsewhere. */
static void add_override(struct str *s, unsigned irq, unsigned input, unsigned flags)
{
	add_number(s, 2, 1);
	add_number(s, 10, 1);
	add_number(s, 0, 1);
	add_number(s, irq, 1);
	add_number(s, input, 4);
	add_number(s, flags, 2);
}

static size_t add_madt(struct str *s, unsigned vcpus, struct str *loader)
{
	size_t begin = begin_table(s, "APIC", 1);

	add_number(s, LOCAL_APIC, 4);
	add_number(s, 1, 4); /* there is an 8259 as well */
	for (unsigned i = 0; i < vcpus; i++) {
		add_number(s, 0, 1);
		add_number(s, 8, 1);
		add_number(s, i, 1);
		add_number(s, i, 1);
		add_number(s, 1, 4); /* enabled */
	}
	add_number(s, 1, 1);
	add_number(s, 12, 1);
	add_number(s, 0, 2);
	add_number(s, IO_APIC, 4);
	add_number(s, 0, 4);
	add_override(s, 0, 2, 0);
	add_override(s, ACPI_IRQ, ACPI_IRQ, 0xd); /* level, active high */
	end_table(s, begin, loader);
	return begin;
}

static size_t add_hpet(struct str *s, struct str *loader)
{
	size_t begin = begin_table(s, "HPET", 1);

	add_number(s, HPET_ID, 4);
	add_zeros(s, 4); /* in memory */
	add_number(s, HPET, 8);
	add_zeros(s, 4);
	end_table(s, begin, loader);
	return begin;
}

/* The list of the others, and the first one, which points to it. */
static void add_roots(struct str *s, const size_t *tables, size_t n, struct str *loader)
{
	size_t rsdt = begin_table(s, "RSDT", 1), rsdp;

	for (size_t i = 0; i < n; i++) {
		command_pointer(loader, s->len);
		add_number(s, tables[i], 4);
	}
	end_table(s, rsdt, loader);

	add_zeros(s, -s->len % 16);
	rsdp = s->len;
	str_add(s, "RSD PTR ");
	add_number(s, 0, 1);
	str_add(s, "KVBOX ");
	add_number(s, 0, 1);
	add_number(s, rsdt, 4);
	command_pointer(loader, rsdp + RSDP_RSDT_AT);
	command_checksum(loader, rsdp + RSDP_CHECKSUM_AT, rsdp, RSDP_SIZE);
}

void acpi_build(unsigned vcpus, unsigned slots, struct str *tables, struct str *loader)
{
	size_t facs, dsdt, listed[3];

	command_allocate(loader);
	facs = add_facs(tables);
	dsdt = add_dsdt(tables, slots, loader);
	listed[0] = add_fadt(tables, facs, dsdt, slots > 0, loader);
	listed[1] = add_madt(tables, vcpus, loader);
	listed[2] = add_hpet(tables, loader);
	add_roots(tables, listed, sizeof(listed) / sizeof(listed[0]), loader);
}
