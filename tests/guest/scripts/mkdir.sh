# mkdir and rmdir: parents, modes, what exists, trailing slashes, dots, what is not empty.
mkdir a; mkdir a 2>&1; mkdir a/ 2>&1; mkdir b/; mkdir -p c/d/e c/d/e; mkdir x/y 2>&1; mkdir -m 705 m; stat -c %a m
touch f; mkdir f/g 2>&1; mkdir f 2>&1; mkdir -p f 2>&1; rmdir f 2>&1; rmdir c 2>&1; rmdir a/. 2>&1; rmdir c/d/.. 2>&1
rmdir -p c/d/e; ls; rmdir nowhere 2>&1; rmdir / 2>&1; mkdir / 2>&1; mkdir . 2>&1; mkdir '' 2>&1
ln -s a l; rmdir l 2>&1; rmdir l/ 2>&1; mkdir l/in; ls a; ln -s dang d; mkdir d 2>&1; mkdir -p d/x 2>&1; cat f/ 2>&1; ls a/in/
