# Pipes: data through several, exit status of the last, of all by !, a reader that leaves early.
seq 1 1000 | grep 7 | wc -l
false | true; echo "last $?"
! true; echo "not $?"
yes | head -n 3
echo one | { read a; echo "got $a"; }
seq 1 20000 | tail -n 1
(echo to out; echo to err >&2) 2>&1 | sort
yes 2>/dev/null | (exec true); echo "left early $?"
set -o pipefail 2>/dev/null && { false | true; echo "pipefail $?"; }
dd if=/dev/zero bs=64k count=20 2>/dev/null | wc -c
