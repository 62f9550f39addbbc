# A set-user-id program acts as its owner, a set-group-id one as its group; not after a change of
# owner. (busybox gives such rights away itself, so the program is another.)
chmod 755 .; cp /bin/rmdeep rm; mkdir -p p/1 p/2 p/3 p/4; chown -R nobody:nogroup p; chmod 775 p
try() { su student -c "./rm p/$1" 2>&1; }
try 1; chown nobody rm; chmod 4755 rm; try 1; chown student rm; stat -c %a rm; try 2
chown student:nogroup rm; chmod 2755 rm; try 2; chmod 700 p; try 3; chmod 775 p; chmod 6755 rm; chgrp student rm; try 3
chown nobody:nogroup rm; chmod 4754 rm; try 3; chmod 4755 rm; su student -c 'echo x >>rm' 2>&1; echo >>rm; stat -c %a rm
mkdir m; mount -t tmpfs -o nosuid none m && { cp /bin/rmdeep m/rm; chown nobody m/rm; chmod 4755 m/rm; su student -c './m/rm p/4' 2>&1; umount m; }
