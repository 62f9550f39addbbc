/* SPDX-License-Identifier: MIT */
/* How an allocation may behave. */
#pragma once

typedef unsigned gfp_t;

#define GFP_WAIT	0x01u		/* may reclaim, drain and sleep */
#define GFP_ZERO	0x02u		/* clear the memory */
#define GFP_NOACCOUNT	0x04u		/* charge nobody (seed 003) */
#define GFP_NOFAIL	0x08u		/* over the limit rather than fail (R1.6) */

#define GFP_KERNEL	GFP_WAIT
#define GFP_ATOMIC	0u
