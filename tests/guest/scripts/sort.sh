# sort and uniq: orders, keys, numbers, stability, a file larger than a pipe.
printf '10\n9\n2\n33\n1\n' >n; sort n; sort -n n; sort -rn n
printf 'b 2\na 10\nc 1\na 2\n' >k; sort -k2,2n -k1,1 k; sort -u -k1,1 k
printf 'x\nx\ny\nx\n' | uniq -c; printf 'x\nx\ny\n' | uniq -d
seq 20000 -1 1 | sort -n | md5sum
sort -c n 2>&1; sort -o n -n n; head -n 1 n; printf 'a\0b\0' | sort -rz | tr '\0' '\n'
sort -t: -k3n /etc/passwd | cut -d: -f1
