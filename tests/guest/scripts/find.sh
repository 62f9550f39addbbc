# find: by name, type, size, mode, owner; prune, exec, depth, delete.
mkdir -p a/b/c x; touch a/1 a/b/2.txt a/b/c/3.txt x/4; ln -s a l; chmod 600 a/1; chown student x/4
echo 0123456789 >a/big
find . | sort
find . -name '*.txt' | sort
find . -type l; find . -type d -maxdepth 1 | sort
find . -size +5c -type f; find . -perm 600; find . -user student
find . -name b -prune -o -type f -print | sort
find a -name '*.txt' -exec echo got {} \; | sort
find a -type f -exec echo {} + | tr ' ' '\n' | sort
find . -newer nowhere 2>&1
find a -depth -name c; find a -name '*.txt' -exec rm {} +; find a -type f | sort
find . -empty | sort
