# Times: touch sets them, writing moves them, reading a link does not; -nt, -ot.
export TZ=UTC0; touch -d '2000-01-01 00:00:00' a; stat -c '%X %Y' a; touch -d @1000000000 a; stat -c %y a | cut -c1-19; touch -c nowhere; ls
touch b; [ b -nt a ] && echo newer; [ a -ot b ] && echo older; touch -r a b; stat -c %Y b; echo x >>b; [ b -nt a ] && echo "written"
mkdir d; touch -d @5 d; touch d/x; [ $(stat -c %Y d) -gt 5 ] && echo "directory moved"; touch -d @5 d; chmod 700 d; stat -c %Y d; touch -d @7 d/x; stat -c %Y d
touch -d @9 a; chmod 777 .; su student -c 'touch -d @3 a; touch a' 2>&1; chmod 666 a; su student -c 'touch -d @3 a' 2>&1; su student -c 'touch a && echo may'
ln -s a l; touch -h -d @11 l 2>/dev/null; stat -c %Y l; touch nowhere/x 2>&1; date -u -d @86400 '+%F %T'
