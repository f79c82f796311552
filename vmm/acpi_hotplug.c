/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See acpi_hotplug.h. AML: ACPI specification 6.4, chapter 20; the registers: docs/specs/acpi_pci_hotplug of
 * QEMU. In ASL it is:
 *
 *	OperationRegion (HPIO, SystemIO, 0xcc0, 0x14)
 *	Field (HPIO, DWordAcc, NoLock, Preserve)
 *		{ HPUP, 32, HPDN, 32, HPEJ, 32, Offset (0x10), HPBS, 32 }
 *	Mutex (HPMX, 0)
 *	Name (HPNR, Zero)
 *	Method (HPEX, 1) {			// ejects the slot of mask Arg0
 *		Acquire (HPMX, 0xffff)
 *		Store (HPNR, HPBS)
 *		Store (Arg0, HPEJ)
 *		Release (HPMX)
 *	}
 *	Device (HPBR) {
 *		Name (_ADR, 0x001e0000)
 *		Device (S01_) {			// one for each slot
 *			Name (_ADR, 0x00010000)
 *			Method (_EJ0, 1) { HPEX (0x00000002) }
 *		}
 *		Method (HPSC, 1) {		// looks at bus Arg0
 *			Store (Arg0, HPBS)
 *			Store (HPUP, Local0)	// which forgets them
 *			Store (HPDN, Local1)
 *			If (Or (Local0, Local1)) { Store (Arg0, HPNR) }
 *			If (And (Local0, 0x00000002)) { Notify (S01_, 1) }
 *			If (And (Local1, 0x00000002)) { Notify (S01_, 3) }
 *		}
 *	}
 *
 *	Scope (\_GPE) {
 *		Method (_E01) {
 *			Acquire (\_SB.PCI0.HPMX, 0xffff)
 *			\_SB.PCI0.HPBR.HPSC (Zero)
 *			\_SB.PCI0.HPBR.HPSC (One)
 *			Release (\_SB.PCI0.HPMX)
 *		}
 *	}
 *
 * QEMU gives the buses that take devices numbers in an order of its own. There is only one of them here, but
 * the first bus may count as one too, depending on the version: so both are looked at, and the one on which
 * something happened is remembered.
 */
#include "vmm/acpi_hotplug.h"

#include <assert.h>
#include <stdint.h>

#define HPMX "\\/\x03_SB_PCI0HPMX"
#define HPSC "\\/\x04_SB_PCI0HPBRHPSC"

/* The text may hold zeros. */
#define ADD(s, text) str_addn(s, text, sizeof(text) - 1)

size_t acpi_begin(struct str *aml, const char *op)
{
	size_t begin;

	str_add(aml, op);
	begin = aml->len;
	str_addn(aml, "\0\0", 2);
	return begin;
}

void acpi_end(struct str *aml, size_t begin)
{
	size_t n = aml->len - begin;

	assert(n < 4096);
	aml->buf[begin] = (char)(0x40 | (n & 0xf));
	aml->buf[begin + 1] = (char)(n >> 4);
}

static void add_dword(struct str *aml, uint32_t value)
{
	str_addc(aml, 0x0c);
	for (int i = 0; i < 4; i++)
		str_addc(aml, (char)(value >> (8 * i)));
}

static void add_name(struct str *aml, unsigned slot)
{
	str_addf(aml, "S%02X_", slot);
}

static void add_address(struct str *aml, unsigned slot)
{
	str_add(aml, "\x08_ADR");
	add_dword(aml, slot << 16);
}

static void add_slot(struct str *aml, unsigned slot)
{
	size_t device = acpi_begin(aml, "\x5b\x82"), method;

	add_name(aml, slot);
	add_address(aml, slot);
	method = acpi_begin(aml, "\x14");
	ADD(aml, "_EJ0\x01HPEX");
	add_dword(aml, 1u << slot);
	acpi_end(aml, method);
	acpi_end(aml, device);
}

/* If (And (LocalN, mask)) { Notify (slot, what) } */
static void add_notify(struct str *aml, unsigned slot, char local, char what)
{
	size_t begin = acpi_begin(aml, "\xa0");

	str_addc(aml, 0x7b);
	str_addc(aml, local);
	add_dword(aml, 1u << slot);
	str_addc(aml, '\0');
	str_addc(aml, (char)0x86);
	add_name(aml, slot);
	str_addc(aml, 0x0a);
	str_addc(aml, what);
	acpi_end(aml, begin);
}

static void add_scan(struct str *aml, unsigned slots)
{
	size_t method = acpi_begin(aml, "\x14");

	ADD(aml, "HPSC\x01"
		 "\x70\x68HPBS\x70HPUP\x60\x70HPDN\x61"
		 "\xa0\x0b\x7d\x60\x61\0\x70\x68HPNR");
	for (unsigned i = 0; i < slots; i++) {
		add_notify(aml, ACPI_HOTPLUG_FIRST + i, 0x60, 1);
		add_notify(aml, ACPI_HOTPLUG_FIRST + i, 0x61, 3);
	}
	acpi_end(aml, method);
}

void acpi_hotplug_bridge(unsigned slots, struct str *aml)
{
	size_t begin;

	ADD(aml, "\x5b\x80HPIO\x01\x0b\xc0\x0c\x0a\x14"
		 "\x5b\x81\x1cHPIO\x03HPUP HPDN HPEJ \0 HPBS "
		 "\x5b\x01HPMX\0"
		 "\x08HPNR\0");
	begin = acpi_begin(aml, "\x14");
	ADD(aml, "HPEX\x01"
		 "\x5b\x23HPMX\xff\xff\x70HPNRHPBS\x70\x68HPEJ\x5b\x27HPMX");
	acpi_end(aml, begin);
	begin = acpi_begin(aml, "\x5b\x82");
	ADD(aml, "HPBR");
	add_address(aml, ACPI_HOTPLUG_BRIDGE);
	for (unsigned i = 0; i < slots; i++)
		add_slot(aml, ACPI_HOTPLUG_FIRST + i);
	add_scan(aml, slots);
	acpi_end(aml, begin);
}

void acpi_hotplug_event(struct str *aml)
{
	size_t scope = acpi_begin(aml, "\x10"), method;

	ADD(aml, "\\_GPE");
	method = acpi_begin(aml, "\x14");
	ADD(aml, "_E01\0\x5b\x23" HPMX "\xff\xff" HPSC "\0" HPSC "\x01\x5b\x27" HPMX);
	acpi_end(aml, method);
	acpi_end(aml, scope);
}
