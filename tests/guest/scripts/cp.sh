# cp: modes, times, links, trees, onto itself, a big file, through links.
echo a >a; chmod 750 a; cp a b; stat -c %a b; cp -p a c; stat -c %a c; [ c -nt a ] || [ a -nt c ] || echo "same time"
mkdir -p t/d; echo x >t/d/f; ln -s f t/d/s; cp -r t u; find u | sort; cp -a t v; readlink v/d/s; cp a a 2>&1; cp t w 2>&1
cp nowhere x 2>&1; cp a t; ls t; head -c 3000000 /dev/urandom >big; cp big big2; cmp big big2 && echo equal
ln -s a l; cp l m; [ -L m ] || echo followed; cp -d l n; readlink n; cp b l; cmp a b && echo "through the link"
cp -r t t/inside 2>&1 | head -n 1; install -m 600 a i 2>/dev/null; touch -d '2001-02-03 04:05:06' a; cp -p a o; stat -c %y o | cut -c1-19
