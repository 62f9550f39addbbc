# Job control: set -m on a terminal of its own: stop, jobs, bg, fg, kill %1.
cat >s <<'A'
sleep 100 & jobs | sed 's/ *$//'
kill -STOP %1; sleep 0.2; jobs | sed 's/ *$//'
bg %1; sleep 0.2; jobs | sed 's/ *$//'; kill %1; wait %1 2>/dev/null; echo $?
sh -c 'kill -STOP $$; echo continued'; echo "stopped $?"; fg %1; echo "fg $?"
(exit 7) & wait %1 2>/dev/null; echo $?; sleep 50 | sleep 60 & kill %%; wait; jobs; echo end
A
setsid -c sh -m ./s </dev/console 2>&1
sh -mc 'echo no terminal' 2>&1 | tail -n 1
