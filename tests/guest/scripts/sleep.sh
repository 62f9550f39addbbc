# Time goes on: sleep of fractions, several at once, uptime grows, interrupted sleep.
s=$(cut -d. -f1 /proc/uptime); sleep 1 & sleep 1 & wait; e=$(cut -d. -f1 /proc/uptime)
[ $((e - s)) -ge 1 ] && [ $((e - s)) -le 30 ] && echo "about a second"
sleep 0; echo $?; sleep 0.01 && echo fraction; sleep x 2>&1 | head -n 1; usleep 1000; echo $?
a=$(date +%s); sleep 1; b=$(date +%s); [ $b -gt $a ] && echo later
sh -c 'sleep 100 & p=$!; kill -ALRM $p; wait $p' 2>/dev/null; echo $?
