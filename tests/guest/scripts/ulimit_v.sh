# ulimit -v and -s: memory refused to a program, not to the machine.
{ (ulimit -v 2000; awk 'BEGIN { s = "x"; while (1) s = s s }' >/dev/null); r=$?; } 2>/dev/null; [ $r -ne 0 ] && echo refused
{ (ulimit -v 100; exec /bin/busybox ls); r=$?; } >/dev/null 2>&1; [ $r -ne 0 ] && echo "cannot start"
(ulimit -s 256; ulimit -s; echo small stack | cat)
(ulimit -c 0; ulimit -c); (ulimit -d 4096; ulimit -d); ulimit -t
f() { f; }; (ulimit -s 512; sh -c 'f() { f; }; f') >/dev/null 2>&1; echo $?
