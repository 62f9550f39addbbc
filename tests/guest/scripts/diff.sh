# diff, cmp, patch, ed.
seq 1 5 >a; seq 1 6 | sed 's/3/three/' >b; diff -u a b | tail -n +3; echo $?; diff a a && echo same; cmp a b; diff -u a b >p; patch -i p a 2>&1 | head -n 1; cmp a b && echo patched
printf '1d\nw\nq\n' | ed -s a 2>/dev/null >/dev/null; mkdir x y; cp b x; cp p y; diff -r x y | sort; diff nowhere a 2>&1 | head -n 1
