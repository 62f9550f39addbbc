/* SPDX-License-Identifier: MIT */
/*
 * Charging on three CPUs: mm/counter.c and the refusal of mm/memcg.c over the safe points. Two
 * levels, parent P and child C; the owner record "rec" names C until C is removed, then P.
 *
 *	CPU 0, 1	charge one page to whoever rec names, hold it, uncharge it
 *	CPU 2		lowers the limit of P, removes C, and charges P's own record
 *
 * A page may also sit unused in a CPU's cache ("kept"): charged, nobody's, given back by a
 * drain only. Stopping the machine is one step, taken when all others stand at a safe point:
 * safepoint.pml shows that the handshake gives exactly that. A CPU charging is not at one: from
 * the reading of rec to the last counter nobody can stop it.
 *
 *	-DBUG_ADD	adds first and takes back when it was too much: usage above the limit
 *	-DBUG_LIMIT	the limit is not looked at again after the compare-and-swap
 *	-DBUG_UNDO	a refused charge leaves the level below charged
 *	-DBUG_FINAL	the second try is made with the others running
 *	-DBUG_DRAIN	no drain before the refusal is final
 *	-DBUG_REPARENT	rec is pointed to P while the others run
 *	-DBUG_DEAF	a CPU that wants the machine does not stand for the one that has it
 *
 * Checked: usage <= limit at each step; with nobody under way each usage is what is held below
 * it; a final refusal comes only when there is no room and nothing kept; no charge to a removed
 * group; no deadlock.
 */
#ifndef ROUNDS
#define ROUNDS	2
#endif
#define CPUS	3
#define UNLIMITED 9
#define P	0
#define C	1

int usage[2];
byte limit[2];
bool removed;				/* C is gone */
byte rec = C;				/* whom the record names */
byte held[2];				/* pages by the level that pays: truth */
byte kept[CPUS];			/* charged and unused, in this CPU's cache */
bool safe[CPUS];			/* at a safe point */
byte stopper;				/* who has the machine, CPU + 1 */
bool limiting;				/* a limit is being tried */
byte doubt[2];				/* swapped in, limit not looked at again yet */

#define others_safe(me)	((me == 0 || safe[0]) && (me == 1 || safe[1]) && (me == 2 || safe[2]))
#define within(level)	(limiting || usage[level] - doubt[level] <= limit[level])
#define bounded()	assert(within(P) && within(C))

/* A safe point: stand while another CPU has the machine. */
inline poll()
{
	safe[me] = true;
	atomic { stopper == 0 -> safe[me] = false; }
}

inline stop()
{
	safe[me] = true;
#ifdef BUG_DEAF
	safe[me] = false;
#endif
	atomic { stopper == 0 -> stopper = me + 1; safe[me] = false; }
	others_safe(me);
}

inline resume()
{
	stopper = 0;
}

/* charge_level(): ok says whether the level took the page. */
inline charge_level(level)
{
#ifdef BUG_ADD
	atomic { usage[level]++; bounded(); }
	if
	:: usage[level] > limit[level] -> usage[level]--; ok = false;
	:: else -> ok = true;
	fi;
#else
	seen = usage[level];
	do
	:: seen + 1 > limit[level] -> ok = false; break;
	:: else ->
	   if
	   :: atomic {
		usage[level] == seen ->
		usage[level] = seen + 1;
		ok = true;
#ifndef BUG_LIMIT
		doubt[level]++;
#endif
		bounded();
	      }
	      break;
	   :: atomic { usage[level] != seen -> seen = usage[level]; }
	   fi;
	od;
#ifndef BUG_LIMIT
	if
	:: atomic { ok && seen + 1 <= limit[level] -> doubt[level]--; bounded(); }
	:: atomic { ok && seen + 1 > limit[level] -> ok = false; }
	   atomic { usage[level]--; doubt[level]--; }
	:: !ok;
	fi;
#endif
#endif
}

/* page_counter_try_charge() to the group that the record of this CPU names. */
inline try_charge()
{
	payer = (me == 2 -> P : rec);
	ok = true;
	if
	:: payer == C -> charge_level(C);
	:: else;
	fi;
	if
	:: ok ->
	   charge_level(P);
	   if
	   :: !ok && payer == C ->
#ifndef BUG_UNDO
	      usage[C]--;
#else
	      skip;
#endif
	   :: else;
	   fi;
	:: else;
	fi;
	if
	:: ok -> atomic { assert(payer == P || !removed); held[payer]++; seen = 0; payer = 0; }
	:: else -> atomic { seen = 0; payer = 0; }
	fi;
}

/* One page is given back, level by level, to whom the record names now. */
inline uncharge()
{
	payer = (me == 2 -> P : rec);
	if
	:: payer == C -> atomic { usage[C]--; assert(usage[C] >= 0); held[C]--; held[P]++; }
	:: else;
	fi;
	atomic { usage[P]--; assert(usage[P] >= 0); held[P]--; payer = 0; }
}

/* Everything unused on all CPUs back to the counters: the machine is stopped. */
inline drain()
{
	atomic {
		n = 0;
		do
		:: n < CPUS ->
		   do
		   :: kept[n] > 0 ->
		      kept[n]--;
		      held[rec]--;
		      usage[P]--;
		      if
		      :: rec == C -> usage[C]--;
		      :: else;
		      fi;
		   :: else -> break;
		   od;
		   n++;
		:: else -> break;
		od;
		n = 0;
	}
}

#define TRULY_FULL (held[P] + held[C] + 1 > limit[P] || \
		    (me != 2 && rec == C && held[C] + 1 > limit[C]))
#define NOTHING_KEPT (kept[0] + kept[1] + kept[2] == 0)

/* memcg_charge(): a refusal is final after stop, drain and a second try of its own. */
inline charge()
{
	try_charge();
	if
	:: !ok ->
#ifndef BUG_FINAL
	   stop();
#endif
#ifndef BUG_DRAIN
	   drain();
#endif
	   try_charge();
	   if
	   :: !ok -> assert(TRULY_FULL && NOTHING_KEPT);
	   :: else;
	   fi;
#ifndef BUG_FINAL
	   resume();
#endif
	:: else;
	fi;
	bounded();
}

proctype worker(byte me)
{
	byte rounds = ROUNDS, payer = 0, n = 0, mine = 0;
	int seen = 0;
	bool ok = false;

	do
	:: rounds > 0 ->
	   rounds--;
	   poll();
	   charge();
	   mine = ok;
	   poll();
	   if
	   :: mine -> uncharge();
	   :: mine && kept[me] == 0 -> atomic { kept[me]++; }	/* freed into the CPU's cache */
	   :: !mine;
	   fi;
	   mine = 0;
	   bounded();
	:: else -> break;
	od;
	safe[me] = true;
}

/* memcg_set_kmem_limit() of P. Writes first, looks second; gives way when both see the other. */
inline set_limit(new)
{
	limiting = true;
	limit[P] = new;
	if
	:: atomic { usage[P] <= new -> limiting = false; }
	:: atomic { usage[P] > new -> limit[P] = UNLIMITED; limiting = false; }
	fi;
	bounded();
}

/* memcg_destroy() of C: the machine stands while the record is pointed to P. */
inline remove()
{
#ifndef BUG_REPARENT
	stop();
#endif
	atomic { rec = P; held[P] = held[P] + held[C]; held[C] = 0; }
	atomic { assert(usage[C] == 0 || rec == P); removed = true; usage[C] = 0; }
#ifndef BUG_REPARENT
	resume();
#endif
}

proctype manager(byte me)
{
	byte payer = 0, n = 0;
	int seen = 0;
	bool ok = false, limited = false;

	do
	:: !limited -> limited = true; poll(); set_limit(1);
	:: !limited -> limited = true; poll(); set_limit(2);
	:: !removed -> poll(); remove();
	:: limited && removed -> break;
	:: limited -> break;
	od;
	poll();
	charge();
	poll();
	if
	:: ok -> uncharge();
	:: else;
	fi;
	safe[me] = true;
}

/* When all stand still at the end, each counter is exactly what is held below it. */
init {
	limit[P] = UNLIMITED;
	limit[C] = 1;
	atomic { run worker(0); run worker(1); run manager(2); }
	_nr_pr == 1;
	assert(usage[P] == held[P] + held[C]);
	assert(removed || usage[C] == held[C]);
	assert(held[P] + held[C] == kept[0] + kept[1] + kept[2]);
}
