# ulimit -f: SIGXFSZ at the limit, a short write before it.
(ulimit -f 8; dd if=/dev/zero of=f bs=1k count=20 2>/dev/null); echo $?; wc -c <f
(ulimit -f 8; trap '' XFSZ; dd if=/dev/zero of=g bs=1000 count=20 2>&1 | head -n 1); wc -c <g
(ulimit -f 1; trap '' XFSZ; truncate -s 1000000 h 2>&1); wc -c <h
(ulimit -f 1; yes | head -c 100000 | cat >/dev/null; echo "pipes are free $?")
ulimit -f; (ulimit -f 3; ulimit -f; ulimit -f 4 2>/dev/null; su student -c 'ulimit -f 100' 2>&1)
