/* SPDX-License-Identifier: MIT */
/*
 * Time: the TSC for reading it, the local APIC's timer for the tick. Both are measured
 * against the PIT, unless CPUID knows the TSC's frequency. A virtual CPU may stand still for a
 * while, and the PIT run through meanwhile: so it is measured until two results agree. The date
 * comes from the CMOS clock.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

#define PIT_HZ		1193182u
#define PIT_CHANNEL2	0x42
#define PIT_MODE	0x43
#define PIT_GATE	0x61
#define PIT_WINDOW	(PIT_HZ / 100)	/* 10 ms */
#define PIT_START	0xffffu
#define MAX_POLLS	50000000u
#define MAX_TRIES	1000u

enum { RTC_SECOND = 0, RTC_MINUTE = 2, RTC_HOUR = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9,
	RTC_STATUS_A = 10, RTC_STATUS_B = 11 };

struct rate {
	u64 tsc, apic;			/* per second */
};

static struct {
	u64 tsc_start, ns_per_tsc_32;	/* nanoseconds per TSC step, shifted left by 32 */
	u64 tsc_hz, apic_hz;
	u64 boot_seconds;
	unsigned ticks;			/* of CPU 0 since the last heartbeat */
} timing;

/* Nanoseconds since clock_init(), 0 before. Context: any. */
u64 clock_ns(void)
{
	u64 steps = cpu_cycles() - timing.tsc_start;

	return (u64)((unsigned __int128)steps * timing.ns_per_tsc_32 >> 32);
}

static u8 rtc_read(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static unsigned from_bcd(unsigned v)
{
	return (v >> 4) * 10 + (v & 15);
}

/* Days since 1970 of a date of the Gregorian calendar, years counted from March. */
static u64 days_from_date(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month > 2 ? year : year - 1;
	unsigned m = month > 2 ? month - 3 : month + 9;

	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static u64 rtc_seconds(void)
{
	static const u8 regs[6] = { RTC_SECOND, RTC_MINUTE, RTC_HOUR, RTC_DAY, RTC_MONTH, RTC_YEAR };
	unsigned v[6], status = rtc_read(RTC_STATUS_B);
	bool pm;

	for (unsigned i = 0; i < 6; i++)
		v[i] = rtc_read(regs[i]);
	pm = !(status & 2) && (v[2] & 0x80);
	v[2] &= 0x7f;
	for (unsigned i = 0; i < 6 && !(status & 4); i++)
		v[i] = from_bcd(v[i]);
	if (!(status & 2))
		v[2] = v[2] % 12 + (pm ? 12 : 0);
	return days_from_date(2000 + v[5], v[4], v[3]) * 86400 + v[2] * 3600 + v[1] * 60 + v[0];
}

/* Read until two readings agree and none fell into an update. */
static u64 rtc_seconds_stable(void)
{
	u64 last = 0, now;

	for (unsigned tries = 0; tries < 1000; tries++) {
		for (unsigned polls = 0; polls < 10000 && (rtc_read(RTC_STATUS_A) & 0x80); polls++)
			cpu_relax();
		now = rtc_seconds();
		if (now == last)
			break;
		last = now;
	}
	return last;
}

/* Seconds since 1970 when the machine booted. Context: any. */
u64 clock_boot_seconds(void)
{
	if (!timing.boot_seconds)
		timing.boot_seconds = rtc_seconds_stable();
	return timing.boot_seconds;
}

static unsigned pit_read(void)
{
	unsigned low;

	outb(PIT_MODE, 0x80);			/* latch channel 2 */
	low = inb(PIT_CHANNEL2);
	return low | (unsigned)inb(PIT_CHANNEL2) << 8;
}

/* Both rates over one window of the PIT's channel 2, counting down from PIT_START. False: it
 * began again. */
static bool measure(struct rate *out)
{
	u64 tsc, apic;
	unsigned start, now, polls = 0;

	outb(PIT_GATE, (u8)((inb(PIT_GATE) & ~2) | 1));	/* gate on, speaker off */
	outb(PIT_MODE, 0xb0);			/* channel 2, both bytes, mode 0 */
	outb(PIT_CHANNEL2, PIT_START & 0xff);
	outb(PIT_CHANNEL2, PIT_START >> 8);
	apic_timer_set(0xffffffff, false);
	do {
		start = pit_read();
	} while (start > PIT_START - 16 && ++polls < MAX_POLLS);
	tsc = cpu_cycles();
	apic = apic_timer_left();
	do {
		now = pit_read();
	} while (start - now < PIT_WINDOW && ++polls < MAX_POLLS);
	tsc = cpu_cycles() - tsc;
	apic -= apic_timer_left();
	if (polls >= MAX_POLLS)
		panic("the interval timer (PIT) does not count: no way to measure time");
	if (now >= start)
		return false;
	*out = (struct rate){ tsc * PIT_HZ / (start - now), apic * PIT_HZ / (start - now) };
	return true;
}

static bool agree(u64 a, u64 b)
{
	return MAX(a, b) - MIN(a, b) <= a / 64;
}

/* Two measurements in a row that agree. */
static struct rate measure_surely(void)
{
	struct rate last = { 0 }, now;

	for (unsigned tries = 0; tries < MAX_TRIES; tries++) {
		if (!measure(&now))
			continue;
		if (agree(now.tsc, last.tsc) && agree(now.apic, last.apic))
			return now;
		last = now;
	}
	panic("no way to measure time: it never takes as long twice");
}

/* The TSC's frequency in the words of the CPU or the hypervisor, 0 if they are silent. */
static u64 tsc_hz_told(void)
{
	struct cpuid hv = cpuid_get(0x40000010, 0), tsc = cpuid_get(0x15, 0);

	if ((cpuid_get(1, 0).ecx & 1u << 31) && hv.eax)
		return hv.eax * 1000ull;
	return tsc.eax && tsc.ecx ? (u64)tsc.ecx * tsc.ebx / tsc.eax : 0;
}

static void timer_irq(struct regs *r)
{
	if (cpu_id() == 0 && ++timing.ticks == TICK_HZ) {
		timing.ticks = 0;
		hostport_beat();
	}
	upcall_tick(regs_from_user(r));
}

/* Learn both frequencies and start counting time. Context: boot, after machine_init(). */
void clock_init(void)
{
	struct rate rate = measure_surely();
	u64 told = tsc_hz_told();

	timing.tsc_hz = told ? told : rate.tsc;
	timing.apic_hz = rate.apic;
	if (!timing.tsc_hz || timing.apic_hz < TICK_HZ)
		panic("no usable timer: TSC %lu Hz, APIC %lu Hz", timing.tsc_hz, timing.apic_hz);
	timing.ns_per_tsc_32 = (1000000000ull << 32) / timing.tsc_hz;
	(void)clock_boot_seconds();
	timing.tsc_start = cpu_cycles();
	irq_set_handler(VECTOR_TIMER, timer_irq);
	log_info("clock: TSC %lu kHz, APIC timer %lu kHz", timing.tsc_hz / 1000,
		 timing.apic_hz / 1000);
}

/* Start the periodic tick on this CPU. Context: after clock_init(). */
void clock_start_tick(void)
{
	apic_timer_set((u32)(timing.apic_hz / TICK_HZ), true);
}

/* Stop it; one tick may still be on its way. Context: interrupts off, not on CPU 0. */
void clock_stop_tick(void)
{
	apic_timer_set(0, false);
}
