# /proc: self and others: stat, status, cmdline, comm, fd, exe, cwd, root, environ, limits.
sh -c 'readlink /proc/self/exe' | sed 's#/bin/.*#/bin/X#'; (cd /etc; readlink /proc/self/cwd); readlink /proc/self/root
tr '\0' ' ' </proc/self/cmdline; echo; cat /proc/self/comm; sleep 9 & p=$!; sleep 0.2
cut -d' ' -f2,3 /proc/$p/stat; awk '/^(Name|State|PPid|Uid|Gid)/' /proc/$p/status | sed 's/PPid.*/PPid/'
tr '\0' '|' </proc/$p/cmdline; echo; [ $(wc -w </proc/$p/stat) = 52 ] && echo "52 fields"; wc -w </proc/$p/statm
exec 7</etc/passwd; readlink /proc/$$/fd/7; ls /proc/$$/fd 2>/dev/null | grep -c 7; exec 7<&-; ls -d /proc/self/fd
kill $p; wait $p 2>/dev/null; ls -d /proc/$p 2>&1 | sed 's/[0-9][0-9]*/N/g'; cat /proc/999999/stat 2>&1
[ "$(readlink /proc/self)" -gt 1 ] && echo number; env -i A=1 B=2 cat /proc/self/environ | tr '\0' ' '; echo
ls /proc | grep -c '^1$'; cd /proc/self && cat comm; grep -c '\[stack\]' /proc/self/maps
