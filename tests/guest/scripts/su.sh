# Becoming somebody: id, groups, environment of su and su -, start-stop-daemon.
id; su student -c id; su student -c 'whoami; echo $HOME $USER; pwd | sed "s#.*/##"'
su - student -c 'pwd; echo $HOME $LOGNAME'
su student -c 'su root -c id' 2>&1 </dev/null | tail -n 1
su nosuch -c id 2>&1
start-stop-daemon -S -c student -x /usr/bin/id -- -un
su student -c 'kill -9 1' 2>&1; su student -c 'kill -0 1' 2>&1
su student -c 'touch /x /root/x' 2>&1; su student -c 'ls /root' 2>&1
su student -c 'cd && touch mine && stat -c "%U %G" mine && rm mine'
