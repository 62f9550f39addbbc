# dd: block sizes, skip, seek, count, short reads, conversions, odd ends.
seq 1 1000 >f
dd if=f bs=10 skip=3 count=2 2>/dev/null; echo
dd if=f of=g bs=7 2>/dev/null; cmp f g && echo equal
printf abc | dd conv=sync bs=8 2>/dev/null | od -c
printf abcdef | dd conv=swab 2>/dev/null; echo
dd if=f of=g bs=100 count=1 conv=notrunc seek=2 2>/dev/null; wc -c <g
dd if=/dev/zero bs=1 count=0 2>&1 | head -n 2
dd if=/nowhere 2>&1; dd if=f of=/dev/full bs=1k count=1 2>&1 | head -n 1
dd if=f bs=1k count=1 2>/dev/null | md5sum
