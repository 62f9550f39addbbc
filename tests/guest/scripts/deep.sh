# Deep directories: a path longer than PATH_MAX is refused, steps are not; the way up; long names.
n=$(printf 'd%.0s' $(seq 1 200)); i=0
while [ $i -lt 30 ]; do mkdir $n && cd -P $n || break; i=$((i+1)); done; echo $i
pwd 2>&1 | sed 's/d\{20,\}/D/g' | cut -c1-40; [ "$(readlink /proc/self/cwd | wc -c)" -lt 4096 ] && echo cut
touch f && ls; ls "$PWD" 2>&1 | sed 's/.*: //'
while [ $i -gt 0 ]; do cd -P .. && rm -f $n/f && rmdir $n || break; i=$((i-1)); done; echo $i
touch $(printf 'x%.0s' $(seq 1 255)); ls | grep -c xxx; touch $(printf 'y%.0s' $(seq 1 256)) 2>&1 | sed 's/y\{20,\}/Y/'
p=$(printf 'a/%.0s' $(seq 1 2047)); ls $p 2>&1 | sed 's/.*: //'; ls ${p}aa 2>&1 | sed 's/.*: //'
