# The kernel's log: dmesg reads it, /dev/kmsg writes it.
[ $(dmesg | wc -l) -gt 3 ] && echo "a log"; echo "hello from a script" >/dev/kmsg; dmesg | grep -c 'hello from a script'
dmesg | tail -n 1 | sed 's/^\[ *[0-9.]*\] //'; dmesg -n 4; echo $?
