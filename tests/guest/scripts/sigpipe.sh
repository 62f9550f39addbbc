# SIGPIPE: a writer without a reader is ended; when ignored it sees EPIPE.
(yes; echo "status $?" >st) | head -n 1; sleep 0.3; cat st
(trap '' PIPE; sh -c 'while echo x; do :; done' 2>e; echo "status $?" >st) | head -n 1; sleep 0.5; cat st; head -n 1 e | sed 's/.*: //'
(sleep 0.3; echo late; echo $? >st2) | true; sleep 0.6; cat st2 2>/dev/null; echo end
