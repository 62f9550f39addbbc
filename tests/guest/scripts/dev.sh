# Devices: null, zero, full, random, urandom; numbers and modes; mknod.
echo x >/dev/null && cat /dev/null | wc -c; head -c 5 /dev/zero | od -An -tx1; echo x >/dev/full || echo "full $?"
head -c 3 /dev/full | od -An -tx1; [ "$(head -c 16 /dev/urandom | md5sum)" != "$(head -c 16 /dev/urandom | md5sum)" ] && echo random
head -c 4 /dev/random | wc -c; for d in null zero full random urandom tty kmsg console; do stat -c '%t:%T %F %n' /dev/$d; done
stat -c %a /dev/null /dev/zero /dev/full; mknod n c 1 3; echo gone >n; cat n; stat -c '%F %t %T' n
mknod b b 7 9; cat b 2>&1; mknod u c 250 250; cat u 2>&1; su student -c 'mknod /tmp/q c 1 3' 2>&1; ls /dev/fd >/dev/null 2>&1; su student -c 'echo s >/dev/null && echo student too'
