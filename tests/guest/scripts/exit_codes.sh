# Statuses: of lists, of loops, of a killed pipeline part, of functions and exec.
true && false || echo or; while true; do break; done; echo $?; until true; do :; done; echo $?; for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; sh -c 'kill -9 $$'; echo $?; sh -c 'kill -9 $$' | true; echo $?
if false; then :; fi; echo $?; sh -c 'exec nosuch' 2>/dev/null; echo $?; sh -c 'exec /etc' 2>/dev/null; echo $?; ! false && echo neg; sh nowhere 2>/dev/null; echo $?; sh -c 'if' 2>/dev/null; echo $?; : | : | false; echo $?
