# awk: fields, sums, arrays, functions, pipes and system.
seq 1 100 | awk '{ s += $1 } END { print s, NR }'
awk -F: '{ print $1, $3 }' /etc/passwd
printf 'a 1\nb 2\na 3\n' | awk '{ t[$1] += $2 } END { for (k in t) print k, t[k] }' | sort
awk 'BEGIN { printf "%05.2f|%x|%s\n", 3.14159, 255, substr("hello", 2, 3) }'
awk 'BEGIN { "echo sub" | getline x; print x; system("echo sys"); print "to sort" | "sort" }'
awk 'function f(n) { return n < 2 ? n : f(n-1) + f(n-2) } BEGIN { print f(15) }'
awk 'BEGIN { while ((getline l < "/etc/group") > 0) n++; print n; print "x" > "out"; close("out") }'; cat out
awk 'BEGIN { exit 3 }'; echo $?
echo 'A-b_c' | awk '{ print toupper($0); gsub(/[-_]/, "+"); print length($0), $0 }'
