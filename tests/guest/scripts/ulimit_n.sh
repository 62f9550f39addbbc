# ulimit -n: no more descriptors than that; those above stay open.
(ulimit -n 8; exec 3</dev/null 4</dev/null 5</dev/null; ulimit -n; cat /etc/passwd | head -n 1)
(ulimit -n 5; exec 3</dev/null 4</dev/null; ls / >/dev/null 2>&1; echo $?; cat f 2>&1)
(ulimit -n 3; exec cat /etc/passwd) 2>&1
ulimit -n 64; su student -c 'ulimit -Hn; ulimit -n 65' 2>&1; ulimit -Sn 20; ulimit -n; ulimit -Hn
