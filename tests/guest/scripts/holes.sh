# Holes: dd seek, truncate up and down, what reads as zeros, blocks counted.
echo abc >f; truncate -s 1M f; wc -c <f; head -c 5 f | od -c
truncate -s 2 f; truncate -s 6 f; od -c f
dd if=/dev/zero of=g bs=1 count=1 seek=100000 2>/dev/null; wc -c <g; od -An -tx1 g | head -n 2
truncate -s 100010 g; wc -c <g; truncate -s 0 g; wc -c <g
dd if=/dev/zero of=h bs=4096 count=3 2>/dev/null; stat -c '%s %b' h
truncate -s 5000 h; printf end >>h; od -Ad -tx1 h | tail -n 2
truncate -s 9000000000000g big 2>&1; truncate -s 1 . 2>&1; truncate -c -s 1 nowhere; echo $?
