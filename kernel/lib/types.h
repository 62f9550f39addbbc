/* SPDX-License-Identifier: MIT */
/* Fixed-width names and the address types. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 paddr_t;			/* a physical address */
typedef unsigned long pfn_t;		/* a physical page number */
typedef unsigned long uaddr_t;		/* a user-space address: never dereferenced in C */
