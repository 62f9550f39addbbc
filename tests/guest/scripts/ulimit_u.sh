# ulimit -u: an ordinary user cannot fork beyond it; root can.
su student -c 'ulimit -u 3; for i in 1 2 3 4 5; do sleep 1 & echo $i; done' 2>&1; echo $?
su student -c 'ulimit -u 20; for i in 1 2 3 4 5; do (:); done; echo fine'
ulimit -u 1; (:; (:; echo "root goes on"))
