# ls: long form, orders, hidden, inodes, link targets, one of many.
export TZ=UTC0; echo 12345 >b; mkdir a; ln -s b l; touch .h; mkfifo p; chmod 4755 b; touch -d '2020-05-06 07:08:09' a b p; chown student b
ls; ls -a; ls -A; ls -1r; ls -l | awk '{ print $1, $3, $5 }' | sed 's/^total.*/total/;/^[dp]/s/ [0-9]*$//'; ls -F; ls -d a; ls -l --full-time b | awk '{ print $6, $7 }'
ls -S | head -n 1; [ "$(ls -i b | awk '{ print $1 }')" = "$(stat -c %i b)" ] && echo inode; ls nowhere 2>&1; ls -ld a | cut -c1-10; ls -n b | awk '{ print $3, $4 }'
mkdir many; cd many; seq 1 500 | xargs touch; ls | wc -l; ls | tail -n 1; rm *; ls | wc -l; ls -la | wc -l
