# wait: statuses, a job that ended before, unknown ones, interrupted by a trap.
(exit 3) & wait $! 2>/dev/null; echo $?; (exit 4) & p=$!; (exit 5) & q=$!; wait $p 2>/dev/null; echo $?; wait $q 2>/dev/null; echo $?
wait 999999; echo $?; wait; echo $?
sleep 0.2 & p=$!; wait $p; wait $p 2>/dev/null; echo "again $?"
(sh -c 'sleep 0.3'; kill -USR1 $$) & trap 'echo trapped' USR1; sleep 3 & p=$!; wait $p 2>/dev/null; echo $?; kill $p
(kill -9 $(sh -c 'echo $PPID')) & wait $! 2>/dev/null; echo $?
for i in 3 1 2; do (exit $i) & done; wait; echo "all $?"
