# Hard links: counts, same inode, contents shared, directories refused, across mounts refused.
echo one >a; ln a b; stat -c '%h %n' a b
[ a -ef b ] && echo same; echo two >>b; cat a
rm a; stat -c %h b; cat b
mkdir d; ln d e 2>&1; stat -c %h d; mkdir d/1 d/2; stat -c %h d; rmdir d/1; stat -c %h d
ln b /proc/x 2>&1; ln nowhere y 2>&1; ln b b 2>&1
ln -s b s; ln s t; ls -l t | cut -c1
