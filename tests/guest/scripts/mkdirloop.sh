# The endless mkdir, as the shell's own cd sees it: its path grows until it is too long.
i=0; while [ $i -lt 2100 ]; do mkdir x || break; cd x 2>e || { sed 's/.*: //' e; break; }; i=$((i+1)); done 2>&1
[ $i -gt 2000 ] && [ $i -lt 2050 ] && echo "near 2043"
cd /tmp/area; rm -r x 2>/dev/null; echo "rm $?"; rmdeep x >/dev/null; ls
