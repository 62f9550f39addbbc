# tee, tail, head, cut, tr, od, comm-like tools over pipes.
seq 1 5 | tee a b | tail -n 1; cmp a b && wc -l <b; seq 1 3 | tee -a a >/dev/null; wc -l <a; seq 1 100 | tail -n +98; seq 1 100 | head -n -97; tail -c 5 a
(echo a; sleep 0.3; echo b) | tail -n 1; echo 'a:b:c' | cut -d: -f2-; echo hello | tr a-y b-z; echo aabbcc | tr -s abc; echo 'x1y2' | tr -d 0-9; printf 'a\tb\n' | expand | od -c
printf '\001\377AB' | od -An -tx1; printf 'AB' | xxd; printf abc | rev; echo; seq 1 3 | tac; seq 1 6 | paste - - -; echo abc | md5sum; echo abc | sha256sum | cut -c1-16; seq 1 3 | nl; echo x | tee /dev/full 2>&1; echo $?
(for i in 1 2 3; do echo $i >>log; sleep 0.2; done) & timeout 3 tail -f log 2>/dev/null | head -n 3; wait
