# cd: logical and physical, CDPATH, -, HOME, errors; a directory without search permission.
mkdir -p a/b; ln -s a/b l; s() { pwd | sed 's#.*/area#W#'; }
cd l; s; pwd -P | sed 's#.*/area#W#'; cd ..; s; cd -P l; s; cd ..; s; cd ..; s; cd a; cd - >/dev/null; s
HOME=/etc; cd; pwd; cd /tmp/area; CDPATH=/tmp/area/a cd b >/dev/null; s; cd nowhere 2>&1; touch /tmp/area/f; cd /tmp/area/f 2>&1; cd /..; pwd; cd //; pwd
cd /tmp/area; chmod 600 a; su student -c 'cd a' 2>&1; cd a; s; sh -c 'cd; pwd'; unset HOME; cd 2>&1; s
