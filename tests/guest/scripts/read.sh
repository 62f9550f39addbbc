# read: IFS, -r, -n, -t with nothing to come, from a fifo, at end of file.
echo 'a b c' | { read x y; echo "$x|$y"; }; echo 'a:b' | { IFS=: read x y; echo "$x|$y"; }
printf 'a\\nb\n' | { read -r x; echo "$x"; }; printf 'abc' | { read -n 2 x; echo "$x"; }
printf 'noend' | { read x; echo "$? $x"; }; read x </dev/null; echo $?
mkfifo f; sleep 3 >f & read -t 0.2 x <f; [ $? -ne 0 ] && echo "timed out"; kill $!
wait; mkfifo g; (echo hi >g) & read x <g; echo $x
