# The sticky bit: in /tmp one's own files only, whatever their modes.
mkdir t; chmod 1777 t; touch t/root; chmod 666 t/root; su student -c 'touch t/mine'
su student -c 'rm -f t/root; mv t/root t/x; mv t/mine t/root' 2>&1
su student -c 'echo w >t/root && cat t/root; rm t/mine'; ls t
mkdir t/d; chown student t/d; su student -c 'rmdir t/d && echo own'
chown student t; su student -c 'rm -f t/root && echo owner of the directory'; ls t
stat -c %a /tmp
