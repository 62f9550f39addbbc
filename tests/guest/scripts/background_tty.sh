# A background job that reads the terminal is stopped; one that writes is with tostop.
cat >s <<'A'
cat /dev/tty & sleep 0.5; jobs | grep -c 'Stopped (tty input)'; kill -9 %1; wait %1 2>/dev/null; jobs >/dev/null 2>&1
stty tostop; sh -c 'echo unseen >/dev/tty; echo went on' & sleep 0.5; jobs | grep -c 'Stopped (tty output)'; stty -tostop; fg %% >/dev/null; echo $?
A
setsid -c sh -m ./s </dev/console 2>/dev/null
