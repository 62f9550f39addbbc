# cpio: round trip of the format an initrd has.
mkdir -p t/d; echo hello >t/a; ln t/a t/b; ln -s a t/s; echo more >t/d/c; chmod 700 t/d
find t | sort | cpio -o -H newc >x 2>/dev/null
cpio -t <x 2>/dev/null
mkdir out; cd out; cpio -id <../x 2>/dev/null
stat -c '%a %h %F %n' $(find t | sort); cat t/b t/d/c
head -c 6 ../x; echo
