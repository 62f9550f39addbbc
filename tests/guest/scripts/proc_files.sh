# /proc: the machine's files, in the shape that tools parse.
awk '{ print NF }' /proc/loadavg /proc/uptime; awk '/^MemTotal|^MemFree/ { print $1, $3 }' /proc/meminfo
head -n 1 /proc/stat | awk '{ print $1, (NF >= 8) }'; for k in ctxt btime processes procs_running; do grep -c "^$k " /proc/stat; done
grep -c . /proc/version; awk '$3 == "proc" { print $1, $2 }' /proc/mounts | head -n 1
for f in tmpfs proc ramfs cgroup; do grep -cw $f /proc/filesystems; done
head -n 1 /proc/cgroups; grep -c memory /proc/cgroups; wc -w </proc/cmdline | awk '{ print ($1 > 0) }'
echo x >/proc/version 2>/dev/null || echo "read only"; touch /proc/new 2>/dev/null || echo "no new names"
su student -c 'cat /proc/1/comm; ls /proc/1/fd' 2>&1; rm /proc/uptime 2>/dev/null || echo "stays"
dd if=/proc/meminfo bs=1 count=8 2>/dev/null; echo; tail -c +2 /proc/cgroups | head -c 4; echo; cat /proc/sys/kernel/ostype | wc -l
