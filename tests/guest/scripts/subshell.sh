# Subshells and substitution: variables, status, nesting, file descriptors, exec.
x=1; (x=2; echo $x); echo $x; y=$(x=3; echo $x; exit 4); echo $? $y $x; echo $(echo $(echo nested $(echo deep)))
{ echo a; echo b; } | wc -l; (exit 9); echo $?; sh -c 'exit 256'; echo $?; sh -c 'exit -1' 2>/dev/null; echo $?; (exec echo replaced; echo never)
z=$(cat <<A
doc
A
); echo "$z"; f() { local x=in; return 3; }; f; echo $? $x; echo "${u-unset} ${u:=set} ${#u} ${u%t} ${u#s}"; echo $((7 * 6)) $((1 << 40)) $((-7 / 2)) $((0x1f))
set -- a 'b c' d; echo $# "$2"; for i; do printf '<%s>' "$i"; done; echo; shift; echo $1; (set -e; false; echo never); echo $?; set -u; (echo $nosuch) 2>/dev/null; echo $?
