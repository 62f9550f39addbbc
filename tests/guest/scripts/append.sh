# O_APPEND: two writers do not overwrite each other; a writer without it does.
(i=0; while [ $i -lt 200 ]; do echo a; i=$((i+1)); done) >>f &
(i=0; while [ $i -lt 200 ]; do echo b; i=$((i+1)); done) >>f &
wait
wc -l <f; sort f | uniq -c
printf 0123456789 >g
printf xx | dd of=g conv=notrunc bs=1 2>/dev/null; cat g; echo
printf yy | dd of=g conv=notrunc oflag=append 2>/dev/null; cat g; echo
exec 5>>g; printf A >&5; : >g; printf B >&5; exec 5>&-; cat g; echo
