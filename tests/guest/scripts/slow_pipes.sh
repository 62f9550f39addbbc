# poll through the shell's own tools: watch on a fifo by cat, dd of a slow pipe, nothing lost.
(for i in 1 2 3 4 5; do echo $i; sleep 0.05; done) | while read x; do echo "got $x"; done; (sleep 0.2; echo late) | dd bs=100 count=1 2>/dev/null
seq 1 100 | while read a; do read b; echo $((a + b)); done | tail -n 1; mkfifo a b; (cat a >b) & (cat b >out) & seq 1 5000 >a; wait; md5sum <out; seq 1 5000 | md5sum
