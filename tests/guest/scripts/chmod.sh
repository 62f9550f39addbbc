# chmod: octal, symbolic, special bits, copies of bits, who may.
touch f; mkdir d
for m in 644 000 4755 2755 1777 a+x u-w g=u o= +t u+s,g+s; do chmod $m f; stat -c "$m %a %A" f; done
chmod 2775 d; mkdir d/in; stat -c '%a %g' d/in
chmod 1777 d; stat -c '%A' d
chmod 644 f; su student -c 'chmod 777 f' 2>&1; stat -c %a f
chown student f; su student -c 'chmod 600 f'; stat -c '%a %U' f
chmod 755 /nowhere 2>&1
chmod zzz f 2>&1
