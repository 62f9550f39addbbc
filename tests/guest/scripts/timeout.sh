# timeout: in time, too late, another signal, killed after.
timeout 5 true; echo $?; timeout 5 false; echo $?; timeout 0.3 sleep 10; echo $?
timeout -s KILL 0.3 sleep 10; echo $?; timeout 5 nosuch 2>/dev/null; echo $?
timeout -s INT 0.3 sh -c 'trap "echo int; exit 9" INT; while :; do sleep 0.1; done'; echo $?
