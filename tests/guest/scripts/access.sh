# test -r -w -x as root and as an ordinary user; what root may and may not.
touch f; for m in 000 100 010 001 400 040 004 200 777; do
	chmod $m f; r=; for t in r w x; do [ -$t f ] && r=$r$t; done
	s=$(su student -c 'for t in r w x; do [ -$t f ] && printf $t; done')
	echo "$m root:$r student:$s"
done
chown student f; chmod 077 f; su student -c '[ -r f ] || echo "owner bits decide"'
chown root:student f; chmod 707 f; su student -c '[ -r f ] || echo "group bits decide"'
mkdir d; touch d/x; chmod 700 d; su student -c '[ -e d/x ] || echo hidden; ls d; cat d/x' 2>&1
chmod 711 d; su student -c 'ls d; cat d/x && echo through' 2>&1
chmod 744 d; su student -c 'ls d; cat d/x' 2>&1
