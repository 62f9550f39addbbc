# free, uptime, nproc, uname: their shape.
free | awk 'NR == 1 { print $1, $2, $3, $4 } NR == 2 { print $1, ($2 > 100000), ($3 > 0), ($4 > 0), ($3 + $4 <= $2) }'
free | grep -c Swap; uptime | grep -c 'load average'
n=$(nproc); [ "$n" -ge 1 ] && echo cpus; [ "$n" = "$(grep -c ^processor /proc/cpuinfo)" ] && echo agree
[ "$n" = "$(grep -c '^cpu[0-9]' /proc/stat)" ] && echo "stat agrees"
uname -m; uname | wc -w; hostname | wc -l
taskset -c 0 nproc; taskset -p $$ | sed 's/[0-9]*.s/P/;s/mask.*/mask/'
