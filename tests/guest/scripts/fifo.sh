# Fifos: both ends wait for each other; several writers; no reader; mode bits.
mkfifo -m 640 f; stat -c '%F %a' f
cat f >out & echo one >f; wait; cat out
(echo a; echo b) >f & (while read l; do echo "got $l"; done) <f; wait
mkfifo f 2>&1; rm f; mkfifo g; exec 3<>g; echo kept >&3; read x <&3; echo $x; exec 3>&-
timeout 0.3 sh -c 'echo x >g'; echo $?
(sleep 0.2; cat g >/dev/null) & seq 1 30000 >g; echo $?; wait
