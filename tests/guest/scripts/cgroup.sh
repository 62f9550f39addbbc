# The memory controller by its files: make, enter, count, leave, remove.
g=/sys/fs/cgroup/memory/t; mkdir $g; ls $g | grep -c -e '^cgroup.procs$' -e '^tasks$' -e '^memory.kmem.usage_in_bytes$'
sh -c "echo \$\$ >$g/cgroup.procs; sed -n 's/.*memory:/memory:/p' /proc/self/cgroup; ls / >/dev/null && echo inside"
cat $g/cgroup.procs | wc -l; echo junk >$g/cgroup.procs || echo refused; echo 999999 >$g/cgroup.procs; mkdir $g 2>&1; touch $g/file 2>&1
mkdir $g/sub; rmdir $g 2>&1; rmdir $g/sub; sleep 10 & echo $! >$g/cgroup.procs; rmdir $g 2>&1; cat $g/cgroup.procs | wc -l; kill $!; wait $! 2>/dev/null; rm $g/tasks 2>&1
rmdir $g && [ ! -e $g ] && echo gone; echo 1 >/sys/fs/cgroup/memory/cgroup.procs; echo $?; cat /sys/fs/cgroup/memory/memory.kmem.failcnt
