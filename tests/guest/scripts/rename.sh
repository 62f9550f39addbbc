# rename: over files, over directories, into itself, over links, a name with a slash.
echo a >a; echo b >b; mv a b; cat b; ls
mkdir d e; mv d e; ls e; mkdir d; echo x >e/d/x
mv d e 2>&1; ls d
mv e e/d 2>&1
mv b d/; ls d; mv d/b c; mv -T c d 2>&1
mkdir m n; mv -T m n && ls -d n; mkdir o o/p q; mv -T q o 2>&1
ln -s c s; echo y >y; mv y s; cat s; [ -L s ] || echo "the link is gone"
mv c c/ 2>&1; mv c new/ 2>&1; mv nowhere z 2>&1
exec 3<c; mv s c; cat <&3; cat c
ln c c2; mv c c2 2>&1; ls c*
