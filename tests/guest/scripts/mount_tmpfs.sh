# tmpfs: mounted with a size, full at it, gone after umount; busy while in use.
mkdir m; mount -t tmpfs -o size=256k none m && echo mounted
dd if=/dev/zero of=m/f bs=1k count=1000 2>&1 | head -n 1; wc -c <m/f; echo x >m/g; cat m/g 2>/dev/null
rm m/f; echo room >m/g; cat m/g; df -k m | awk 'NR == 2 { print $2, $6 }' | sed 's# .*/# #'
(cd m; umount ../m 2>&1 | sed 's#/tmp/.*/##g'); umount m && ls m; umount m 2>&1 | sed 's#/tmp/.*/##g'
mount -t tmpfs -o size=1m,mode=1700 none m; stat -c %a m; grep -c ' /tmp/area/m tmpfs' /proc/mounts; umount m
mount -t nosuch none m 2>&1 | sed 's#/tmp/.*/##g'; mount -t tmpfs none nowhere 2>&1
touch f; mount -t tmpfs none f 2>&1 | sed 's# on .*##'; su student -c 'mount -t tmpfs none m' 2>&1 | tail -n 1
