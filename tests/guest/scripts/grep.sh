# grep: patterns, counts, files, context, recursion, status.
printf 'one\ntwo\nthree\nTWO\n' >f; mkdir d; cp f d/g
grep o f; grep -c o f; grep -v o f; grep -i two f; grep -n t f; grep -x two f
grep -q zzz f; echo $?; grep x /nowhere 2>&1; echo $?
grep -r three . | sort; grep -l one f d/g; grep -E '^(one|three)$' f; grep -F 'o' f
grep -A1 one f; grep -o 'e*' f; printf 'a\0b' | grep -c b; grep -w on f; echo $?
