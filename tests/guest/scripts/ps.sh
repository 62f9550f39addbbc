# ps: formats, states, own processes, names from arguments.
sleep 77 & p=$!; sleep 0.2; ps -o pid,ppid,comm,args | awk -v p=$p '$1 == p { print ($2 > 1), $3, $4, $5 }'
ps -o stat,pid | awk -v p=$p '$2 == p { print substr($1,1,1) }'
ps -o user,pid | awk '$2 == 1 { print $1 }'
kill -STOP $p; sleep 0.1; ps -o stat,pid | awk -v p=$p '$2 == p { print substr($1,1,1) }'; kill -9 $p
su student -c 'sleep 78 & sleep 0.2; ps -o user,args | grep -c "^student.*[s]leep 78$"; kill $!'
ps | head -n 1 | tr -s ' '; ps -o nosuch 2>&1 | head -n 1
sh -c '(exit 0) & exec sleep 1' & sleep 0.4; ps -o stat,comm,ppid | awk -v p=$! '$3 == p { print $1 }'
wait
