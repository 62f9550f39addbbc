# mktemp: files and directories with the right modes, never the same twice.
a=$(mktemp); b=$(mktemp); [ "$a" != "$b" ] && echo differ; stat -c '%a %F %s' $a
d=$(mktemp -d ./t.XXXXXX); stat -c '%a %F' $d; echo $d | sed 's/\.......$/.RANDOM/'
[ -e $(mktemp -u) ] || echo unmade
mktemp /nowhere/XXXXXX 2>&1 | sed 's/X.*X//'
rm $a $b
for i in 1 2 3 4 5 6 7 8 9; do mktemp ./m.XXXXXX; done | sort -u | wc -l
