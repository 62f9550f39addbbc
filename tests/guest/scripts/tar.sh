# tar: round trip with links, modes, owners, long names and holes; listing; gzip.
mkdir -p t/d; echo hello >t/a; ln t/a t/b; ln -s a t/s; chmod 751 t/d; chown 12:34 t/a; mkfifo t/p
long=t/$(printf 'n%.0s' $(seq 1 150)); echo long >$long
tar cf x.tar t; tar tf x.tar | sort | cut -c1-20
mkdir out; tar xf x.tar -C out; cd out
stat -c '%a %h %u:%g %F %n' t t/a t/b t/d t/s t/p | sort; cat $long; cat t/b
cd ..; tar czf x.tgz t; gzip -t x.tgz && echo whole; tar xzf x.tgz -O $long
tar cf - t | (mkdir pipe; cd pipe; tar xf -; ls t | wc -l)
tar xf /nowhere 2>&1
