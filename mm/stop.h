/* SPDX-License-Identifier: MIT */
/* Stopping the machine on behalf of mm. See stop.c. */
#pragma once
#include "kernel/lib/compiler.h"

void mm_stop(void);			/* the other CPUs stand at safe points; nests */
void mm_stop_in_alloc(void);		/* the same, inside an allocation for the running task */
void mm_resume(void);			/* undo one of either */
bool mm_stopped_in_alloc(unsigned cpu);	/* while stopped: does cpu stand in the second? */
bool mm_alone(void);			/* nobody else can touch anything of mm's */
unsigned long mm_nr_stops(void);	/* so far, nested ones not counted */
