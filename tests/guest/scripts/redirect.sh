# Redirections: append, both, descriptors duplicated and closed, noclobber, errors of open.
echo a >f; echo b >>f; cat f
ls /nowhere >f 2>&1; cat f
exec 3>g; echo three >&3; exec 3>&-; cat g
echo x >&3 || echo "closed $?"
exec 4<g; read line <&4; echo "$line"; exec 4<&-
set -C; echo x >f || echo "refused $?"; echo y >|f; cat f; set +C
echo x >/nowhere/f || echo "no dir $?"
echo x >/ || echo "a dir $?"
cat </nowhere || echo "no file $?"
{ echo out; echo err >&2; } 2>e >o; cat o e
echo rw 1<>h; cat h
: >empty; wc -c <empty
