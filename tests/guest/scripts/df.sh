# df: heads and columns; of a path, of what is not there.
df | head -n 1 | tr -s ' '; mkdir m; mount -t tmpfs -o size=4m none m
df -k m | awk 'NR == 2 { print $1, $2, $3, $4, $5 }'; dd if=/dev/zero of=m/f bs=1M count=1 2>/dev/null
df -k m | awk 'NR == 2 { print $2, $3, $4, $5 }'; df -m m | awk 'NR == 2 { print $2, $3 }'
df nowhere 2>&1; df -i m | awk 'NR == 1 { print $2, $3 }'; stat -f -c '%T %l %s' m; umount m
