/* SPDX-License-Identifier: MIT */
/*
 * The handshake of kernel/sync/safepoint.c. Each CPU works on its part (touches what a stopper
 * looks at), polls, goes idle and comes back, and some stop the machine. Sequentially
 * consistent: every step below is one read-modify-write, or one load whose order the barriers
 * of the code guarantee. The store buffers that a missing barrier would show are modelled by
 * -DBUG_ORDER, which swaps the two halves of a CPU's "write mine, then look at theirs".
 *
 *	-DBUG_ORDER	a CPU looks at the stopper before it says that it runs again
 *	-DBUG_ONCE	after standing a CPU does not look at the stopper again
 *	-DBUG_LOST	a CPU halts by what it saw before it said that it would
 *	-DBUG_DEAF	one that waits to be the stopper does not stand meanwhile
 *
 * Checked: nobody works while another CPU has the machine; at most one has it; no deadlock;
 * as long as each CPU gets its turn, all come to their end (ltl done).
 */
#ifndef CPUS
#define CPUS	3
#endif
#ifndef STOPS
#define STOPS	1			/* how often each CPU stops the machine */
#endif
#ifndef TURNS
#define TURNS	1			/* how often each works or idles */
#endif

mtype = { RUNNING, STANDING, HALTED };

mtype state[CPUS] = RUNNING;
byte stopper;				/* 0: nobody, else CPU + 1 */
bool irq[CPUS];				/* an interrupt is pending */
bool working[CPUS];			/* inside what must not be interrupted */
byte owners;				/* CPUs that have the machine */
byte finished;

inline look_and_run()
{
#ifdef BUG_ORDER
	stopper == 0;
	state[me] = RUNNING;
#else
	state[me] = RUNNING;
#endif
}

/* Halted, with interrupts masked until the halt itself; only resume() interrupts. */
inline halt()
{
#ifdef BUG_LOST
	if
	:: stopper != 0 ->
	   state[me] = HALTED;
	   atomic { irq[me] -> irq[me] = false; }
	:: else;
	fi;
#else
	state[me] = HALTED;
#endif
	do
	:: stopper == 0 -> break;
	:: stopper != 0 -> atomic { irq[me] -> irq[me] = false; }
	od;
}

/* stand(): until there is no stopper. Spins for a moment, or longer and halts. */
inline stand()
{
	do
	:: state[me] = STANDING;
	   if
	   :: stopper == 0;
	   :: true -> halt();
	   fi;
	   look_and_run();
#if defined(BUG_ORDER) || defined(BUG_ONCE)
	   break;
#else
	   if
	   :: stopper == 0 -> break;
	   :: else;
	   fi;
#endif
	od;
}

inline poll()
{
	if
	:: stopper != 0 && stopper != me + 1 -> stand();
	:: else;
	fi;
}

inline work()
{
	working[me] = true;
	assert(owners == 0);
	working[me] = false;
}

/* The interrupt that ends the wait may come at any time; nobody sends it to a standing CPU. */
inline idle()
{
	state[me] = STANDING;
	look_and_run();
	if
	:: stopper != 0 -> stand();
	:: else;
	fi;
}

inline stop()
{
	do
	:: atomic { stopper == 0 -> stopper = me + 1; }
	   break;
#ifndef BUG_DEAF
	:: stopper != 0 -> poll();
#endif
	od;
	i = 0;
	do
	:: i < CPUS ->
	   (i == me || state[i] != RUNNING);
	   i++;
	:: else -> break;
	od;
	i = 0;
}

inline owner_work()
{
	d_step {
		owners++;
		assert(owners == 1);
		i = 0;
		do
		:: i < CPUS -> assert(!working[i]); i++;
		:: else -> break;
		od;
		i = 0;
	}
	d_step {
		owners--;
		stopper = 0;
	}
	do
	:: i < CPUS ->
	   if
	   :: state[i] == HALTED -> irq[i] = true;
	   :: else;
	   fi;
	   i++;
	:: else -> break;
	od;
	i = 0;
}

proctype cpu(byte me)
{
	byte turns = TURNS, stops = STOPS, i = 0;

	do
	:: turns > 0 -> turns--; poll(); work();
	:: turns > 0 -> turns--; idle();
	:: stops > 0 -> stops--; stop(); owner_work();
	:: turns == 0 && stops == 0 -> break;
	od;
	/* From here on it sits in the idle loop: standing, and woken by nobody. */
	atomic { state[me] = STANDING; finished++; }
}

init {
	byte n = 0;

	atomic {
		do
		:: n < CPUS -> run cpu(n); n++;
		:: else -> break;
		od;
	}
}

ltl done { <> (finished == CPUS) }
