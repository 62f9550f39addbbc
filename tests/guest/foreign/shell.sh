# What any POSIX shell does, in words that print the same wherever the shell runs.
x=0
while [ $x -lt 5 ]; do x=$((x + 1)); mkdir -p d/$x; done
echo d/*
(echo a; echo b; echo c) | while read l; do echo "<$l>"; done
trap 'echo got usr1' USR1
kill -USR1 $$
cat <<X
here $x
X
f() { echo "f $1"; return 3; }
f 1; echo $?
( exit 4 ); echo $?
sleep 0.1 & wait $!; echo waited $?
echo "$(echo sub | tr a-z A-Z)"
case abc in a*) echo match;; esac
umask
(cd / && pwd)
set -- one two; echo $# $2
false || echo or
echo text >d/file; cat <d/file; echo more >>d/file; wc -l <d/file
rm -r d; ls d 2>/dev/null || echo gone
sleep 9 & p=$!; (sleep 1; kill $p) & wait $p; echo killed $?
yes 2>/dev/null | head -n 2
exit 9
