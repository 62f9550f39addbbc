# What may be executed: bits, directories, scripts, empty files, garbage; 126 and 127.
echo 'echo ran $0 $1' >s; ./s; echo $?; chmod +x s; ./s 1
printf '#!/bin/sh\necho "sh $0 $#"\n' >h; chmod +x h; ./h a b
printf '#!/bin/sed -n\np\n' >sed; chmod +x sed; ./sed
printf '#!/nowhere/x\n' >n; chmod +x n; ./n 2>&1; echo $?
printf '#!./n2\n' >n1; printf '#!/bin/echo nested\n' >n2; chmod +x n1 n2; ./n1 x
: >e; chmod +x e; ./e; echo $?
mkdir d; ./d 2>&1; echo $?; nosuch 2>&1; echo $?; ./nosuch 2>&1; echo $?
printf '\177ELF' >g; chmod +x g; ./g 2>&1; echo $?
chmod 700 h; chmod 755 .; su student -c ./h 2>&1; echo $?
cp /bin/busybox ./echo; ./echo copied; chmod 644 echo; ./echo 2>&1; echo $?
./s/x 2>&1; echo $?
