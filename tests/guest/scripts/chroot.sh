# chroot: another root, .. stays inside, who may.
mkdir -p r/bin; cp /bin/busybox r/bin/sh; chroot r /bin/sh -c 'cd ..; pwd; echo /*; cd /bin; cd ../..; pwd'; chroot nowhere /bin/sh 2>&1; su student -c 'chroot r /bin/sh' 2>&1; chroot r /bin/nosuch 2>&1; touch f; chroot f /bin/sh 2>&1
