# Default actions: how the shell sees each signal end a child; stopped ones go on.
for s in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM USR1 USR2 BUS SYS XCPU XFSZ VTALRM PROF TRAP; do
	sh -c "ulimit -c 0; kill -$s \$\$; echo survived" 2>/dev/null; echo "$s $?"
done
for s in CHLD CONT URG WINCH; do sh -c "kill -$s \$\$; echo $s ignored"; done
sleep 100 & kill -STOP $!; kill -CONT $!; kill $!; wait $! 2>/dev/null; echo $?
sleep 100 & kill -STOP $!; kill -KILL $!; wait $! 2>/dev/null; echo $?
kill -0 $$ && echo here; kill -0 999999 2>&1 | sed 's/.*: //'; kill -NOSUCH $$ 2>&1 | sed 's/.*: //'
kill -l 9; kill -l 143; sh -c 'kill -35 $$' ; echo $?
