# kill: of many at once, of -1 by a user, signal 0, by name; a child of a killed parent.
sleep 50 & a=$!; sleep 50 & b=$!; kill $a $b; wait $a 2>/dev/null; echo $?; wait $b 2>/dev/null; echo $?
su student -c 'sleep 60 & sleep 60 & sleep 0.2; trap "" TERM; kill -TERM -1; wait; echo mine ended'; kill -0 1 && echo "init lives"
sh -c 'sleep 5 & echo $! >p; kill -9 $$' ; p=$(cat p); sleep 0.1; kill -0 $p && echo orphan lives; awk '{ print $4 }' /proc/$p/stat; kill $p
killall nosuch 2>&1; sleep 51 & sleep 0.1; killall sleep; wait $! 2>/dev/null; echo $?; kill 2>&1 | head -n 1; kill x 2>&1 | tail -n 1 | sed 's/.*: //'
