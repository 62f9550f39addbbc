/* SPDX-License-Identifier: MIT */
/*
 * Safe points: where a CPU stands outside every allocation, holds no spinlock, and may be
 * asked to wait. See safepoint.c.
 */
#pragma once
#include "kernel/lib/compiler.h"

/* Bring every other CPU to a safe point and hold it there until safepoint_resume(). Nests on
 * the CPU that stopped the others. Context: interrupts on, no spinlock held; is itself a safe
 * point until it returns. Between the two: no sleeping, no waiting for another CPU. */
void safepoint_stop(void);
void safepoint_resume(void);
bool safepoint_stopped(void);		/* did this CPU stop the others? */

/* A safe point: stand still while another CPU wants it. Context: no spinlock held. */
void safepoint_poll(void);

/* Does another CPU wait for this one to stand still? */
bool safepoint_wanted(void);

/* Around the wait for an interrupt in the idle loop: between the two this CPU counts as
 * standing at a safe point and touches nothing a stopper may look at. Interrupts off. */
void safepoint_idle_enter(void);
void safepoint_idle_exit(void);
