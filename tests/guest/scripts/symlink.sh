# Symbolic links: relative, dangling, loops, depth, through directories, readlink and realpath.
echo hello >f; ln -s f l; cat l; readlink l
ln -s nowhere d; cat d 2>&1; echo new >d; cat nowhere
ln -s a b; ln -s b a; cat a 2>&1
mkdir -p x/y; ln -s x/y s; echo in >s/g; cat x/y/g; ls s; ls s/
ln -s ../f x/up; cat x/up; (cd s; cat ../up; pwd; pwd -P | sed 's#.*/area#W#')
i=0; p=f; while [ $i -lt 45 ]; do ln -s $p c$i; p=c$i; i=$((i+1)); done
cat c38 2>&1; cat c39 2>&1; cat c40 2>&1
ln -s f l 2>&1; ln -sf x l; readlink l
rm s; ls x/y; readlink f; echo "readlink $?"
realpath x/up | sed 's#.*/area#W#'
ln -s '' e 2>&1
stat -c '%F %s %a' l
