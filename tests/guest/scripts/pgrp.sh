# Process groups and sessions: ps shows them; kill of a whole group; setsid.
cat >s <<'A'
sleep 100 & a=$!; sleep 100 & b=$!; sleep 0.3
ps -o pid,pgid,sid,args | awk -v s=$$ '$4 ~ /sleep/ { n++; if ($2 != s) own++; if ($3 == s) mine++ } END { print n, own, mine }'
kill -TERM -$a; wait $a 2>/dev/null; echo $?; kill -0 $b && echo "other group lives"; kill $b; wait $b 2>/dev/null; echo $?
A
setsid -c sh -m ./s </dev/console 2>&1
setsid sh -c 'ps -o pid,pgid,sid | awk -v p=$$ "\$1 == p { print (\$2 == p), (\$3 == p) }"'
(sleep 100 & sleep 100 & wait) & sleep 0.3; kill $!; wait $! 2>/dev/null; echo $?; killall sleep; sleep 0.1; pidof sleep; echo "none $?"
