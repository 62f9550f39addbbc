# Here-documents: expanded, quoted, with tabs cut, several at once, larger than a pipe.
x=value
cat <<A
one $x $(echo sub) \$x
A
cat <<'A'
raw $x $(echo sub)
A
cat <<-A
	no tabs
		none
	A
cat <<A; cat <<B
first
A
second
B
f() { cat; echo "end of f"; }
f <<A
to a function
A
big=$(seq 1 20000)
wc -c <<A
$big
A
while read -r a b; do echo "$b $a"; done <<A
1 2
3 4
A
