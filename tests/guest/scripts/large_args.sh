# Arguments: many, long, too long; the environment.
/bin/echo $(seq 1 20000) | wc -w; a=$(head -c 100000 /dev/zero | tr '\0' x); /bin/echo $a | wc -c
b=$a$a; /bin/echo $b 2>&1 | wc -c; c="$a $a $a $a $a"; set -- $c $c $c $c $c $c; echo $#; /bin/echo "$@" 2>&1 | cut -c1-200 | sed 's/x\{20,\}/X/g'; echo $?
export V=$a; env | grep -c '^V=x'; env -i X=1 env; env -u V env | grep -c '^V='; A=1 sh -c 'echo $A'; echo "${A-none}"
