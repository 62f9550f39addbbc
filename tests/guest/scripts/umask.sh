# umask: on files, directories and fifos; symbolic form.
for m in 000 022 027 077 777; do
	(umask $m; : >f$m; mkdir d$m; mkfifo p$m; stat -c '%a %F %n' f$m d$m p$m)
done
umask 027; umask; umask -S
umask u=rwx,g=,o=r; umask
umask 9 2>/dev/null || echo "bad $?"
