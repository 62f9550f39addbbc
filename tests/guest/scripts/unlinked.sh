# A file removed while open lives on; a directory removed under a shell does not take new names.
exec 3>f 4<f; rm f; echo still >&3; cat <&4; ls
mkdir d; cd d; rmdir ../d; ls; touch x 2>&1; mkdir y 2>&1; cd .. 2>/dev/null; pwd | sed 's#.*/##'
mkdir e; (cd e; rmdir ../e; sh -c 'pwd' >/dev/null 2>&1; ls ..; ls -a | wc -l)
echo data >g; exec 5<g; rm g; cat <&5; exec 5<&-; ls
