/* SPDX-License-Identifier: MIT */
/* Host half of arch/static_key.h: nothing to patch, the key itself is read. */
#pragma once

#define static_key_on(key)	(atomic_load(&(key)->users) > 0)
