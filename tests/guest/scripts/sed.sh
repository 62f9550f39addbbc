# sed: substitution, ranges, hold space, in place.
seq 1 5 | sed -n '2,4p'; seq 1 5 | sed '/3/d'; echo 'a.b.c' | sed 's/\./-/2g'
seq 1 4 | sed -n '1!G;h;$p'; echo hello | sed 's/\(h\)\(e\)/\2\1/;y/lo/LO/'
seq 1 3 >f; sed -i 's/2/two/' f; cat f; ls
printf 'x\ny\n' | sed 'a\
after'; seq 1 9 | sed -e '$!N;s/\n/,/'
sed -n '$=' f; echo abc | sed 's/b*/X/g'; sed p /nowhere 2>&1; echo $?
